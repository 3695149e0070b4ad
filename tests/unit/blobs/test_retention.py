"""What goes, when, and what never goes."""

import asyncio
import os

import pytest

from iraas.blobs.files import FileBlobs
from iraas.blobs.layout import path_of
from iraas.blobs.retention import ANSWERS_KEPT_S, Retention, Swept
from iraas.blobs.tally import footprint
from iraas.errors import BackendUnavailable, OutOfRoom

DAY = 86_400.0
HOUR = 3_600.0
NOW = 1_800_000_000.0
PICTURE = 9_000  # bytes
BLOCKS = footprint(PICTURE)


class Clock:
    """Wall time that a test sets."""

    boot_id = "test"
    now = NOW

    def time(self):
        """The wall time."""
        return self.now

    def boot(self):
        """Sweeps take no time."""
        return 0.0


class Stores:
    """Inputs and results, the retention over both, and other processes that put objects of any age there."""

    def __init__(self, folder, max_bytes):
        self.inputs = FileBlobs(folder / "inputs", inline=True, max_bytes=max_bytes)
        self.results = FileBlobs(folder / "results", inline=True)
        self.others = {
            self.inputs: FileBlobs(folder / "inputs", inline=True),
            self.results: FileBlobs(folder / "results", inline=True),
        }
        self.clock = Clock()
        self.pauses = 0
        self.paused = asyncio.Event()
        self.retention = Retention(
            self.inputs,
            self.results,
            clock=self.clock,
            inputs_days=7,
            answers_days=9,
            max_bytes=max_bytes,
            pause=self.pause,
        )

    async def pause(self):
        """Takes no time, and says that something was deleted."""
        self.pauses += 1
        self.paused.set()

    async def put(self, store, key, age, size=PICTURE):
        """An object that another process wrote `age` seconds ago."""
        await self.others[store].put(key, bytes(size))
        os.utime(store.root / path_of(key), (NOW - age, NOW - age))

    async def job(self, key, age, *, answered=True, size=PICTURE):
        """An input and, when `answered`, its answer without data."""
        await self.put(self.inputs, key, age, size)
        if answered:
            await self.put(self.results, key, age, 0)

    async def keys(self, prefix=""):
        """Keys of the inputs, and of the results below a prefix."""
        inputs = {info.key async for info in self.inputs.list()}
        return inputs, {info.key async for info in self.results.list(prefix)}

    async def close(self):
        """Close all of them."""
        for store in (*self.others.keys(), *self.others.values()):
            await store.close()


@pytest.fixture
async def stores(tmp_path):
    """Room for ten pictures with their answers."""
    stores = Stores(tmp_path, 10 * BLOCKS)
    yield stores
    await stores.close()


@pytest.fixture
async def roomy(tmp_path):
    """Room for all that these tests put."""
    stores = Stores(tmp_path, 10**9)
    yield stores
    await stores.close()


async def test_answered_inputs_go_after_their_days(roomy):
    """An answered input goes when it is older than seven days, and its answer stays."""
    await roomy.job("old", 7 * DAY + 1)
    await roomy.job("young", 7 * DAY - 1)

    assert await roomy.retention.sweep() == Swept(inputs=1, answers=0, bytes=BLOCKS)
    assert await roomy.keys() == ({"young"}, {"old", "young"})


async def test_an_unanswered_input_stays_however_old(roomy):
    """A job is owed an answer for as long as it takes; once it has one, the input goes."""
    await roomy.job("owed", 400 * DAY, answered=False)
    await roomy.retention.sweep()
    assert await roomy.keys() == ({"owed"}, set())

    await roomy.put(roomy.results, "owed", 0)
    await roomy.retention.sweep()
    assert await roomy.keys() == (set(), {"owed"})


async def test_half_an_answer_is_no_answer(roomy):
    """What a power loss left of an answer does not let the input go."""
    await roomy.job("torn", 8 * DAY)
    os.truncate(roomy.results.root / path_of("torn"), 2_048 - 1)
    await roomy.retention.sweep()
    assert (await roomy.keys())[0] == {"torn"}


async def test_answers_go_after_their_days(roomy):
    """An answer goes when it is older than nine days and its input is gone."""
    await roomy.put(roomy.results, "old", 9 * DAY + 1)
    await roomy.put(roomy.results, "young", 9 * DAY - 1)

    assert await roomy.retention.sweep() == Swept(inputs=0, answers=1, bytes=BLOCKS)
    assert await roomy.keys() == (set(), {"young"})


async def test_an_answer_outlives_its_input(roomy):
    """Whatever a clock has stamped on it: an input that lost its answer would be classified anew."""
    await roomy.put(roomy.inputs, "image", -HOUR)
    await roomy.put(roomy.results, "image", 30 * DAY)
    await roomy.retention.sweep()
    assert await roomy.keys() == ({"image"}, {"image"})


@pytest.mark.parametrize("prefix", ["dead-letters/", "superseded/"])
async def test_records_go_with_the_answers(roomy, prefix):
    """Dead letters and superseded failures are kept nine days, too."""
    await roomy.put(roomy.results, f"{prefix}old", 9 * DAY + 1)
    await roomy.put(roomy.results, f"{prefix}old/2", 9 * DAY + 1)
    await roomy.put(roomy.results, f"{prefix}young", 9 * DAY - 1)
    assert (await roomy.retention.sweep()).answers == 2
    assert await roomy.keys(prefix) == (set(), {f"{prefix}young"})


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_clock_that_jumps_an_hour_harms_nothing(stores, jump):
    """Fresh pictures, answered or not, and fresh answers outlive the jump, full store or not."""
    for n in range(3):
        await stores.job(f"done-{n}", 2 * HOUR + n)
        await stores.job(f"owed-{n}", 2 * HOUR, answered=False)
    stores.clock.now += jump
    assert await stores.retention.sweep() == Swept()


async def test_room_takes_the_oldest_answered_inputs(stores):
    """Beyond 95 % the oldest answered inputs go, down to 90 %, and never an unanswered one."""
    for n in range(4):
        await stores.job(f"owed-{n}", 9 * HOUR + n, answered=False)
        await stores.job(f"done-{n}", 4 * HOUR - n)  # done-0 is the oldest

    swept = await stores.retention.sweep()  # 8 pictures and 4 answers of a third: 28 of 30 blocks
    assert swept == Swept()

    await stores.job("one-more", HOUR)
    swept = await stores.retention.sweep()  # 32 of 30 blocks: to 27
    assert (swept.inputs, swept.answers) == (2, 0)
    inputs, results = await stores.keys()
    assert inputs == {*(f"owed-{n}" for n in range(4)), "done-2", "done-3", "one-more"}
    assert len(results) == 5


async def test_room_never_takes_an_unanswered_input(stores):
    """A store full of work to do refuses what comes, and keeps what it has."""
    for n in range(10):
        await stores.job(f"owed-{n}", 30 * DAY, answered=False)

    assert await stores.retention.sweep() == Swept()
    with pytest.raises(OutOfRoom):
        await stores.inputs.put("one-more", bytes(PICTURE))
    assert await stores.retention.make_room() == Swept()
    assert len((await stores.keys())[0]) == 10


async def test_answers_go_for_room_only_when_no_answered_input_is_left(stores):
    """Then the oldest go that had their hour; inputs that are owed one stay, and so do their places."""
    for n in range(3):
        await stores.job(f"owed-{n}", 9 * HOUR, answered=False)
    for n in range(7):
        await stores.put(stores.results, f"had-time-{n}", ANSWERS_KEPT_S + 9 - n)
    await stores.put(stores.results, "fresh", ANSWERS_KEPT_S - 9)
    await stores.job("done", 0)

    swept = await stores.retention.sweep()  # 9 * 3 + 4 * 3 + 1 = 37 of 30 blocks
    assert (swept.inputs, swept.answers) == (1, 3)
    inputs, results = await stores.keys()
    assert inputs == {"owed-0", "owed-1", "owed-2"}
    assert results == {"fresh", "done", *(f"had-time-{n}" for n in range(3, 7))}


async def test_makes_room_for_what_was_refused(stores):
    """A put that was refused far below 95 % finds its room after the next look."""
    for n in range(8):
        await stores.job(f"done-{n}", 9 - n)
    await stores.retention.sweep()
    with pytest.raises(OutOfRoom):
        await stores.inputs.put("large", bytes(5 * PICTURE))

    await stores.retention.make_room()
    assert not stores.inputs.tally.near_full.is_set()
    assert await stores.inputs.put("large", bytes(5 * PICTURE))


async def test_a_disk_smaller_than_the_limit_is_the_limit(stores, monkeypatch):
    """When the disk is full before the limit is reached, the oldest answered inputs make room as well."""
    for n in range(5):
        await stores.job(f"done-{n}", 9 - n)
    monkeypatch.setattr(stores.inputs._folder, "free_bytes", lambda: 0)

    swept = await stores.retention.sweep()  # all of 20 blocks are in use: to 18
    assert (swept.inputs, swept.answers) == (1, 0)
    assert "done-0" not in (await stores.keys())[0]


async def test_a_sweep_counts_what_it_did_not_see_come(stores):
    """Objects from before, and the answers that workers put, count after the first sweep."""
    for n in range(6):
        await stores.job(f"owed-{n}", 0, answered=False)
        await stores.put(stores.results, f"answer-{n}", 0, PICTURE // 3)
    assert stores.inputs.tally.used == 0

    await stores.retention.sweep()
    assert (stores.inputs.tally.here, stores.inputs.tally.elsewhere) == (6 * BLOCKS, 6 * footprint(3_000))
    with pytest.raises(OutOfRoom):
        await stores.inputs.put("one-more", bytes(PICTURE))


async def test_the_count_stays_right_while_a_sweep_deletes(roomy):
    """After a sweep the tally is what the disk holds: by a second count, the same."""
    for n in range(40):
        await roomy.job(f"old-{n}", 8 * DAY)
        await roomy.put(roomy.results, f"older-{n}", 10 * DAY)
        await roomy.job(f"young-{n}", DAY)
    await roomy.retention.sweep()
    tally = roomy.inputs.tally
    counted = tally.here, tally.elsewhere
    assert counted == (40 * BLOCKS, 80 * footprint(0))
    await roomy.retention.sweep()
    assert (tally.here, tally.elsewhere) == counted


async def test_deletes_in_small_steps(roomy):
    """Thousands of deletes in one go would slow the puts down: at most 32 go between two pauses."""
    gone = []
    delete_many = roomy.inputs.delete_many

    async def watched(keys):
        gone.append(len(keys))
        return await delete_many(keys)

    roomy.inputs.delete_many = watched
    for n in range(100):
        await roomy.job(f"image-{n}", 8 * DAY, size=0)
    await roomy.retention.sweep()
    assert sum(gone) == 100
    assert max(gone) <= 32
    assert roomy.pauses == len(gone)


async def test_an_answer_that_was_taken_back_saves_its_input(roomy):
    """A redrive between choosing and deleting: the input is asked about again, and stays."""
    for n in range(40):
        await roomy.job(f"image-{n}", 8 * DAY, size=0)
    taken_back = None
    pause = roomy.retention._pause

    async def redrive():
        nonlocal taken_back
        if taken_back is None:
            taken_back = min((await roomy.keys())[0])
            await roomy.results.delete(taken_back)
        await pause()

    roomy.retention._pause = redrive
    await roomy.retention.sweep()
    assert (await roomy.keys())[0] == {taken_back}


async def test_runs_at_once_and_ends_when_told(stores):
    """`run` sweeps at its start, then waits, and `stop` ends it in whatever it does."""
    await stores.job("old", 8 * DAY)
    stop = asyncio.Event()
    running = asyncio.create_task(stores.retention.run(stop))
    await stores.paused.wait()
    stop.set()
    await running
    assert (await stores.keys())[0] == set()


async def test_a_put_near_the_limit_makes_room_at_once(stores, monkeypatch):
    """Nobody waits for the next minute: the put itself calls for room."""
    for n in range(7):
        await stores.job(f"done-{n}", 9 - n)
    stop, looked = asyncio.Event(), asyncio.Event()
    free_bytes = stores.inputs._folder.free_bytes
    monkeypatch.setattr(stores.inputs._folder, "free_bytes", lambda: looked.set() or free_bytes())
    running = asyncio.create_task(stores.retention.run(stop, every=3_600))
    await looked.wait()
    assert not stores.paused.is_set()

    assert await stores.inputs.put("one-more", b"")  # 29 of 30 blocks
    await stores.paused.wait()

    stop.set()
    await running
    assert "done-0" not in (await stores.keys())[0]


async def test_an_outage_does_not_end_it(stores, monkeypatch):
    """While a store cannot be reached `run` says so and tries again."""
    failures = []
    present = stores.results.present

    async def fails_once(keys):
        if not failures:
            failures.append(1)
            raise BackendUnavailable("the disk is away")
        return await present(keys)

    monkeypatch.setattr(stores.results, "present", fails_once)
    await stores.job("old", 8 * DAY)
    stop = asyncio.Event()
    running = asyncio.create_task(stores.retention.run(stop, every=0))
    await stores.paused.wait()
    stop.set()
    await running
    assert (await stores.keys())[0] == set()
