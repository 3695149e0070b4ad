"""An object store -> does it keep the promises of `Blobs`? Inherit it, and give a `blobs` fixture.

class TestFileBlobs(BlobContract):
    @pytest.fixture
    def blobs(self, tmp_path):
        return FileBlobs(tmp_path)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from iraas.blobs.port import BlobInfo, Blobs
from iraas.side_by_side import side_by_side

NOT_KEYS = (
    "",
    ".",
    "..",
    "../escape",
    "a/../b",
    "a/./b",
    "/etc/passwd",
    "a//b",
    "a/",
    "a\\b",
    "a b",
    "a\n",
    "a\0b",
    "~new",
    "a+b",
    "é",
    "a/b/c/d/e",
    "a" * 300,
)
NOT_PREFIXES = ("a", "/", "../", "a//", "~new/", "./")
NOT_METADATA = (
    {"filename": "Käse.png"},
    {"filename": "a\r\nx-evil: 1"},
    {"filename": "a\tb"},
    {"file name": "a"},
    {"": "a"},
    {"filename": "a" * 2_048},
    {f"name-{n}": "a" * 100 for n in range(20)},
)


async def listed(blobs: Blobs, prefix: str = "") -> dict[str, BlobInfo]:
    """What `list` gives, by key and in its order; the same key twice is a failure."""
    infos = [info async for info in blobs.list(prefix)]
    by_key = {info.key: info for info in infos}
    assert len(by_key) == len(infos), "list gave a key twice"
    return by_key


async def put_all(blobs: Blobs, keys: Iterable[str]) -> None:
    """An object under each key, as many at once as the store likes."""
    await side_by_side(lambda key: blobs.put(key, key.encode()), list(keys), at_once=blobs.at_once)


class BlobContract:
    """The promises of `Blobs`, by their numbers."""

    async def test_gives_back_what_was_put(self, blobs: Blobs) -> None:
        """Promise 2: what `put` returned for is there at once, data and metadata."""
        metadata = {"owner": "anonymous", "filename": "two%20cats%0A.png", "empty": "", "sign": 'a=b "c" \\'}
        assert await blobs.put("cat", b"\0\xffmeow\n", metadata=metadata)

        blob = await blobs.get("cat")

        assert blob is not None
        assert blob.data == b"\0\xffmeow\n"
        assert type(blob.data) is bytes
        assert blob.info == await blobs.head("cat")
        assert (blob.info.key, blob.info.size, dict(blob.info.metadata)) == ("cat", 7, metadata)

    @pytest.mark.parametrize("size", [0, 1, 2_047, 2_048, 2_049, 4_096, 300_000, 10_000_000])
    async def test_takes_data_of_any_size(self, blobs: Blobs, size: int) -> None:
        """Promise 1: an object is whole, whether it has no bytes or ten million."""
        data = (b"0123456789abcdef!" * (size // 17 + 1))[:size]
        await blobs.put("object", data, metadata={"owner": "anonymous"})

        blob = await blobs.get("object")
        assert blob is not None
        assert blob.data == data
        assert (await listed(blobs))["object"].size == size

    async def test_has_nothing_under_an_unknown_key(self, blobs: Blobs) -> None:
        """`get` and `head` say None for what was never put."""
        await blobs.put("cat", b"meow")
        assert await blobs.get("dog") is None
        assert await blobs.head("dog") is None
        assert await blobs.get("cat/dog") is None

    async def test_says_when_an_object_was_written(self, blobs: Blobs) -> None:
        """`modified_at` is wall time in seconds, the same from `head` and from `list`, and never goes back."""
        await blobs.put("first", b"")
        await blobs.put("second", b"")
        first, second = await blobs.head("first"), await blobs.head("second")

        assert first is not None
        assert second is not None
        assert first.modified_at <= second.modified_at
        assert (await listed(blobs))["first"].modified_at == first.modified_at

    async def test_overwrites_without_being_asked_not_to(self, blobs: Blobs) -> None:
        """A plain `put` replaces data and metadata together."""
        await blobs.put("answer", b"failed", metadata={"owner": "a", "kind": "failure"})
        assert await blobs.put("answer", b"done", metadata={"owner": "b"})

        blob = await blobs.get("answer")
        assert blob is not None
        assert (blob.data, dict(blob.info.metadata)) == (b"done", {"owner": "b"})

    async def test_if_absent_never_overwrites(self, blobs: Blobs) -> None:
        """Promise 3: the first to put if absent wins, and the second is told so."""
        assert await blobs.put("answer", b"first", metadata={"by": "one"}, if_absent=True)
        assert not await blobs.put("answer", b"second", metadata={"by": "two"}, if_absent=True)

        blob = await blobs.get("answer")
        assert blob is not None
        assert (blob.data, dict(blob.info.metadata)) == (b"first", {"by": "one"})

    async def test_if_absent_loses_to_a_plain_put(self, blobs: Blobs) -> None:
        """Promise 3: an object that a plain `put` left, a tombstone for one, is not replaced either."""
        await blobs.put("answer", b"tombstone")
        assert not await blobs.put("answer", b"late", if_absent=True)

    async def test_exactly_one_of_many_wins(self, blobs: Blobs) -> None:
        """Promise 3: of any number of writers exactly one wins, and all read what it wrote."""
        won = await asyncio.gather(*(blobs.put("answer", b"%d" % n, if_absent=True) for n in range(32)))

        blob = await blobs.get("answer")
        assert blob is not None
        assert sum(won) == 1
        assert blob.data == b"%d" % won.index(True)

    async def test_a_deleted_key_is_free_again(self, blobs: Blobs) -> None:
        """After `delete` nothing is there, and `if_absent` wins."""
        await blobs.put("image", b"bytes")
        await blobs.delete("image")

        assert await blobs.get("image") is None
        assert await listed(blobs) == {}
        assert await blobs.put("image", b"others", if_absent=True)

    async def test_deleting_nothing_succeeds(self, blobs: Blobs) -> None:
        """Promise 4: `delete` of what is not there succeeds, once and twice."""
        await blobs.put("image", b"bytes")
        for key in ("other", "image", "image", "image/part"):
            await blobs.delete(key)

    async def test_lists_by_prefix(self, blobs: Blobs) -> None:
        """A prefix lists what begins with it, at any depth; the empty one only keys of one part."""
        keys = {"a", "b", "x/a", "x/b/c", "x/b/c/d", "x/bc", "xy/a", "..."}
        for key in keys:
            await blobs.put(key, key.encode())

        assert set(await listed(blobs)) == {"a", "b", "..."}
        assert set(await listed(blobs, "x/")) == {"x/a", "x/b/c", "x/b/c/d", "x/bc"}
        assert set(await listed(blobs, "x/b/")) == {"x/b/c", "x/b/c/d"}
        assert set(await listed(blobs, "x/b/c/")) == {"x/b/c/d"}
        assert set(await listed(blobs, "y/")) == set()
        for key in keys:
            blob = await blobs.get(key)
            assert blob is not None
            assert blob.data == key.encode()

    async def test_lists_in_the_order_of_rank(self, blobs: Blobs) -> None:
        """Promise 5: what is listed is in the order of `rank`, and no two keys have the same one."""
        names = ("a", "A", "a-b", "a.b", "a_b", "ab", "aB", "a0", "B", "b", "-", "_", ".a", "0", "10", "9")
        for prefix in ("", "x/", "x-y/"):
            keys = {prefix + name for name in names}
            await put_all(blobs, keys)
            assert len({blobs.rank(key) for key in keys}) == len(keys)
            assert list(await listed(blobs, prefix)) == sorted(keys, key=blobs.rank)

    async def test_lists_what_lies_deeper_in_the_order_of_rank(self, blobs: Blobs) -> None:
        """Promise 5: it holds where one key is the beginning of another."""
        keys = {f"x/{rest}" for rest in ("a", "a/b", "a/b/c", "a-b", "a.b", "a0", "a/0", "a/-", "b/a")}
        await put_all(blobs, keys)
        assert list(await listed(blobs, "x/")) == sorted(keys, key=blobs.rank)

    async def test_a_key_may_be_the_beginning_of_another(self, blobs: Blobs) -> None:
        """`a`, `a/b` and `a/b/c` are three objects, and one goes without the others."""
        for key in ("a/b/c", "a/b", "a"):
            await blobs.put(key, key.encode())
        await blobs.delete("a/b")

        assert await blobs.get("a/b") is None
        assert {*await listed(blobs), *await listed(blobs, "a/")} == {"a", "a/b/c"}

    async def test_lists_more_than_a_page(self, blobs: Blobs) -> None:
        """`list` goes on beyond what a backend gives at a time."""
        keys = {f"image-{n}" for n in range(1_100)}
        await put_all(blobs, keys)
        assert list(await listed(blobs)) == sorted(keys, key=blobs.rank)

    async def test_an_object_that_goes_during_a_list_does_no_harm(self, blobs: Blobs) -> None:
        """Deleting while listing never fails, and what stays is listed."""
        keys = {f"image-{n}" for n in range(300)}
        await put_all(blobs, keys)
        seen = set()
        async for info in blobs.list():
            seen.add(info.key)
            await side_by_side(blobs.delete, list(keys - {"image-7"}), at_once=blobs.at_once)
            keys = {"image-7"}
        assert "image-7" in seen

    @pytest.mark.parametrize("key", NOT_KEYS)
    async def test_refuses_what_is_no_key(self, blobs: Blobs, key: str) -> None:
        """A key that could leave the store or mean something to a backend is refused everywhere."""
        with pytest.raises(ValueError, match="is not a key"):
            await blobs.put(key, b"")
        with pytest.raises(ValueError, match="is not a key"):
            await blobs.get(key)
        with pytest.raises(ValueError, match="is not a key"):
            await blobs.head(key)
        with pytest.raises(ValueError, match="is not a key"):
            await blobs.delete(key)

    @pytest.mark.parametrize("prefix", NOT_PREFIXES)
    async def test_refuses_what_is_no_prefix(self, blobs: Blobs, prefix: str) -> None:
        """`list` looks nowhere but below a proper prefix."""
        with pytest.raises(ValueError, match=r"is not a (prefix|key)"):
            await listed(blobs, prefix)

    @pytest.mark.parametrize("metadata", NOT_METADATA)
    async def test_refuses_metadata_that_some_store_cannot_keep(
        self, blobs: Blobs, metadata: dict[str, str]
    ) -> None:
        """Metadata is printable ASCII under 2 KB, and what is not leaves no object behind."""
        with pytest.raises(ValueError, match="metadata"):
            await blobs.put("image", b"", metadata=metadata)
        assert await blobs.head("image") is None
