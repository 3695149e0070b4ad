"""inputs + results -> each picture once, with what either store has of it. Both lists are read once, side by side.

Two stores of a kind list in one order (promise 5 of `Blobs`), so that a picture's input and its answer come up
together: a million answered pictures cost no calls but those of the two lists, and no memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from iraas.blobs.abreast import abreast
from iraas.blobs.port import BlobInfo, Blobs
from iraas.messages import InputFacts, is_id

Pair = tuple[BlobInfo | None, BlobInfo | None]  # a picture's input and its record, where they are


async def pairs(inputs: Blobs, results: Blobs) -> AsyncIterator[Pair]:
    """Each picture that has an input, a record, or both. Keys that are no picture's id are passed over.

    Objects come and go meanwhile: a record that was written behind the reading is missing from its pair, and
    `look_again` finds it.
    """
    pictures, records = _of_pictures(inputs.list()), _of_pictures(results.list())
    picture, record = await anext(pictures, None), await anext(records, None)
    while picture is not None or record is not None:
        if picture is None or record is None or picture.key == record.key:
            pair = picture, record
        elif inputs.rank(picture.key) < results.rank(record.key):
            pair = picture, None
        else:
            pair = None, record
        yield pair
        if pair[0] is not None:
            picture = await anext(pictures, None)
        if pair[1] is not None:
            record = await anext(records, None)


async def look_again(inputs: Blobs, results: Blobs, picture: BlobInfo) -> Pair:
    """What there is of a listed picture now, with its metadata; nothing, when it is none of ours or gone."""
    record = await results.head(picture.key)
    if record is not None:
        return picture, record
    found = await inputs.head(picture.key)
    return found if found is not None and _is_ours(found) else None, None


async def unanswered(inputs: Blobs, results: Blobs, *, before: float) -> AsyncIterator[BlobInfo]:
    """The inputs that have no record, and were written `before` (wall time, seconds), with their metadata."""

    async def alone() -> AsyncIterator[BlobInfo]:
        async for picture, record in pairs(inputs, results):
            if picture is not None and record is None and picture.modified_at <= before:
                yield picture

    async def again(listed: BlobInfo) -> Pair:
        return await look_again(inputs, results, listed)

    async for picture, record in abreast(again, alone(), at_once=results.at_once):
        if picture is not None and record is None:
            yield picture


async def _of_pictures(listing: AsyncIterator[BlobInfo]) -> AsyncIterator[BlobInfo]:
    async for info in listing:
        if is_id(info.key):
            yield info


def _is_ours(found: BlobInfo) -> bool:
    try:
        InputFacts.of(found.metadata)
    except (KeyError, ValueError):  # somebody else's, under a key like ours
        return False
    return True
