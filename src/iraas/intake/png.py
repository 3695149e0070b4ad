"""bytes -> PngHeader | Rejection. Walks the chunks' frames and decompresses nothing.

Chunks are as in PNG, third edition (W3C, 2025), sections 5 and 11. Whatever stands behind IEND is not
looked at: a picture with a page of HTML behind it is the picture. Ancillary chunks other than tRNS change
no sample here (gamma and colour profiles are ignored) and lie outside `pixel_spans`, so that no decoder
ever inflates a hostile iCCP, zTXt or iTXt, and no APNG frame but the default image is seen.
"""

from __future__ import annotations

import struct
from zlib import crc32

from iraas.errors import TooManyChunks, UndecodableImage
from iraas.intake.header import Limits, PngHeader

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_FRAME = struct.Struct(">I4s")  # a chunk is length, type, `length` bytes of data, CRC
_FRAME_BYTES = 12
_IHDR = struct.Struct(">IIBBBBB")
_IHDR_END = 33  # signature, then IHDR with its 13 bytes of data
_LARGEST_SIDE = 2**31 - 1  # section 7.1
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type
_PALETTE = 3


def png_header(data: bytes | memoryview, limits: Limits) -> PngHeader:
    """The header of a PNG whose chunk structure is whole.

    Work is bounded by `limits.max_chunks`. Raises `UndecodableImage`, `TooManyPixels`, `TooManyChunks`.
    """
    width, height, bit_depth, colour_type, interlaced = _image_header(data)
    limits.check_size(width, height)

    small: dict[bytes, bytes] = {}  # PLTE and tRNS
    spans: list[tuple[int, int]] = []
    start = 0  # of the span that is being gathered
    at, size, data_bytes, animated = _IHDR_END, len(data), 0, False
    unpack = _FRAME.unpack_from
    try:
        for count in range(2, limits.max_chunks + 1):
            length, kind = unpack(data, at)
            end = at + _FRAME_BYTES + length
            if kind == b"IDAT":  # some encoders write dozens: this is the loop's short way round
                data_bytes += length
            elif kind == b"IEND":
                break
            elif _is_needed(kind, at, colour_type, before_data=not data_bytes):
                _keep(small, kind, data, at, end)
            else:
                animated = animated or kind == b"acTL"
                if start < at:
                    spans.append((start, at))
                start = end
            if not data_bytes and count > limits.max_chunks_before_data:
                raise TooManyChunks(f"more than {limits.max_chunks_before_data:,} chunks before the pixels")
            at = end
        else:
            raise TooManyChunks(f"more than {limits.max_chunks:,} chunks; save the picture anew")
    except struct.error:  # there was no room for another chunk
        end = at + _FRAME_BYTES
    if end > size:
        raise UndecodableImage(f"the PNG is cut short: it has {size:,} bytes, and chunks up to byte {end:,}")
    if not data_bytes:
        raise UndecodableImage("the PNG has no pixels: there is no IDAT chunk with data")
    spans.append((start, end))
    return PngHeader(
        width=width,
        height=height,
        colour_type=colour_type,
        bit_depth=bit_depth,
        interlaced=interlaced,
        animated=animated,
        transparency=_transparency(colour_type, small),
        pixel_spans=tuple(spans),
    )


def _image_header(data: bytes | memoryview) -> tuple[int, int, int, int, bool]:
    if len(data) < _IHDR_END:
        raise UndecodableImage(
            f"the PNG is cut short: it has {len(data)} bytes, and its header alone takes 33"
        )
    if data[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise UndecodableImage("the PNG does not begin with an IHDR chunk of 13 bytes")
    _check_crc("IHDR", data, 8, _IHDR_END)
    width, height, bit_depth, colour_type, compression, filtering, interlace = _IHDR.unpack_from(data, 16)
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise UndecodableImage(f"the PNG's header says {width} x {height} pixels, which no PNG can have")
    if bit_depth not in _DEPTHS.get(colour_type, ()):
        raise UndecodableImage(f"a PNG of colour type {colour_type} cannot have a bit depth of {bit_depth}")
    if compression or filtering or interlace > 1:
        raise UndecodableImage("the PNG's header names a compression, filter or interlace method that is not")
    return width, height, bit_depth, colour_type, bool(interlace)


def _is_needed(kind: bytes, at: int, colour_type: int, *, before_data: bool) -> bool:
    """Whether pixels depend on this chunk. Raises for what no decoder may pass over."""
    if kind == b"PLTE":
        return before_data and colour_type == _PALETTE  # elsewhere it is a suggestion
    if kind == b"tRNS":
        return before_data and colour_type in (0, 2, _PALETTE)
    if not kind.isalpha() or kind[0] < ord("a"):  # a capital: critical, so not to be skipped (section 5.4)
        raise UndecodableImage(
            f"the PNG is damaged: its chunk {kind!r} at byte {at:,} is unknown, or misplaced"
        )
    return False


def _keep(small: dict[bytes, bytes], kind: bytes, data: bytes | memoryview, at: int, end: int) -> None:
    name = kind.decode()
    if end > len(data):
        raise UndecodableImage(f"the PNG is cut short within its {name} chunk")
    if kind in small:
        raise UndecodableImage(f"the PNG is damaged: it has a second {name} chunk")
    _check_crc(name, data, at, end)  # decoders drop a damaged tRNS, and would show hidden pixels
    small[kind] = bytes(data[at + 8 : end - 4])


def _check_crc(name: str, data: bytes | memoryview, at: int, end: int) -> None:
    if crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise UndecodableImage(f"the PNG is damaged: the checksum of its {name} chunk is wrong")


def _transparency(colour_type: int, small: dict[bytes, bytes]) -> bytes | None:
    """What tRNS says, once it fits the colour type and the palette (section 11.3.1.1)."""
    palette, transparency = small.get(b"PLTE", b""), small.get(b"tRNS")
    entries, rest = divmod(len(palette), 3)
    if colour_type == _PALETTE and (rest or not 1 <= entries <= 256):
        raise UndecodableImage(f"the PNG is damaged: its palette has {len(palette)} bytes")
    if transparency is not None:
        right = {0: (2,), 2: (6,)}.get(colour_type, range(entries + 1))
        if len(transparency) not in right:
            raise UndecodableImage(f"the PNG is damaged: its tRNS chunk has {len(transparency)} bytes")
    return transparency
