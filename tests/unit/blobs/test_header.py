"""The first bytes of an object's file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iraas.blobs.header import HEADER_BYTES, pack, unpack
from iraas.blobs.keys import MAX_METADATA_BYTES, check_metadata

NAMES = st.text("abz09_-", min_size=1, max_size=20)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=400)


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(st.integers(0, 2**50), st.dictionaries(NAMES, VALUES, max_size=4))
def test_gives_back_what_it_packed(size, metadata):
    """All metadata that a store takes fits, and comes back."""
    check_metadata(metadata)
    header = pack(size, metadata)
    assert len(header) == HEADER_BYTES
    assert unpack(header, HEADER_BYTES + size) == metadata


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "v" * (MAX_METADATA_BYTES - 6)},
        {f"{n:03}": "" for n in range(MAX_METADATA_BYTES // 5)},
    ],
    ids=["one long", "many short"],
)
def test_the_most_metadata_fits(metadata):
    """Metadata at its limit, in one value or in hundreds, leaves the header its length."""
    check_metadata(metadata)
    assert unpack(pack(2**63, metadata), HEADER_BYTES + 2**63) == metadata


def test_is_readable_text():
    """`head` shows a person what an object is."""
    header = pack(4, {"owner": "anonymous", "filename": "cat.png"})
    assert header.startswith(b"iraas-object-1 4\nowner\tanonymous\nfilename\tcat.png\0")


@pytest.mark.parametrize("length", [0, 1, 100, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 3])
def test_knows_a_file_that_was_cut(length):
    """A file of any length but its own is no object."""
    file = pack(4, {"owner": "anonymous"}) + b"data"
    assert unpack(file[:length][:HEADER_BYTES], length) is None
    assert unpack(file[:HEADER_BYTES], len(file)) is not None


@pytest.mark.parametrize("header", [bytes(HEADER_BYTES), b"\xff" * HEADER_BYTES, b"\x89PNG\r\n\x1a\n" * 256])
def test_knows_what_was_never_an_object(header):
    """Zeros, as power losses leave them, and other files are no objects."""
    assert unpack(header, HEADER_BYTES + 4) is None
