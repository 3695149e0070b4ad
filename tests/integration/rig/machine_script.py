"""KIND -> an instance of that kind that nobody ends: its processes on standard output, as soon as it runs.

Run as `python -m tests.integration.rig.machine_script KIND`, to be killed.
"""

from __future__ import annotations

import asyncio
import json
import sys

import psutil
from tests.integration.rig.machine_case import soon
from tests.rig.machines.choose import Choice
from tests.rig.metadata import InstanceMetadata

INSTANCE = "i-00000000000000009"
WAIT_SECONDS = 600.0
LEAST_PROCESSES = 3  # its keeper, its first one, and one that this started
# For a booted one; the others fail to start iraas with it, again and again.
DATA = "#!/bin/sh\nexec sleep 600\n"


async def main() -> None:
    """Launch, tell, wait."""
    machines = Choice(sys.argv[1], "").machines({})
    await machines.launch(INSTANCE, user_data=DATA, metadata=InstanceMetadata(instance_id=INSTANCE))
    mine = psutil.Process()
    await soon(
        lambda: len(mine.children(recursive=True)) >= LEAST_PROCESSES,
        lambda: machines.log(INSTANCE),
    )
    print(json.dumps([each.pid for each in mine.children(recursive=True)]), flush=True)  # noqa: T201
    await asyncio.sleep(WAIT_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
