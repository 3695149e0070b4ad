"""bytes -> JpegHeader | Rejection. Walks the segments up to the first scan (ITU-T T.81, annex B)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from iraas.errors import TooManyPixels, UndecodableImage
from iraas.intake.header import JpegHeader, Limits

SIGNATURE = b"\xff\xd8\xff"

_SEGMENT = Struct(">BBH")  # 0xFF, marker, length (itself counted in)
_FRAME = Struct(">BHHB")  # precision, height, width, components
_FILL, _EOI, _SOS = 0xFF, 0xD9, 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0 to SOF15
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})

# Encoders write 3 to 14 scans. A decoder walks over the whole picture once a scan, so a small file can keep
# it busy for minutes (libjpeg-turbo.org, "Two Issues with the JPEG Standard").
MAX_SCANS = 500
MAX_DRAWN = 20  # times `max_pixels`: pixels over all scans


def jpeg_header(data: bytes | memoryview, limits: Limits) -> JpegHeader:
    """The header of a JPEG that has an end.

    Raises `UndecodableImage`, and `TooManyPixels` also for a picture that is drawn over and over.
    """
    frame: tuple[int, int, int, int] | None = None
    for marker, at, length in _segments(data, limits.max_chunks_before_data):
        if marker in _FRAMES:
            if frame:
                raise UndecodableImage("the JPEG is damaged: it has two frame headers")
            frame = (marker, *_frame(data, at, length, limits))
        elif marker == _SOS and frame:
            kind, width, height, components = frame
            progressive = kind in _PROGRESSIVE
            one_scan = not progressive and data[at + 4] == components
            header = JpegHeader(
                width=width,
                height=height,
                components=components,
                progressive=progressive,
                scans=_scans(bytes(data), at, one_scan=one_scan),
            )
            return _check_scans(header, limits)
        elif marker in (_SOS, _EOI):
            break
    raise UndecodableImage("the JPEG is damaged: it has no frame header before its pixels")


def _segments(data: bytes | memoryview, most: int) -> Iterator[tuple[int, int, int]]:
    """Marker, place and length of each segment; the length without the marker's two bytes."""
    at, size = 2, len(data)
    for _ in range(most):
        if at + 5 > size:
            raise UndecodableImage(f"the JPEG is cut short: it ends at byte {size:,}, before its pixels")
        prefix, marker, length = _SEGMENT.unpack_from(data, at)
        if prefix != _FILL:
            raise UndecodableImage(f"the JPEG is damaged: no segment begins at byte {at:,}")
        if marker == _FILL:
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif length < 2:
            raise UndecodableImage(f"the JPEG is damaged: the segment at byte {at:,} has no length")
        else:
            yield marker, at, length
            at += 2 + length
    raise UndecodableImage(f"the JPEG has more than {most:,} segments before its pixels")


def _frame(data: bytes | memoryview, at: int, length: int, limits: Limits) -> tuple[int, int, int]:
    """Width, height and components."""
    if length < 8 or at + 2 + length > len(data):
        raise UndecodableImage("the JPEG is cut short within its frame header")
    precision, height, width, components = _FRAME.unpack_from(data, at + 4)
    if precision != 8 or components not in (1, 3, 4):
        raise UndecodableImage(
            f"a JPEG of {components} components with {precision} bits is not supported; save it with 8 bits"
        )
    if not (width and height):
        raise UndecodableImage(f"the JPEG's header says {width} x {height} pixels")
    limits.check_size(width, height)
    return width, height, components


def _scans(data: bytes, at: int, *, one_scan: bool) -> int:
    """How many scans there are at most, from the first at `at`.

    In coded pixels 0xFF is followed by 0 or a restart marker, so these byte pairs stand for themselves.
    """
    if data.rfind(b"\xff\xd9", at) < 0:
        raise UndecodableImage("the JPEG is cut short: it has no end marker")
    return 1 if one_scan else data.count(b"\xff\xda", at)


def _check_scans(header: JpegHeader, limits: Limits) -> JpegHeader:
    drawn = header.scans * header.width * header.height
    if header.scans > 1 and (header.scans > MAX_SCANS or drawn > MAX_DRAWN * limits.max_pixels):
        raise TooManyPixels(
            f"the JPEG draws its {header.width} x {header.height} pixels {header.scans:,} times over; save it anew"
        )
    return header
