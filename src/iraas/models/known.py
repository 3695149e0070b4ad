"""Photographs of which we know what they show: the proof that a model sees."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).with_name("known_pictures")  # cut by tools/cut_known_pictures.py


def known_pictures() -> dict[str, bytes]:
    """The WordNet id of what it shows -> a JPEG."""
    return {path.stem: path.read_bytes() for path in sorted(_FOLDER.glob("*.jpg"))}
