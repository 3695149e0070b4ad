"""Random puts, gets, deletes, lists -> does a store do what a dictionary would? A Hypothesis state machine.

class FileBlobsMachine(BlobMachine): gives `open`; its `TestCase` is what pytest runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from iraas.blobs.port import Blobs
from iraas.testing.blob_contract import listed

_T = TypeVar("_T")

KEYS = st.sampled_from(("a", "b", "a/b", "a/c", "a/b/c", "b/a", "a.b", "-", "_/..."))
DATA = st.binary(max_size=5_000)
METADATA = st.dictionaries(
    st.text("abz09_-", min_size=1, max_size=9),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=99),
    max_size=4,
)


class BlobMachine(RuleBasedStateMachine):
    """A store beside a dictionary; whoever inherits gives `open`, a store over the same objects each time."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._blobs = self.open()
        self._expected: dict[str, tuple[bytes, dict[str, str]]] = {}

    def open(self) -> Blobs:
        """The store, as another process would open it."""
        raise NotImplementedError

    @rule(key=KEYS, data=DATA, metadata=METADATA)
    def put(self, key: str, data: bytes, metadata: dict[str, str]) -> None:
        """A plain put always wins."""
        assert self._wait(self._blobs.put(key, data, metadata=metadata))
        self._expected[key] = data, metadata

    @rule(key=KEYS, data=DATA, metadata=METADATA)
    def put_if_absent(self, key: str, data: bytes, metadata: dict[str, str]) -> None:
        """A put if absent wins where nothing is."""
        won = self._wait(self._blobs.put(key, data, metadata=metadata, if_absent=True))
        assert won == (key not in self._expected)
        self._expected.setdefault(key, (data, metadata))

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        """A delete takes what is there."""
        self._wait(self._blobs.delete(key))
        self._expected.pop(key, None)

    @rule()
    def open_again(self) -> None:
        """What was put is there for the next process."""
        self._wait(self._blobs.close())
        self._blobs = self.open()

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        """Data and metadata come back together, and `head` says the same."""
        blob = self._wait(self._blobs.get(key))
        assert (blob and (blob.data, dict(blob.info.metadata))) == self._expected.get(key)
        assert (blob and blob.info) == self._wait(self._blobs.head(key))

    @rule(prefix=st.sampled_from(("", "a/", "a/b/", "b/", "_/", "c/")))
    def list(self, prefix: str) -> None:
        """A list holds each key once, with its size, in the order of `rank`."""
        found = self._wait(listed(self._blobs, prefix))
        assert [*found] == sorted(found, key=self._blobs.rank)
        assert {key: info.size for key, info in found.items()} == {
            key: len(data)
            for key, (data, _) in self._expected.items()
            if key.startswith(prefix) and (prefix or "/" not in key)
        }

    def teardown(self) -> None:
        """Close the store."""
        self._wait(self._blobs.close())
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)
