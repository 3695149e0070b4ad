"""locks, wheels, units, install.sh -> one tar that a bare Debian 12 can install without network.

The same content has the same name, so a release that is in the artifacts bucket is not sent there again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from iraas.deploy.locked import Architecture, Pin, lock_file, locked
from iraas.deploy.own_wheel import own_wheel
from iraas.deploy.wheels import gather
from iraas.errors import ConfigurationError

SCRATCH = ".building-"
KEPT = 3  # tars of an architecture, the newest ones
INSTALLER = "uv"  # comes along as a wheel, and is not installed

_FOLDER = Path(__file__).parent
_PROGRAMS = ("install.sh", "back-off.sh")

Progress = Callable[[float, str], None]  # done, of 1.0, and what comes next


class Release(NamedTuple):
    """What an instance installs."""

    path: Path
    sha256: str
    key: str  # in the artifacts bucket


def build_release(
    folder: Path, *, architecture: Architecture, on_progress: Progress = lambda _done, _now: None
) -> Release:
    """Build the release of this iraas for an architecture, which need not be this machine's.

    `folder` is a cache of ours: wheels stay in it, and the newest tars; one build at a time. The first takes as long
    as 150 MB take to arrive, the next some seconds. A build that is interrupted leaves no tar.
    Raises `ConfigurationError` or `BackendUnavailable` with a line that names the mend.
    """
    lock_file(architecture)
    pins = locked(architecture)
    with _alone_in(folder), TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
        on_progress(0.0, "iraas itself")
        own = own_wheel(Path(scratch))
        wheels = gather(
            folder / "wheels" / architecture,
            pins,
            architecture,
            lambda there, name: on_progress(there / len(pins), name),
            scratch=Path(scratch),
        )
        on_progress(1.0, "the tar")
        files = _files(pins, [*wheels, own], Path(scratch))
        release = _written(files, _version(own), architecture, Path(scratch), folder)
    for old in _older(folder, architecture):
        old.unlink()
    return release


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}: releases are built there") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(f"{SCRATCH}*"):  # by a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield


def _files(pins: Sequence[Pin], wheels: Sequence[Path], scratch: Path) -> dict[str, Path]:
    """What is in the tar, by its name there."""
    requirements = scratch / "requirements.txt"
    own = wheels[-1]
    lines = [pin.text for pin in pins if pin.name != INSTALLER]
    lines.append(f"iraas=={_version(own)} --hash=sha256:{_sha256(own)}\n")
    requirements.write_text("".join(lines))
    return {
        **{name: _FOLDER / name for name in _PROGRAMS},
        "requirements.txt": requirements,
        **{f"units/{unit.name}": unit for unit in (_FOLDER / "units").glob("iraas*")},
        **{f"wheels/{wheel.name}": wheel for wheel in wheels},
    }


def _written(files: dict[str, Path], version: str, architecture: str, scratch: Path, folder: Path) -> Release:
    manifest = scratch / "manifest.json"
    content = {
        "iraas": version,
        "architecture": architecture,
        "files": {name: _sha256(path) for name, path in sorted(files.items())},
    }
    manifest.write_text(json.dumps(content, indent=1) + "\n")
    name = f"iraas-{version}-{architecture}-{_sha256(manifest)[:12]}.tar"
    half_made = scratch / name
    with tarfile.open(half_made, "w", format=tarfile.GNU_FORMAT) as tar:
        for member, path in sorted({**files, "manifest.json": manifest}.items()):
            _add(tar, member, path)
    path = half_made.replace(folder / name)
    return Release(path, _sha256(path), f"releases/{name}")


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    """Nothing of this machine goes in: no times, owners or modes."""
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o755 if name.endswith(".sh") else 0o644
    entry.uname = entry.gname = "root"
    with path.open("rb") as file:
        tar.addfile(entry, file)


def _older(folder: Path, architecture: str) -> list[Path]:
    tars = sorted(folder.glob(f"iraas-*-{architecture}-*.tar"), key=lambda tar: tar.stat().st_mtime)
    return tars[:-KEPT]


def _version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
