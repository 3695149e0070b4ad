"""bytes -> WebpHeader | Rejection. Reads the RIFF frame and the first frame's header (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from struct import Struct

from iraas.errors import UndecodableImage
from iraas.intake.header import Limits, WebpHeader

_CHUNK = Struct("<4sI")  # type, length; data follows, padded to an even length
_FIRST_CHUNK = 12  # "RIFF", length, "WEBP"
_PICTURES, _FRAMES = (b"VP8 ", b"VP8L"), (b"ANMF",)
_ALPHA, _ANIMATION = 0x10, 0x02  # VP8X flags
_FRAME_HEADER = 16  # bytes of an ANMF payload before its chunks


def webp_header(data: bytes | memoryview, limits: Limits) -> WebpHeader:
    """The header of a WebP, still or animated. Raises `UndecodableImage`, `TooManyPixels`."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise UndecodableImage(f"the WebP is cut short: it says {end} bytes and has {len(data)}")
    kind, at, stop = next(_chunks(data, _FIRST_CHUNK, end), (b"", end, end))
    if kind == b"VP8X":
        return _extended(data, at, stop, end, limits)
    if kind not in _PICTURES:
        raise UndecodableImage("the WebP is damaged: it does not begin with a VP8, VP8L or VP8X chunk")
    width, height, alpha = _bitstream_size(data, kind, at, stop)
    limits.check_size(width, height)
    return WebpHeader(
        width=width,
        height=height,
        flavour="VP8L" if kind == b"VP8L" else "VP8 ",
        alpha=alpha,
        first_frame=None,
    )


def _extended(data: bytes | memoryview, at: int, stop: int, end: int, limits: Limits) -> WebpHeader:
    """VP8X: flags and the canvas; then look for the picture, or an animation's first frame."""
    if stop - at < 10:
        raise UndecodableImage("the WebP is damaged: its VP8X chunk is too short")
    flags, width, height = data[at], _three(data, at + 4) + 1, _three(data, at + 7) + 1
    limits.check_size(width, height)
    animated = bool(flags & _ANIMATION)
    sought = _FRAMES if animated else _PICTURES
    chunks = islice(_chunks(data, stop + (stop & 1), end), limits.max_chunks_before_data)
    kind, at, stop = next((chunk for chunk in chunks if chunk[0] in sought), (b"", end, end))
    if not kind:
        raise UndecodableImage("the WebP has no pixels among its first chunks")
    if animated:
        _check_frame(data, at, stop, width, height)
    elif _bitstream_size(data, kind, at, stop)[:2] != (width, height):
        raise UndecodableImage("the WebP is damaged: its canvas and its picture differ in size")
    return WebpHeader(
        width=width,
        height=height,
        flavour="VP8X",
        alpha=bool(flags & _ALPHA),
        first_frame=(at, stop) if animated else None,
    )


def _check_frame(data: bytes | memoryview, at: int, stop: int, width: int, height: int) -> None:
    """An animation's frame lies within the canvas, and its pixels within the frame."""
    if stop - at < _FRAME_HEADER:
        raise UndecodableImage("the WebP is damaged: its first frame is too short")
    left, top = 2 * _three(data, at), 2 * _three(data, at + 3)
    size = (_three(data, at + 6) + 1, _three(data, at + 9) + 1)
    if left + size[0] > width or top + size[1] > height:
        raise UndecodableImage("the WebP is damaged: its first frame reaches beyond the canvas")
    for kind, inner, inner_stop in _chunks(data, at + _FRAME_HEADER, stop):
        if kind in _PICTURES:
            if _bitstream_size(data, kind, inner, inner_stop)[:2] == size:
                return
            break
        if kind != b"ALPH":
            break
    raise UndecodableImage("the WebP is damaged: its first frame does not hold a picture of its own size")


def _bitstream_size(data: bytes | memoryview, kind: bytes, at: int, stop: int) -> tuple[int, int, bool]:
    """Width, height and whether there is alpha, of a VP8 (RFC 6386, 9.1) or VP8L bitstream."""
    if kind == b"VP8L":
        if stop - at < 5 or data[at] != 0x2F:
            raise UndecodableImage("the WebP is damaged: its VP8L picture has no header")
        bits = int.from_bytes(data[at + 1 : at + 5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if stop - at < 10 or data[at] & 1 or data[at + 3 : at + 6] != b"\x9d\x01\x2a":
        raise UndecodableImage("the WebP is damaged: its VP8 picture has no header")
    width, height = (int.from_bytes(data[at + n : at + n + 2], "little") & 0x3FFF for n in (6, 8))
    if not (width and height):
        raise UndecodableImage(f"the WebP's header says {width} x {height} pixels")
    return width, height, False


def _chunks(data: bytes | memoryview, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, first and last byte of each chunk's data. Raises `UndecodableImage` for one that is cut."""
    while at + 8 <= end:
        kind, length = _CHUNK.unpack_from(data, at)
        stop = at + 8 + length
        if stop > end:
            raise UndecodableImage(f"the WebP is cut short within the chunk at byte {at}")
        yield kind, at + 8, stop
        at = stop + (length & 1)


def _three(data: bytes | memoryview, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
