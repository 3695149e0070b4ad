"""What a store may be asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iraas.blobs.keys import (
    MAX_KEY_CHARACTERS,
    MAX_METADATA_BYTES,
    check_key,
    check_metadata,
    check_prefix,
)
from iraas.blobs.layout import key_of, parent_of, path_of, split_prefix

PARTS = st.text("abAB01._-", min_size=1, max_size=6).filter(lambda part: part not in {".", ".."})
KEYS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(st.text(max_size=40) | st.text(alphabet="./~+a\n\0", max_size=9))
def test_no_key_leads_out_of_its_store(key):
    """A text is refused, or its path goes down, and never names a draft or the store itself."""
    try:
        check_key(key)
    except ValueError:
        return
    parts = path_of(key).split("/")
    assert not {"", ".", "..", "~new"} & set(parts)
    assert len(parts) in {2, 3}


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(KEYS, KEYS)
def test_two_keys_never_meet(one, other):
    """Each key has a path of its own, and the path gives the key back."""
    check_key(one)
    assert (one == other) == (path_of(one) == path_of(other))
    folder, _ = split_prefix(one.rpartition("/")[0] + "/") if "/" in one else ("", "")
    assert key_of(folder, path_of(one).rpartition("/")[2]) == one


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(KEYS)
def test_a_file_is_never_where_a_folder_is(key):
    """No key's file stands where another key needs a folder."""
    assert path_of(key) not in {parent_of(path_of(f"{key}/x")), parent_of(parent_of(path_of(f"{key}/x")))}


def test_keys_are_spread_over_the_shards():
    """Ten thousand keys that differ in a digit fill every shard about alike."""
    shards = [parent_of(path_of(f"0198c6a4-0000-7000-8000-{n:012x}")) for n in range(10_240)]
    counts = [shards.count(shard) for shard in set(shards)]
    assert len(counts) == 256
    assert max(counts) < 100


def test_the_longest_key_is_a_file_name():
    """A key of the full length passes and makes a name that file systems take; one more is refused."""
    key = "a/" + "b" * (MAX_KEY_CHARACTERS - 2)
    check_key(key)
    assert len(path_of(key).rpartition("/")[2]) <= 255
    with pytest.raises(ValueError, match="200 characters at most"):
        check_key(key + "b")


@pytest.mark.parametrize("prefix", ["", "dead-letters/", "a/b/c/"])
def test_prefixes_end_with_a_slash(prefix):
    """The empty prefix and whole parts pass."""
    check_prefix(prefix)


def test_metadata_may_just_fill_its_room():
    """The last byte counts."""
    check_metadata({"name": "v" * (MAX_METADATA_BYTES - 6)})
    with pytest.raises(ValueError, match="metadata of 2001 bytes; 2000 are the most"):
        check_metadata({"name": "v" * (MAX_METADATA_BYTES - 5)})
