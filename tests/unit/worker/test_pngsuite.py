"""PngSuite: 161 files that cover the format, and 14 that break it, against OpenCV's libpng as an independent eye."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from iraas.errors import IraasError
from iraas.intake.inspect import inspect
from iraas.worker.decode import decode
from iraas.worker.png import careful_samples, fast_samples, is_plain


@pytest.fixture(scope="module")
def whole(pngsuite: Path) -> list[Path]:
    """The files that are whole."""
    return sorted(path for path in pngsuite.glob("*.png") if not path.name.startswith("x"))


def seen_by_libpng(data: bytes) -> np.ndarray:
    """float[h, w, 3] RGB, 0 to 255, alpha on white, computed at the file's full depth."""
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    full = np.iinfo(samples.dtype).max
    if samples.ndim == 2:
        alpha = np.ones((*samples.shape, 1))
        header = inspect(data)
        if header.transparency:  # OpenCV forgets a grey key
            key = int.from_bytes(header.transparency, "big")
            spread = 1 if header.bit_depth >= 8 else 255 // ((1 << header.bit_depth) - 1)
            alpha[samples == key * spread] = 0
        colours = np.repeat(samples[..., None] / full, 3, axis=2)
    else:
        alpha = samples[..., 3:] / full if samples.shape[2] == 4 else np.ones((*samples.shape[:2], 1))
        colours = samples[..., 2::-1] / full
    return 255 * (colours * alpha + 1 - alpha)


def test_every_whole_file_looks_as_it_should(whole):
    """All colour types, depths, interlacings and transparencies: 8 bits exactly, of 16 the upper 8."""
    assert len(whole) == 161
    for path in whole:
        data = path.read_bytes()
        expected = seen_by_libpng(data)
        side = min(expected.shape[:2])
        top, left = ((length - side + 1) // 2 for length in expected.shape[:2])
        error = decode(data, size=side, crop_margin=0) - expected[top : top + side, left : left + side]
        assert np.abs(error).max() <= (2 if inspect(data).bit_depth == 16 else 0.5), path.name


def test_both_roads_agree_on_every_plain_file(whole):
    """The fast road is never another picture than the careful one."""
    plain = [data for path in whole if is_plain(inspect(data := path.read_bytes()))]
    assert len(plain) > 30
    for data in plain:
        header = inspect(data)
        png = b"".join(data[start:end] for start, end in header.pixel_spans)
        np.testing.assert_array_equal(fast_samples(png, header), careful_samples(png, header))


def test_every_broken_file_is_refused(pngsuite):
    """Wrong signatures, sizes, depths, colour types and checksums, and missing pixels, each with a 4xx."""
    broken = sorted(pngsuite.glob("x*.png"))
    assert len(broken) == 14
    for path in broken:
        with pytest.raises(IraasError) as told:
            decode(path.read_bytes(), size=32)
        assert told.value.slug in {"undecodable-image", "unsupported-media-type"}, path.name
        assert told.value.detail
