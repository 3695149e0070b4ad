"""Where the bench reads photographs and leaves what it makes."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT.parent / "shared" / "photos"  # WNID_label.JPEG; data beside the checkout, for those who have it
OUT = ROOT / "bench" / "out"
DATA = OUT / "data"  # of the services under test
PICTURES = OUT / "pictures"  # what the generator and the bare loop are given

MOST_DATA_BYTES = 8_000_000_000  # beyond, the data is removed after a run
