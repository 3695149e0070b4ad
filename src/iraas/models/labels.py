"""labels.txt -> the labels of a model, one a line, in the order of its output."""

from __future__ import annotations

import re

from iraas.models.port import Label

_WITH_WNID = re.compile(r"(n\d{8}) (.+)")  # `n02124075 Egyptian cat`; without the id, the line is the name
_MEND = "give each class one line, in the order of the model's output"


def parse_labels(text: bytes) -> tuple[Label, ...]:
    """The bytes of labels.txt -> its labels. Raises `ValueError` that names the line."""
    try:
        lines = text.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8: save the file as UTF-8") from error
    if not lines:
        raise ValueError(f"it is empty: {_MEND}")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise ValueError(f"line {number} is empty: {_MEND}")
    return tuple(_label(line.strip()) for line in lines)


def _label(line: str) -> Label:
    match = _WITH_WNID.fullmatch(line)
    return Label(match[1], match[2].strip()) if match else Label("", line)
