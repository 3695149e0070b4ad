"""JPEG and WebP, as OpenCV gives them and as we ask it to."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from iraas.errors import UndecodableImage
from iraas.intake.inspect import inspect
from iraas.testing.specimen import written_by_pillow
from iraas.worker.opencv import jpeg_samples, webp_samples


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(data: bytes, least_side: int = 10_000) -> np.ndarray:
    """float[h, w, 3] RGB."""
    return jpeg_samples(data, inspect(data), least_side=least_side)[..., ::-1].astype(float)


def webp(data: bytes) -> np.ndarray:
    """uint8[h, w, 3 or 4] RGB(A)."""
    picture = webp_samples(data, inspect(data))
    return picture[..., [2, 1, 0, 3][: picture.shape[2]]]


def corners() -> Image.Image:
    """Red above left, green above right, blue below left: 80 x 48."""
    image = Image.new("RGB", (80, 48), "white")
    for colour, place in (("red", (0, 0)), ("lime", (64, 0)), ("blue", (0, 32))):
        image.paste(colour, (*place, place[0] + 16, place[1] + 16))
    return image


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpegs_of_all_components(mode, progressive):
    """Colour, grey and CMYK become the colours that an independent decoder sees."""
    image = Image.open(io.BytesIO(written_by_pillow("JPEG", size=(160, 120)))).convert(mode)
    data = written(image, "JPEG", progressive=progressive)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.abs(jpeg(data) - expected).mean() < 2


ORIENTATIONS = {  # what EXIF says -> how the sensor saw it
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("least_side", [10_000, 24], ids=["whole", "reduced"])
def test_jpegs_stand_upright(orientation, least_side):
    """A phone stores what its sensor saw and says in EXIF how to turn it; people, and labels, want it turned."""
    how = ORIENTATIONS[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = corners() if how is None else corners().transpose(how)
    picture = jpeg(written(stored, "JPEG", quality=95, subsampling=0, exif=exif), least_side)
    height, width = picture.shape[:2]
    assert width > height
    for (down, across), colour in {(0, 0): (255, 0, 0), (0, -1): (0, 255, 0), (-1, 0): (0, 0, 255)}.items():
        assert np.abs(picture[down, across] - colour).max() < 60


@pytest.mark.parametrize(
    ("side", "least_side", "reduced"), [(1600, 200, 200), (1599, 200, 400), (800, 400, 400), (799, 400, 799)]
)
def test_large_jpegs_come_reduced_but_never_below_what_is_asked(side, least_side, reduced):
    """Reduced by 8, 4, 2 or not at all: the most that leaves the shorter side long enough."""
    data = written(Image.new("RGB", (side + 80, side), "teal"), "JPEG")
    assert min(jpeg(data, least_side).shape[:2]) == reduced


def test_a_reduced_jpeg_shows_the_same_picture():
    """Reducing in the frequency domain is an average over pixels, not a choice among them."""
    data = written_by_pillow("JPEG", size=(1600, 1600))
    reduced = jpeg(data, 200)
    averaged = cv2.resize(jpeg(data), (200, 200), interpolation=cv2.INTER_AREA)
    assert reduced.shape == averaged.shape
    assert np.abs(reduced - averaged).mean() < 1


def test_webps_keep_their_alpha():
    """A lossless WebP with alpha comes out sample by sample."""
    samples = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    data = written(Image.fromarray(samples), "WEBP", lossless=True, exact=True)
    np.testing.assert_array_equal(webp(data), samples)
    np.testing.assert_array_equal(
        webp(written(Image.fromarray(samples[..., :3]), "WEBP", lossless=True)), samples[..., :3]
    )


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("alpha", [True, False])
def test_of_an_animation_the_first_frame_counts(lossless, alpha):
    """An animated WebP is answered for its first frame, with and without alpha, and not for a mixture."""
    first = Image.new("RGBA", (64, 48), (200, 30, 90, 128 if alpha else 255))
    data = written(
        first, "WEBP", lossless=lossless, save_all=True, append_images=[Image.new("RGBA", (64, 48), "lime")]
    )
    assert inspect(data).first_frame
    picture = webp(data).astype(int)
    assert picture.shape == (48, 64, 4)
    assert np.abs(picture - [200, 30, 90, 128 if alpha else 255]).max() <= (0 if lossless else 6)


def test_a_frame_stands_where_its_canvas_has_it():
    """A first frame smaller than its canvas keeps its place, and around it nothing is seen."""
    still = written(Image.new("RGB", (10, 6), "red"), "WEBP", lossless=True)
    place = b"".join(value.to_bytes(3, "little") for value in (4 // 2, 8 // 2, 10 - 1, 6 - 1)) + bytes(4)
    frame = place + still[12:]
    body = (
        b"WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00"
        + b"".join(value.to_bytes(3, "little") for value in (40 - 1, 30 - 1))
        + b"ANIM\x06\x00\x00\x00"
        + bytes(6)
        + b"ANMF"
        + len(frame).to_bytes(4, "little")
        + frame
    )
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    expected = np.zeros((30, 40, 4), np.uint8)
    expected[8:14, 4:14] = [255, 0, 0, 255]
    np.testing.assert_array_equal(webp(data), expected)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_ends_within_its_pixels_is_refused(options):
    """A decoder that runs out of bytes says so; half a picture is no picture."""
    whole = written_by_pillow("JPEG", size=(320, 240), **options)
    header = inspect(whole)
    for end in (len(whole) - 2, len(whole) - 40, len(whole) // 2):
        with pytest.raises(UndecodableImage, match="JPEG is damaged or cut short"):
            jpeg_samples(whole[:end], header, least_side=10_000)


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_a_webp_with_destroyed_pixels_is_refused(options):
    """A frame that is whole around a bitstream that is not."""
    whole = written_by_pillow("WEBP", size=(320, 240), **options)
    with pytest.raises(UndecodableImage, match="WebP is damaged"):
        webp(whole[:40].ljust(len(whole), b"\x00"))


def test_an_error_of_opencv_is_a_damaged_picture(monkeypatch):
    """OpenCV says no in two ways: with nothing, and with an exception of its own."""

    def throw(*_: object) -> None:
        raise cv2.error("no")

    data = written_by_pillow("JPEG")
    monkeypatch.setattr(cv2, "imdecode", throw)
    with pytest.raises(UndecodableImage, match="JPEG is damaged"):
        jpeg(data)
