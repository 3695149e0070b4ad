"""PNG, PngHeader -> samples in RGB order, by the fast road or the careful road.

    8-bit grey, RGB, RGBA --kornia-rs--> samples        exact, in less than half of the others' time
    everything else       --Pillow-->    samples        and what Pillow gets wrong put right

Both see only the chunks that pixels are made of, and both refuse a wrong CRC and missing rows. Neither goes
on inflating behind the last row, as libpng does (and OpenCV with it): a file of 2 MB kept that busy for 10 s.
"""

from __future__ import annotations

from io import BytesIO
from struct import Struct
from typing import Any
from zlib import crc32

import cv2
import kornia_rs.io
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from iraas.errors import UndecodableImage
from iraas.intake.inspect import PngHeader
from iraas.worker.preprocess import Samples, over_white

_GREY, _RGB, _PALETTE, _RGBA = 0, 2, 3, 6  # PNG colour types
_PLAIN = {_GREY: "mono", _RGB: "rgb", _RGBA: "rgba"}  # in kornia-rs' words
_UNPACKED = {"1": "L", "LA": "RGBA"}  # Pillow's mode -> the mode in which its samples are taken out
_CHANNELS = {"RGB": (3,), "RGBA": (4,)}
_STRIP_ROWS = 256  # taken out of Pillow at a time, or 25 million pixels would stand in memory three times
_SAMPLE = Struct(">H")  # of tRNS
_WHITE: Any = (255, 255, 255, 0)


def png_samples(data: bytes | memoryview, header: PngHeader) -> Samples:
    """The samples of a PNG. Raises `UndecodableImage` for whatever is wrong with it."""
    png = b"".join(data[start:end] for start, end in header.pixel_spans)
    return fast_samples(png, header) if is_plain(header) else careful_samples(png, header)


def is_plain(header: PngHeader) -> bool:
    """Whether the fast road gives this picture's samples exactly."""
    whole_bytes = header.bit_depth == 8 and header.colour_type in _PLAIN
    return whole_bytes and not header.interlaced and header.transparency is None


def fast_samples(png: bytes, header: PngHeader) -> Samples:
    """The fast road, for a PNG that `is_plain`. It looks at each CRC, and not at the Adler-32 within."""
    size = (header.height, header.width)
    try:
        picture: Samples = kornia_rs.io.decode_image_png_u8(png, size, _PLAIN[header.colour_type])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in Rust arrives as a BaseException
        raise UndecodableImage("the PNG is damaged: its pixels cannot be read") from error
    return picture.reshape(size) if header.colour_type == _GREY else picture


def careful_samples(png: bytes, header: PngHeader) -> Samples:
    """The careful road, for any PNG without ancillary chunks. Of 16 bits the upper 8 remain."""
    _check_crcs(png)
    if header.colour_type == _PALETTE:
        return _painted(_load(png), header.transparency or b"")
    picture = _array(_load(png))
    hidden = None if header.transparency is None else _hidden(picture, png, header)
    if picture.dtype == np.uint16:  # 16-bit grey; of other colours Pillow itself keeps the upper byte
        picture = (picture >> 8).astype(np.uint8)
    if hidden is not None:
        cv2.add(picture, _WHITE, dst=picture, mask=hidden)
    return picture


def _check_crcs(png: bytes) -> None:
    """Pillow passes over the CRCs of the pixels."""
    at = 8
    while at < len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        if crc32(png[at + 4 : end]) != int.from_bytes(png[end : end + 4], "big"):
            name = png[at + 4 : at + 8].decode()
            raise UndecodableImage(f"the PNG is damaged: the checksum of an {name} chunk is wrong")
        at = end + 4


def _load(png: bytes, *, samples_as: str | None = None) -> PngImageFile:
    """A loaded picture; `samples_as` names how to unpack samples, where that is not to be Pillow's choice.

    `Image.open` is passed by: it guesses formats, and has a limit on pixels that is not ours.
    """
    try:
        image = PngImageFile(BytesIO(png))
        if samples_as:
            image.tile = [tile._replace(args=samples_as) for tile in image.tile]
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # seven kinds are known to leave Pillow on damaged files
        raise UndecodableImage("the PNG is damaged: its pixels cannot be read") from error
    return image


def _array(image: PngImageFile) -> NDArray[Any]:
    """uint8[h, w], uint8[h, w, 3 or 4], or uint16[h, w] for grey of 16 bits."""
    width, height = image.size
    mode = _UNPACKED.get(image.mode, image.mode)
    shape = (height, width, *_CHANNELS.get(mode, ()))
    picture: NDArray[Any] = np.empty(shape, np.uint16 if mode == "I;16" else np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        strip = image.crop((0, top, width, min(top + _STRIP_ROWS, height)))
        picture[top : top + _STRIP_ROWS] = np.asarray(strip if mode == image.mode else strip.convert(mode))
    return picture


def _painted(image: PngImageFile, alphas: bytes) -> Samples:
    """uint8[h, w, 3]: indices through their palette, which is laid on white first: 256 pixels instead of all.

    An index beyond the palette is black, as in libpng.
    """
    entries = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.zeros((1, 256, 4), np.uint8)
    palette[..., 3] = 255
    palette[0, : len(entries), :3] = entries
    palette[0, : len(alphas), 3] = np.frombuffer(alphas, np.uint8)
    indices = cv2.cvtColor(_array(image), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.LUT(indices, over_white(palette)), np.uint8)


def _hidden(picture: NDArray[Any], png: bytes, header: PngHeader) -> Any:
    """uint8[h, w]: 255 where the samples are those that tRNS declares transparent, at their full depth."""
    depth = header.bit_depth
    key = [sample & ((1 << depth) - 1) for (sample,) in _SAMPLE.iter_unpack(header.transparency or b"")]
    if header.colour_type == _GREY:
        spread = 255 // ((1 << depth) - 1) if depth < 8 else 1  # Pillow spreads 1, 2 and 4 bits over 8
        return _where(picture, key[0] * spread)
    if depth == 8:
        return _where(picture, *key)
    hidden = _where(picture, *(sample >> 8 for sample in key))
    if hidden.any():  # told that the upper bytes come last, Pillow keeps the lower ones
        lower_bytes = _array(_load(png, samples_as="RGB;16L"))
        cv2.bitwise_and(hidden, _where(lower_bytes, *(sample & 0xFF for sample in key)), dst=hidden)
    return hidden


def _where(picture: NDArray[Any], *samples: int) -> Any:
    same: Any = samples  # OpenCV's own types do not know that it takes a tuple for a colour
    return cv2.inRange(picture, same, same)
