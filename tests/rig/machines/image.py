"""A tree, a release ── its install.sh, in a root of its own ──> `.rig/image`, the layer that it adds to the tree.

What EC2 Image Builder makes of Debian's image: an instance that boots from it has nothing to install.
Run as `python -m tests.rig.machines.image`, as root; it does nothing where the image is that of the release.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from tests.rig.machines.booted import IMAGE, RIG, TREE
from tests.rig.machines.kept import Kept
from tests.rig.machines.order import Order, Root

RELEASE = RIG / "release.tar"  # tools/make_rig.sh makes it
INSTALL = """
set -eu
work=$(mktemp -d /var/tmp/release.XXXXXX)
tar -xf /run/release/{name} -C "$work"
"$work/install.sh" {sha256}
rm -rf "$work"
"""


async def make_image(*, tree: Path = TREE, release: Path = RELEASE, image: Path = IMAGE) -> Path:
    """The image with this release, made if need be: twenty seconds. Raises `RuntimeError` with what install.sh said."""
    sha256 = await asyncio.to_thread(_sha256, release)
    with await asyncio.to_thread(_lock, image.with_name(f"{image.name}.lock")):
        if release_of(image) != sha256:  # whoever comes second finds it made
            await _install(tree, release, image, sha256)
    return image


def _lock(place: Path) -> TextIO:
    lock = place.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
    return lock


def _sha256(release: Path) -> str:
    with release.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def release_of(image: Path) -> str:
    """SHA-256 of the release that an image has; empty for none."""
    marker = image / "opt/iraas/RELEASE"
    return marker.read_text().strip() if marker.exists() else ""


async def _install(tree: Path, release: Path, image: Path, sha256: str) -> None:
    fresh = image.with_name(f"{image.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="iraas-rig-image-") as name:
        folder = Path(name)
        room = folder / "room"
        room.mkdir()
        kept = Kept(
            Order(
                command=["/bin/sh", "-c", INSTALL.format(name=release.name, sha256=sha256)],
                environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
                output=folder / "output",
                sweep=folder,
                root=Root(
                    room=room,
                    lower=(tree,),
                    upper=fresh,
                    hostname="image",
                    hypervisor="ec2-image",
                    binds=((release.parent, "run/release"),),
                ),
            )
        )
        await kept.listening()
        await kept.started()
        await kept.gone.wait()
        if kept.status != 0:
            raise RuntimeError(
                f"install.sh ended with {kept.status}: {(folder / 'output').read_text()[-2000:]}"
            )
    shutil.rmtree(f"{fresh}.work", ignore_errors=True)
    shutil.rmtree(image, ignore_errors=True)
    fresh.rename(image)


if __name__ == "__main__":
    print(asyncio.run(make_image()))  # noqa: T201 - whoever runs this wants to know where it is
