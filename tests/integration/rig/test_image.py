"""The layer that has a release installed."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from tests.integration.rig.machine_case import left
from tests.rig.machines.booted import TREE, BootedMachines
from tests.rig.machines.choose import cannot_boot
from tests.rig.machines.image import make_image, release_of
from tests.rig.metadata import InstanceMetadata

ONE = "i-0123456789abcdef2"
INSTALL = """#!/bin/sh
set -e
mkdir -p /opt/iraas
id -u > /opt/iraas/installed-by
ip -o addr > /opt/iraas/network
echo "$1" > /opt/iraas/RELEASE
"""


def _release(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    release = folder / "release.tar"
    with tarfile.open(release, "w") as tar:
        entry = tarfile.TarInfo("install.sh")
        entry.size, entry.mode = len(script.encode()), 0o755
        tar.addfile(entry, io.BytesIO(script.encode()))
    return release


def _number(folder: Path) -> int:
    return folder.stat().st_ino


@pytest.fixture
async def image(tmp_path: Path) -> Path:
    """Where one may be made."""
    why_not = await cannot_boot()
    if why_not:
        pytest.skip(f"no instance can be booted here: {why_not}")
    return tmp_path / "image"


async def test_an_instance_boots_from_it(image: Path, tmp_path: Path) -> None:
    """What install.sh wrote, without a network, is in every instance of the image, and not in the tree."""
    release = _release(tmp_path / "releases", INSTALL)
    before = left()
    await make_image(release=release, image=image)

    assert left() == before
    assert release_of(image) == hashlib.sha256(release.read_bytes()).hexdigest()
    assert "127.0.0.1" in (image / "opt/iraas/network").read_text()
    assert "eth" not in (image / "opt/iraas/network").read_text()
    assert not (TREE / "opt/iraas").exists()
    machines = BootedMachines({}, lower=(image, TREE))
    await machines.launch(ONE, user_data="", metadata=InstanceMetadata(instance_id=ONE))
    inside = Path(f"/proc/{machines.first_process(ONE)}/root/opt/iraas")
    assert (inside / "RELEASE").read_text() == (image / "opt/iraas/RELEASE").read_text()
    await machines.close()


async def test_it_is_made_once_a_release(image: Path, tmp_path: Path) -> None:
    """The same release makes no second image; another one does."""
    release = _release(tmp_path / "releases", INSTALL)
    await make_image(release=release, image=image)
    made = _number(image)
    await make_image(release=release, image=image)
    assert _number(image) == made

    await make_image(release=_release(tmp_path / "releases", INSTALL + "# other\n"), image=image)
    assert _number(image) != made


async def test_a_release_that_does_not_install_is_no_image(image: Path, tmp_path: Path) -> None:
    """Where install.sh fails, what it said is raised, and the image that there was stays."""
    good = _release(tmp_path / "releases", INSTALL)
    await make_image(release=good, image=image)
    before = release_of(image)

    with pytest.raises(RuntimeError, match="no room"):
        await make_image(
            release=_release(tmp_path / "bad", "#!/bin/sh\necho no room >&2\nexit 3\n"), image=image
        )
    assert release_of(image) == before
