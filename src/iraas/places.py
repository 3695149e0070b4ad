"""Where the processes of one machine meet: folders and files by which they find each other."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from iraas.errors import ConfigurationError
from iraas.fleet.file import FleetFile
from iraas.settings import Settings


def runtime_folder(settings: Settings) -> Path:
    """A short folder for sockets and metrics, this user's only: a socket's path ends at 108 characters.

    Raises `ConfigurationError` when somebody else owns it.
    """
    name = hashlib.sha256(str(settings.data.absolute()).encode()).hexdigest()[:12]
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"iraas-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077 or folder.is_symlink():
        raise ConfigurationError(f"{folder} is not this user's alone; remove it, or set XDG_RUNTIME_DIR")
    return folder


def bells_folder(settings: Settings) -> Path:
    """Where the embedded queues hang their doorbells, and nothing else lies."""
    folder = runtime_folder(settings) / "bells"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def begun_note(settings: Settings, owner: str) -> Path:
    """Where the worker `owner` notes what it computes."""
    folder = settings.data / "begun"  # not among the sockets: somebody tidies up temporary folders
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / owner


def metrics_folder(settings: Settings) -> Path:
    """Where the processes of one machine leave their numbers."""
    return runtime_folder(settings) / "metrics"


def fleet_file(settings: Settings) -> FleetFile:
    """The fleet's state, in the data folder."""
    return FleetFile(settings.data / "fleet.json")
