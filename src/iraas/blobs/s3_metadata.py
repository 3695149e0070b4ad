"""Metadata of an object <-> what S3 keeps of it as `x-amz-meta-` headers.

As a rule each entry is a header of its own, as other tools expect it. A header loses what stands at its ends,
an empty one or one with `_` in its name may be dropped on the way, S3 decodes a value that reads like RFC 2047,
and all headers together may have 8 KB. Metadata that could suffer from any of this travels packed, in one header:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

NONCE = "put"  # marks one put, so that it knows its own object again; no caller sees it
_PACKED = "packed"
_EMPTY = '""'
_MOST_HEADERS = 24  # each takes 25 bytes more than its name, twice, and its value
# obstore sends these as headers without the prefix.
_NOT_OURS = frozenset(
    {
        NONCE,
        _PACKED,
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "storage-class",
    }
)
_NAME = re.compile(r"[a-z0-9_-]+")  # obstore writes its own names with capitals
_SPOILED = re.compile(r'\A[ "]|  |=\?| \Z')

# A number in base 92 is hardly longer than the text of 96 characters that it stands for: 2,000 bytes become
# 2,019, and S3 takes 2,048. There is neither a space nor a quote nor `=` in it.
_TEXT = "\n" + "".join(map(chr, range(0x20, 0x7F)))
_DIGITS = "".join(digit for digit in _TEXT[2:] if digit not in '"=')
_TEXT_VALUE = {character: value for value, character in enumerate(_TEXT)}
_DIGIT_VALUE = {digit: value for value, digit in enumerate(_DIGITS)}


def new_nonce() -> str:
    """16 characters that nobody else has."""
    return secrets.token_urlsafe(12)


def attributes_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """What is sent for metadata that was checked before."""
    if len(metadata) <= _MOST_HEADERS and not any(
        name in _NOT_OURS or "_" in name or _SPOILED.search(value) for name, value in metadata.items()
    ):
        return {name: value or _EMPTY for name, value in metadata.items()}
    return {_PACKED: _pack("\n".join(f"{name}={value}" for name, value in metadata.items()))}


def metadata_of(attributes: Mapping[str, str]) -> dict[str, str]:
    """The metadata that `attributes_of` sent; of other people's objects, what is there."""
    packed = attributes.get(_PACKED)
    if packed is not None and set(packed) <= _DIGIT_VALUE.keys():
        entries = (line.partition("=") for line in _unpack(packed).split("\n"))
        return {name: value for name, _, value in entries}
    return {
        name: "" if value == _EMPTY else value
        for name, value in attributes.items()
        if name != NONCE and _NAME.fullmatch(name)
    }


def _pack(text: str) -> str:
    number = 1  # so that what the text begins with counts
    for character in text:
        number = number * len(_TEXT) + _TEXT_VALUE[character]
    digits = []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def _unpack(packed: str) -> str:
    number = 0
    for digit in reversed(packed):
        number = number * len(_DIGITS) + _DIGIT_VALUE[digit]
    text = []
    while number > 1:
        number, value = divmod(number, len(_TEXT))
        text.append(_TEXT[value])
    return "".join(reversed(text))
