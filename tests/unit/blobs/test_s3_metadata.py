"""Metadata on its way to S3 and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iraas.blobs.keys import MAX_METADATA_BYTES, check_metadata
from iraas.blobs.s3_metadata import NONCE, attributes_of, metadata_of, new_nonce

S3_BYTES = 2_048  # of names and values, without the prefix of each
NONCE_BYTES = len(NONCE) + len(new_nonce())
HEADER_BYTES = 8_192 - 1_500  # all headers have 8 KB; what is no metadata has less than the difference

NAMES = st.text("abz09_-", min_size=1, max_size=20) | st.sampled_from([NONCE, "packed", "content-type"])
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=400)


def carried(attributes):
    """What comes back when all that can go wrong with a header does."""
    return {
        name: " ".join(value.split())
        for name, value in attributes.items()
        if value and "_" not in name and "=?" not in value
    }


@settings(max_examples=200, deadline=None)  # a busy machine is no failure
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_survives_what_headers_suffer(metadata):
    """All metadata that the port takes comes back, however it looks."""
    check_metadata(metadata)
    assert metadata_of(carried(attributes_of(metadata))) == metadata


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "v" * (MAX_METADATA_BYTES - 6)},
        {"name": " " * (MAX_METADATA_BYTES - 6)},
        {"name": "~" * (MAX_METADATA_BYTES - 7) + " "},
        {f"{n:03}": "" for n in range(MAX_METADATA_BYTES // 5)},
        {f"{n:02}": "v" * 79 for n in range(24)},
        {chr(0x61 + n): "" for n in range(24)},
    ],
    ids=["one long", "spaces", "last digits", "many short", "as headers", "empty ones"],
)
def test_the_most_metadata_fits(metadata):
    """What the port takes is never more than S3 takes, with the nonce, and in all headers together."""
    check_metadata(metadata)
    attributes = attributes_of(metadata)

    assert metadata_of(attributes) == metadata
    assert sum(len(name) + len(value) for name, value in attributes.items()) + NONCE_BYTES <= S3_BYTES
    headers = sum(
        len(f"x-amz-meta-{name}: {value}\r\nx-amz-meta-{name};") for name, value in attributes.items()
    )
    assert headers <= HEADER_BYTES


def test_usual_metadata_is_readable_in_s3():
    """What the service writes are headers by their own names, as the S3 console shows them."""
    metadata = {
        "owner": "anonymous",
        "sha256": "a" * 64,
        "accepted-at": "1795351956.1",
        "filename": "two%20cats.png",
    }
    assert attributes_of(metadata) == metadata


def test_the_nonce_does_not_show():
    """Whoever reads metadata sees no sign of how the object was put, unless he wrote the same word himself."""
    assert metadata_of({**attributes_of({"owner": "me"}), NONCE: "0f" * 12}) == {"owner": "me"}
    assert metadata_of({**attributes_of({NONCE: "mine"}), NONCE: "0f" * 12}) == {NONCE: "mine"}


@pytest.mark.parametrize("attributes", [{"packed": "=?"}, {"packed": ""}, {"packed": "a b"}])
def test_reads_what_others_wrote(attributes):
    """Somebody else's metadata under our names does no harm, and the object's own headers are none."""
    assert isinstance(metadata_of({**attributes, "Content-Type": "image/png", "owner": "x"}), dict)
    assert metadata_of({"Content-Type": "image/png", "Mtime": "1", "owner": "x"}) == {"owner": "x"}
