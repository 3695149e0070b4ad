"""Objects as files: what the contract does not say."""

import errno
import fcntl
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from iraas.blobs.files import FileBlobs
from iraas.blobs.header import HEADER_BYTES
from iraas.blobs.layout import parent_of, path_of
from iraas.blobs.tally import footprint
from iraas.errors import BackendUnavailable, OutOfRoom

NOBODY = 2**22 + 1  # above the kernel's largest process id


@pytest.fixture
async def blobs(tmp_path):
    """A store that works in this thread."""
    blobs = FileBlobs(tmp_path / "inputs", inline=True)
    yield blobs
    await blobs.close()


def files(blobs):
    """Every file below a store's folder."""
    return sorted(str(path.relative_to(blobs.root)) for path in blobs.root.rglob("*") if path.is_file())


def tear(blobs, key, length):
    """Leave of an object what a power loss may leave."""
    os.truncate(blobs.root / path_of(key), length)


async def test_nobody_else_on_the_machine_can_read_it(blobs):
    """Folders are 0700 and files 0600."""
    await blobs.put("dead-letters/image", b"private")
    for path in (blobs.root, *blobs.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_leaves_one_file_an_object(blobs):
    """Neither wins nor losses nor refusals leave a draft."""
    await blobs.put("image", b"first", if_absent=True)
    await blobs.put("image", b"second", if_absent=True)
    await blobs.put("image", b"third")
    with pytest.raises(ValueError, match="is not a key"):
        await blobs.put("../image", b"")
    assert files(blobs) == [path_of("image")]


async def test_takes_a_view_without_copying_it_first(blobs):
    """A memoryview is as good as bytes."""
    await blobs.put("image", memoryview(b"..meow..")[2:6])
    assert (await blobs.get("image")).data == b"meow"


async def test_makes_a_folder_once(blobs, monkeypatch):
    """Only the first object of a shard, and the first draft of a folder, make one."""
    for _ in range(64):
        await blobs.put("image", b"")
    monkeypatch.setattr(os, "mkdir", None)
    await blobs.put("image", b"", if_absent=True)
    await blobs.put("image", b"")


async def test_works_in_a_thread_of_its_own_or_in_the_callers(tmp_path, monkeypatch):
    """A web process never waits for the disk in its event loop; a worker saves the hop."""
    threads = []
    writev = os.writev
    monkeypatch.setattr(os, "writev", lambda *a: threads.append(threading.current_thread()) or writev(*a))

    for inline in (True, False):
        blobs = FileBlobs(tmp_path, inline=inline)
        await blobs.put("image", b"")
        await blobs.put("image", b"")
        await blobs.close()

    here, also_here, there, also_there = threads
    assert here is also_here is threading.current_thread()
    assert there is also_there is not here


async def test_a_new_working_directory_changes_nothing(tmp_path, monkeypatch):
    """A relative folder is the one it was at the start."""
    monkeypatch.chdir(tmp_path)
    blobs = FileBlobs(tmp_path.relative_to(tmp_path) / "inputs", inline=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    await blobs.put("image", b"meow")
    assert [info.key async for info in blobs.list()] == ["image"]
    await blobs.close()


@pytest.mark.parametrize("length", [0, 1_000, HEADER_BYTES, HEADER_BYTES + 3])
async def test_half_an_object_is_none(blobs, length):
    """What a power loss left of an object is neither read nor counted as an answer."""
    await blobs.put("answer", b"done")
    tear(blobs, "answer", length)

    assert await blobs.get("answer") is None
    assert await blobs.head("answer") is None
    assert await blobs.present(["answer"]) == set()


async def test_half_an_object_does_not_win(blobs):
    """What a power loss left gives way to the next put if absent, and then somebody has won."""
    await blobs.put("answer", b"done")
    tear(blobs, "answer", HEADER_BYTES)

    assert await blobs.put("answer", b"again", if_absent=True)
    assert not await blobs.put("answer", b"late", if_absent=True)
    assert (await blobs.get("answer")).data == b"again"


async def test_power_brings_file_and_names_to_the_disk_before_it_returns(tmp_path, monkeypatch):
    """With `power`, a put syncs the file before it has its name, then every folder whose names changed."""
    synced = []
    fsync, link = os.fsync, os.link
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())) or fsync(fd)
    )
    monkeypatch.setattr(os, "link", lambda *a, **k: synced.append("link") or link(*a, **k))
    blobs = FileBlobs(tmp_path, durability="power", inline=True)
    shard = str(tmp_path / parent_of(path_of("image")))

    await blobs.put("image", b"first", if_absent=True)
    [draft, tried, *folders, linked, last] = synced
    assert draft.startswith(str(tmp_path / "~new"))
    assert (tried, set(folders), linked, last) == ("link", {str(tmp_path)}, "link", shard)

    synced.clear()
    assert not await blobs.put("image", b"second", if_absent=True)
    assert synced[1:] == ["link", shard], "the loser must not tell of an answer that may still be lost"
    await blobs.close()


async def test_process_never_waits_for_the_disk(blobs, monkeypatch):
    """Without `power`, nothing is synced."""
    monkeypatch.setattr(os, "fsync", None)
    assert await blobs.put("image", b"", if_absent=True)
    assert await blobs.put("image", b"")


async def test_drafts_of_the_dead_are_cleared_away(tmp_path):
    """Opening a store removes what a crashed process was writing, and nothing of the living."""
    await FileBlobs(tmp_path, inline=True).close()
    names = {"dead": f"{NOBODY}-ab-0", "ours": f"{os.getpid()}-ab-0", "init": "1-ab-0", "other": "README"}
    (tmp_path / "~new" / "3f").mkdir()
    for name in names.values():
        (tmp_path / "~new" / "3f" / name).write_bytes(b"half")

    await FileBlobs(tmp_path, inline=True).close()

    assert {path.name for path in (tmp_path / "~new" / "3f").iterdir()} == {*names.values()} - {names["dead"]}


async def test_drafts_are_not_listed(blobs):
    """What is being written is nobody's yet."""
    (blobs.root / "~new" / "3f").mkdir()
    (blobs.root / "~new" / "3f" / f"{os.getpid()}-ab-0").write_bytes(b"x" * 3_000)
    assert [info async for info in blobs.list()] == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
async def test_a_full_disk_is_out_of_room(blobs, monkeypatch, code):
    """A disk, a quota or a file at its limit is `out-of-room`; nothing is left, and room is called for."""

    def writev(fd, parts):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "writev", writev)
    with pytest.raises(OutOfRoom, match=f"{blobs.root}: {os.strerror(code)}"):
        await blobs.put("image", b"meow", if_absent=True)

    assert files(blobs) == []
    assert blobs.tally.here == 0
    assert blobs.tally.refused == footprint(4)
    assert blobs.tally.near_full.is_set()


async def test_a_short_write_goes_on(blobs, monkeypatch):
    """A write that takes a part is followed by the rest, header included."""
    monkeypatch.setattr(os, "writev", lambda fd, parts: os.write(fd, parts[0][:1_000]))
    await blobs.put("image", memoryview(b"meow" * 1_000), metadata={"owner": "anonymous"})

    blob = await blobs.get("image")
    assert (blob.data, blob.info.metadata) == (b"meow" * 1_000, {"owner": "anonymous"})


async def test_a_folder_that_is_gone_is_unavailable_and_not_empty(blobs):
    """A removed folder is an outage in every method, named in words; it is not made anew behind one's back."""
    await blobs.put("image", b"meow")
    shutil.rmtree(blobs.root)

    for call in (blobs.get, blobs.head, lambda key: blobs.put(key, b""), lambda key: anext(blobs.list())):
        with pytest.raises(BackendUnavailable, match=str(blobs.root)):
            await call("image")
    assert not blobs.root.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    """A file where the folder should be is said at the start."""
    (tmp_path / "inputs").write_text("not a folder")
    with pytest.raises(BackendUnavailable, match="inputs cannot be reached"):
        FileBlobs(tmp_path / "inputs")


async def test_a_closed_store_touches_nothing(blobs):
    """Closing twice is fine, and no call reaches a descriptor that may be somebody else's by then."""
    await blobs.close()
    await blobs.close()
    with pytest.raises(BackendUnavailable):
        await blobs.put("image", b"")


async def test_the_limit_holds(tmp_path):
    """A put beyond `max_bytes` is refused before the disk is touched, and a delete makes room."""
    blobs = FileBlobs(tmp_path, inline=True, max_bytes=2 * footprint(9_000))
    await blobs.put("one", bytes(9_000))
    await blobs.put("two", bytes(9_000))
    with pytest.raises(OutOfRoom):
        await blobs.put("three", b"")
    assert len(files(blobs)) == 2

    await blobs.delete("one")
    assert await blobs.put("three", bytes(9_000))
    await blobs.close()


async def test_the_tally_follows_every_put_and_delete(blobs):
    """Overwriting counts the difference, losing counts nothing, and deleting gives back."""
    tally = blobs.tally
    await blobs.put("image", bytes(300_000))
    assert tally.here == footprint(300_000)
    await blobs.put("image", bytes(300_000), if_absent=True)
    assert tally.here == footprint(300_000)
    await blobs.put("image", b"tombstone")
    assert tally.here == footprint(9)
    await blobs.delete("image")
    await blobs.delete("image")
    assert tally.here == 0


async def test_present_and_delete_many_work_in_one_go(blobs):
    """Retention asks and deletes for many objects at a time."""
    for key in ("a", "b", "c"):
        await blobs.put(key, bytes(9_000))
    assert await blobs.present(["a", "c", "d"]) == {"a", "c"}
    assert await blobs.delete_many(["a", "c", "d"]) == 2 * footprint(9_000)
    assert await blobs.present(["a", "b", "c"]) == {"b"}
    with pytest.raises(ValueError, match="is not a key"):
        await blobs.delete_many(["b", "../b"])
    assert await blobs.present(["b"]) == {"b"}


async def test_a_list_lets_others_have_their_turn(blobs, monkeypatch):
    """However many objects there are, a few hundred are looked at before a put may go between."""
    looked_at = []
    scan = blobs._folder.scan
    monkeypatch.setattr(
        blobs._folder, "scan", lambda prefix: (looked_at.append(i) or i for i in scan(prefix))
    )
    for n in range(600):
        await blobs.put(f"image-{n}", b"")

    listing = blobs.list()
    await anext(listing)
    assert len(looked_at) <= 256
    assert len([info async for info in listing]) == 599


async def test_two_stores_of_one_process_never_share_a_draft(tmp_path, monkeypatch):
    """Each draft has a name of its own, so that two stores over one folder do not meet in it."""
    drafts = []
    link = os.link
    monkeypatch.setattr(os, "link", lambda draft, *a, **k: drafts.append(draft) or link(draft, *a, **k))
    for _ in range(2):
        blobs = FileBlobs(tmp_path, inline=True)
        await blobs.put("image", b"", if_absent=True)
        await blobs.put("other", b"", if_absent=True)
        await blobs.close()
    assert len(set(drafts)) == 4


async def test_drafts_take_turns_among_folders(blobs, monkeypatch):
    """So that files deleted a minute ago, which ext4 goes through, do not all lie where the next one is made."""
    drafts = []
    link = os.link
    monkeypatch.setattr(os, "link", lambda draft, *a, **k: drafts.append(draft) or link(draft, *a, **k))
    for n in range(128):
        await blobs.put(f"image-{n}", b"", if_absent=True)
    assert len({parent_of(draft) for draft in drafts}) == 64


async def test_file_systems_without_flags_do(tmp_path, monkeypatch):
    """Where a folder cannot be spread over the disk, it is used as it is."""

    def ioctl(*args):
        raise OSError(errno.ENOTTY, "not for this file system")

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    blobs = FileBlobs(tmp_path, inline=True)
    assert await blobs.put("image", b"")
    await blobs.close()


async def test_lists_in_the_order_of_rank(tmp_path):
    """Promise 5: two stores list what both have in one order, below every prefix, whoever wrote first."""
    one, other = FileBlobs(tmp_path / "one", inline=True), FileBlobs(tmp_path / "other", inline=True)
    names = [f"image-{n}" for n in range(700)]
    keys = [*names, *(f"dead-letters/{name}" for name in names), *(f"x/{n % 7}/{n}" for n in range(700))]
    for key in keys:
        await one.put(key, b"")
    for key in reversed(keys):
        await other.put(key, b"")

    for prefix in ("", "dead-letters/", "x/", "x/3/"):
        listed = [info.key async for info in one.list(prefix)]
        assert len(listed) in (100, 700)
        assert listed == sorted(listed, key=one.rank)
        assert listed == [info.key async for info in other.list(prefix)]
    await one.close()
    await other.close()


@pytest.mark.parametrize("length", [0, 1_000, HEADER_BYTES, HEADER_BYTES + 3])
async def test_half_an_object_is_not_listed(blobs, length):
    """A list shows what `head` shows: what a power loss tore is from before this boot, and is none."""
    await blobs.put("whole", b"done")
    await blobs.put("torn", b"done")
    tear(blobs, "torn", length)
    for key in ("whole", "torn"):
        os.utime(blobs.root / path_of(key), (1.0, 1.0))

    for _ in range(2):
        assert [info.key async for info in blobs.list()] == ["whole"]
    assert await blobs.put("torn", b"again", if_absent=True)
    assert {info.key async for info in blobs.list()} == {"whole", "torn"}


async def test_a_list_opens_no_file_twice(blobs, monkeypatch):
    """Headers are read of what may be torn, once; then a list costs what it always did."""
    for n in range(9):
        await blobs.put(f"image-{n}", b"")
    os.utime(blobs.root / path_of("image-3"), (1.0, 1.0))
    opened = []
    head = blobs._folder.head
    monkeypatch.setattr(blobs._folder, "head", lambda key: opened.append(key) or head(key))

    for _ in range(3):
        assert len([info async for info in blobs.list()]) == 9
    assert opened == ["image-3"]
