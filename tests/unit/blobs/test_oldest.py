"""Which objects go first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from iraas.blobs.oldest import oldest, steps
from iraas.blobs.port import BlobInfo
from iraas.blobs.tally import footprint

BLOCK = footprint(0)


async def listing(infos):
    for info in infos:
        yield info


def info(key, modified_at, blocks=1):
    return BlobInfo(key, blocks * BLOCK - 2_048, modified_at, {})


async def everything(keys):
    return set(keys)


async def test_steps_lose_nothing():
    """A listing comes in steps of 256, the last one shorter, none empty."""
    infos = [info(str(n), n) for n in range(600)]
    taken = [step async for step in steps(listing(infos))]
    assert [len(step) for step in taken] == [256, 256, 88]
    assert [info for step in taken for info in step] == infos
    assert [step async for step in steps(listing([]))] == []


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(
    ages=st.lists(st.integers(0, 50), min_size=1, max_size=700),
    enough=st.integers(1, 800),
    most=st.integers(1, 400),
    before=st.integers(0, 60),
    stays=st.sets(st.integers(0, 50)),
)
async def test_chooses_as_sorting_would(ages, enough, most, before, stays):
    """The oldest that may go, as many as are enough, whatever the order of the listing."""
    infos = [info(f"{n:03}", age) for n, age in enumerate(ages)]
    may_go = [i for i in infos if i.modified_at < before and i.modified_at not in stays]
    allowed = {i.key for i in may_go}

    async def permit(keys):
        return set(keys) & allowed

    keys = await oldest(listing(infos), permit, before=before, enough=enough * BLOCK, most=most)

    assert [ages[int(key)] for key in keys] == sorted(i.modified_at for i in may_go)[: min(enough, most)]
    assert set(keys) <= allowed


async def test_counts_bytes_and_not_objects():
    """One large object is enough where four small ones would be."""
    infos = [info("young", 3), info("large", 1, blocks=4), info("old", 0)]
    keys = await oldest(listing(infos), everything, before=10, enough=5 * BLOCK, most=9)
    assert keys == ["old", "large"]


async def test_asks_only_about_what_it_would_take():
    """Permission costs a look at the disk: the young are not asked about once there is enough."""
    asked = []

    async def permit(keys):
        asked.extend(keys)
        return set(keys)

    infos = [info(str(n), n) for n in range(1_000)]
    await oldest(listing(infos), permit, before=10_000, enough=10 * BLOCK, most=99)
    assert asked == [str(n) for n in range(256)]
