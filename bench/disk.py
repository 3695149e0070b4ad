"""What the kernel alone takes to write a picture to a new file: the floor of what durability costs here.

On a virtual machine whose host gives memory only when it is touched, each new page of the page cache is first
fetched from the host, on the writer's bill: 1 core-ms for 300 KB, where memory that is there already takes 0.1.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

FILES = 200
BYTES = 300_000


def new_file_core_ms(folder: Path) -> float:
    """CPU milliseconds for a new file of 300 KB; the mean of 200. They stay: deleting would slow what follows."""
    folder = folder / f"floor-{time.time_ns()}"
    folder.mkdir(parents=True)
    data = os.urandom(BYTES)
    begun = time.thread_time()
    for number in range(FILES):
        (folder / str(number)).write_bytes(data)
    return (time.thread_time() - begun) * 1000 / FILES
