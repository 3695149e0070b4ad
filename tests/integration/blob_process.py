"""A process that uses a store of files: python blob_process.py WHAT FOLDER [NAME]. For the tests beside it."""

import asyncio
import os
import resource
import signal
import sys
import time
from pathlib import Path

from iraas.blobs.files import FileBlobs
from iraas.errors import IraasError

KEYS_RACED_FOR = 200


def data_of(key):
    """What belongs under a key: its size and every byte follow from its number."""
    number = int(key.rpartition("-")[2])
    return b"%8d" % number * (1 + number % 7 * 20_000)


def say(*words):
    """Tell the test, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def write(blobs):
    """Put objects for ever; say each when it is put."""
    number = 0
    while True:
        key = f"image-{number}"
        await blobs.put(key, data_of(key), metadata={"key": key}, if_absent=True)
        await blobs.put("the-same", data_of(key), metadata={"key": key})
        say(number)
        number += 1


async def die_writing(blobs):
    """Die when half of an object is written."""

    def writev(fd, parts):
        whole = b"".join(parts)
        os.write(fd, whole[: len(whole) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    os.writev = writev
    await blobs.put("image-3", data_of("image-3"), if_absent=True)


async def die_publishing(blobs):
    """Die between the last byte and the name."""
    os.link = lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL)
    await blobs.put("image-3", data_of("image-3"), if_absent=True)


async def race(blobs, name):
    """Try to be the first at every key, when told to go; say the keys that were won, and what others won."""
    say("ready")
    begin = float(sys.stdin.readline())
    while time.time() < begin:  # all at one moment, or the first would be done before the last is told
        pass
    for number in range(KEYS_RACED_FOR):
        os.sched_yield()
        key = f"image-{number}"
        won = await blobs.put(key, name.encode() * 10_000, if_absent=True)
        blob = await blobs.get(key)
        whole = len(blob.data) == 10_000 and len(set(blob.data)) == 1
        say(key, name if won else "-", blob.data[:1].decode() if whole else "HALF")


async def fill(blobs, most_bytes="0"):
    """Put objects until there is no room; say each, and what was said in the end."""
    if int(most_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), int(most_bytes)))
    try:
        for number in range(100):
            key = f"image-{number}"
            await blobs.put(key, data_of(key), if_absent=True)
            say(key)
    except IraasError as error:
        say(error.slug, error)


if __name__ == "__main__":
    _, what, folder, *rest = sys.argv
    asyncio.run(globals()[what](FileBlobs(Path(folder), inline=True), *rest))
