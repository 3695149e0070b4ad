"""The store of files among real processes that race, are killed, and run out of disk."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.integration.blob_process import KEYS_RACED_FOR, data_of

from iraas.blobs.files import FileBlobs
from iraas.blobs.layout import path_of

PROCESS = Path(__file__).with_name("blob_process.py")


@contextmanager
def started(what, folder, *rest):
    """A child that talks through pipes, and is killed in the end."""
    command = [sys.executable, PROCESS, what, folder, *rest]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def run(what, folder, *rest):
    """A child until its end: what it said."""
    with started(what, folder, *rest) as child:
        return child.communicate()[0].splitlines()


async def contents(folder):
    """Every object of a folder, as the next process reads it: key -> data."""
    blobs = FileBlobs(folder, inline=True)
    found = {info.key: await blobs.get(info.key) for info in [info async for info in blobs.list()]}
    await blobs.close()
    return {key: blob and blob.data for key, blob in found.items()}


def drafts(folder):
    """The drafts that lie about in a folder."""
    return [path for path in (folder / "~new").rglob("*") if path.is_file()]


async def test_a_killed_writer_never_shows_half_an_object(tmp_path):
    """Promise 1 and 2: after kill -9 at any moment each object is whole, and what was acknowledged is there."""
    for round_number in range(5):
        folder = tmp_path / str(round_number)
        with started("write", folder) as child:
            acknowledged = [int(child.stdout.readline()) for _ in range(20 + round_number)]

        found = await contents(folder)
        replaced = found.pop("the-same")
        assert replaced in {data_of(f"image-{number}") for number in range(max(acknowledged) + 2)}
        assert {f"image-{number}" for number in acknowledged} <= found.keys()
        assert found == {key: data_of(key) for key in found}
        assert drafts(folder) == []


async def test_readers_never_see_half_of_a_replacement(tmp_path):
    """Promise 1: while another process replaces an object again and again, each read gets a whole one."""
    blobs = FileBlobs(tmp_path, inline=True)
    with started("write", tmp_path) as child:
        child.stdout.readline()
        seen = set()
        while len(seen) < 20:
            blob = await blobs.get("the-same")
            assert blob.data == data_of(blob.info.metadata["key"])
            seen.add(blob.info.metadata["key"])
    await blobs.close()


@pytest.mark.parametrize("moment", ["die_writing", "die_publishing"])
async def test_a_writer_that_dies_in_the_middle_leaves_nothing(tmp_path, moment):
    """Promise 1: no object, and the draft goes when the next process opens the store."""
    run(moment, tmp_path)

    assert len(drafts(tmp_path)) == 1
    assert await contents(tmp_path) == {}
    assert drafts(tmp_path) == []


@pytest.mark.parametrize("torn", [False, True], ids=["free keys", "keys that a power loss left torn"])
async def test_of_racing_processes_exactly_one_wins_each_key(tmp_path, torn):
    """Promise 3: six processes put if absent under the same keys; one wins each, and all read its bytes."""
    if torn:
        await FileBlobs(tmp_path, inline=True).close()
        for number in range(KEYS_RACED_FOR):
            path = tmp_path / path_of(f"image-{number}")
            path.parent.mkdir(exist_ok=True)
            path.touch()

    with ExitStack() as ends:
        children = [ends.enter_context(started("race", tmp_path, name)) for name in "abcdef"]
        assert [child.stdout.readline() for child in children] == ["ready\n"] * 6
        begin = time.time() + 0.3
        for child in children:
            child.stdin.write(f"{begin}\n")
            child.stdin.flush()
        lines = [line.split() for child in children for line in child.communicate()[0].splitlines()]

    winners = {key: name for key, name, _ in lines if name != "-"}
    assert len(winners) == KEYS_RACED_FOR == len([name for _, name, _ in lines if name != "-"])
    assert {(key, read) for key, _, read in lines} == set(winners.items())
    assert len(set(winners.values())) > 1, "one process was alone: nothing was raced for"


async def test_a_file_beyond_the_limit_is_out_of_room(tmp_path):
    """A real EFBIG in the middle of a write: `out-of-room`, and neither half an object nor a draft."""
    *put, said = run("fill", tmp_path, "500000")

    assert said.startswith(f"out-of-room no room for another object in {tmp_path}: File too large")
    assert await contents(tmp_path) == {key: data_of(key) for key in put}
    assert len(put) == 4  # the fifth has 640,008 bytes
    assert drafts(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of four megabytes; only root can have one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path], check=False).returncode:
        pytest.skip("this machine does not let root mount a small disk")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


async def test_a_full_disk_is_out_of_room(small_disk):
    """A real ENOSPC: `out-of-room`, neither half an object nor a draft, and what was there is there."""
    folder = small_disk / "inputs"
    *put, said = run("fill", folder)

    assert said.startswith(f"out-of-room no room for another object in {folder}: No space left on device")
    assert len(put) > 4
    assert await contents(folder) == {key: data_of(key) for key in put}
    assert drafts(folder) == []
