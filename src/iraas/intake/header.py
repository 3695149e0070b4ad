"""What an image may be (`Limits`), and what its header says it is (`ImageHeader` and its three kinds)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from iraas.errors import TooManyPixels


class Limits(NamedTuple):
    """What an image may cost, decided before anything of it is decoded."""

    max_image_bytes: int = 10_000_000
    max_pixels: int = 25_000_000  # a 261 KB PNG can hold 89 million and cost 622 MB to decode
    max_side: int = 12_000  # pixels
    max_chunks_before_data: int = 4_096  # PNG chunks before the first IDAT, JPEG segments, WebP chunks
    max_chunks: int = 65_536  # PNG chunks in all

    def check_size(self, width: int, height: int) -> None:
        """Raises `TooManyPixels` for a picture of `width` x `height` pixels that is too big."""
        if width * height > self.max_pixels:
            raise TooManyPixels(
                f"the header says {width} x {height} pixels = {width * height:,}; at most {self.max_pixels:,}"
            )
        if max(width, height) > self.max_side:
            raise TooManyPixels(
                f"the header says {width} x {height} pixels; a side may have at most {self.max_side:,}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PngHeader:
    """A PNG's IHDR, and where the chunks lie that its pixels are made of."""

    format: Literal["png"] = "png"
    width: int
    height: int
    colour_type: int  # 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
    bit_depth: int  # of a sample, or of a palette index
    interlaced: bool
    animated: bool  # APNG: only its default image counts
    transparency: bytes | None  # tRNS: the samples that are transparent, or each palette entry's alpha
    pixel_spans: tuple[tuple[int, int], ...]  # byte ranges: the signature, and the chunks that pixels need


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegHeader:
    """A JPEG's frame header. Width and height are as stored, before its EXIF turns the picture upright."""

    format: Literal["jpeg"] = "jpeg"
    width: int
    height: int
    components: int  # 1 grey, 3 colour, 4 CMYK
    progressive: bool
    scans: int  # how often a decoder walks over the picture, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class WebpHeader:
    """A WebP's first chunk, and where an animation's first frame lies."""

    format: Literal["webp"] = "webp"
    width: int
    height: int
    flavour: Literal["VP8 ", "VP8L", "VP8X"]  # lossy, lossless, extended
    alpha: bool
    first_frame: tuple[int, int] | None  # byte range of the first ANMF chunk's data; None for a still


ImageHeader = PngHeader | JpegHeader | WebpHeader
