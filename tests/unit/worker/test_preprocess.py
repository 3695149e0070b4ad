"""From samples to the square that a model takes."""

import cv2
import numpy as np
import pytest

from iraas.worker.preprocess import over_white, square


def filled(samples: np.ndarray, size: int, crop_margin: int = 32) -> np.ndarray:
    out = np.full((size, size, 3), 7, np.uint8)
    square(samples, crop_margin=crop_margin, out=out)
    return out


def coordinates(height: int, width: int) -> np.ndarray:
    """uint8[h, w, 3] whose pixels say where they are."""
    down, across = np.mgrid[:height, :width]
    return np.stack([down, across, np.full_like(down, 200)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "size", "margin", "top", "left", "side"),
    [
        (100, 100, 100, 0, 0, 0, 100),
        (100, 200, 100, 0, 0, 50, 100),
        (200, 100, 100, 0, 50, 0, 100),
        (136, 136, 120, 16, 8, 8, 120),  # 136 * 120 / 136
        (101, 100, 50, 50, 26, 25, 50),
    ],
)
def test_crops_the_middle(height, width, size, margin, top, left, side):
    """The crop has a side of min(w, h) * size / (size + margin), and lies in the middle."""
    picture = coordinates(height, width)
    expected = cv2.resize(picture[top : top + side, left : left + side], (size, size))
    np.testing.assert_array_equal(filled(picture, size, margin), expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 250), (250, 1), (2, 3)])
def test_any_shape_fills_the_square(shape):
    """A picture of one pixel, or of one row, is spread over the whole square."""
    assert (filled(np.full((*shape, 3), 90, np.uint8), 24) == 90).all()


@pytest.mark.parametrize("shrink", [0.5, 1.5, 2, 3, 10])
def test_averages_once_it_shrinks_beyond_two(shrink):
    """Up to a shrink of 2 INTER_LINEAR is as good and cheaper; beyond, only INTER_AREA sees every pixel."""
    size = 20
    side = int(size * shrink)
    picture = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    how = cv2.INTER_AREA if shrink > 2 else cv2.INTER_LINEAR
    np.testing.assert_array_equal(
        filled(picture, size, crop_margin=0), cv2.resize(picture, (size, size), interpolation=how)
    )


def test_fine_stripes_become_grey():
    """Black and white lines of one pixel end as grey, and not as a pattern that is not in the picture."""
    stripes = np.zeros((960, 960, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(filled(stripes, 100, crop_margin=0).astype(int) - 127.5).max() < 15


def test_grey_becomes_three_equal_channels():
    """A grey picture is resized as one channel and then spread."""
    grey = np.random.default_rng(0).integers(0, 256, (50, 60), np.uint8)
    out = filled(grey, 20)
    np.testing.assert_array_equal(out, filled(np.repeat(grey[..., None], 3, axis=2), 20))


def test_alpha_is_laid_on_white_before_anything_is_mixed():
    """A hidden colour never shines through, not even at the edges where resizing mixes pixels."""
    picture = np.zeros((40, 40, 4), np.uint8)
    picture[..., 0] = 255  # red, and hidden
    picture[:, 20:] = [0, 0, 255, 255]  # blue, and seen
    out = filled(picture, 15, crop_margin=0)
    assert (out[:, :7] == 255).all()
    assert (out[:, 8:] == [0, 0, 255]).all()
    assert (out[:, 7, 0] == out[:, 7, 1]).all()  # between white and blue there is no red


def test_every_alpha_over_every_shade_is_rounded_right():
    """All 65,536 pairs of shade and alpha are the nearest shade to shade * alpha + white * (1 - alpha)."""
    shade, alpha = np.mgrid[:256, :256]
    samples = np.stack([shade, shade, shade, alpha], axis=-1).astype(np.uint8)
    exact = (shade * alpha + 255 * (255 - alpha)) / 255
    np.testing.assert_array_equal(over_white(samples)[..., 1], np.rint(exact))


def test_pictures_of_many_strips_have_no_seams():
    """Compositing goes in strips of rows; their number shows nowhere."""
    samples = np.random.default_rng(0).integers(0, 256, (1000, 5, 4), np.uint8)
    whole = over_white(samples)
    np.testing.assert_array_equal(whole[700:703], over_white(samples[700:703]))
    assert over_white(whole) is whole
