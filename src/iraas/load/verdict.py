"""name, label -> whether that is the picture's label: as a table says, else as the first answer said."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from iraas.errors import ConfigurationError

SHOWN = 10  # wrong answers that are kept for people


class Wrong(msgspec.Struct, frozen=True):
    """An answer that is not the picture's label."""

    file: str
    expected: str
    label: str


class Verdicts:
    """Judges answers, picture by picture.

    `expected` holds labels by the picture's path in its folder, by its file name, or by that without its ending, which
    is how classification results are often published. What it does not hold is judged by the first answer.
    """

    def __init__(self, names: Sequence[str], expected: Mapping[str, str]) -> None:
        self._names = names
        self._labels = [_expected(name, expected) for name in names]
        if expected and not any(label is not None for label in self._labels):
            raise ConfigurationError(
                f"--expect names none of the pictures; it has {next(iter(expected))!r}, the folder {names[0]!r}"
            )
        self.first_wrong: list[Wrong] = []

    def is_right(self, number: int, label: str) -> bool:
        """Whether picture `number` has this label."""
        expected = self._labels[number]
        if expected is None:
            self._labels[number] = expected = label
        if label != expected and len(self.first_wrong) < SHOWN:
            self.first_wrong.append(Wrong(self._names[number], expected, label))
        return label == expected


def read_labels(lines: Iterable[str]) -> dict[str, str]:
    """Rows of `file name,label`, with or without a header. Raises `ConfigurationError` with the line."""
    reader = csv.reader(lines, skipinitialspace=True)
    labels: dict[str, str] = {}
    try:
        for cells in reader:
            if not cells:
                continue
            if len(cells) != 2:
                raise ConfigurationError(
                    f"--expect: line {reader.line_num} has {len(cells)} values; give each a file name and a label, "
                    'quoted ("...") where it holds a comma'
                )
            labels[cells[0].removeprefix("\ufeff").strip()] = cells[1].strip()
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--expect: line {reader.line_num} is no CSV in UTF-8: {error}") from error
    if not labels:
        raise ConfigurationError("--expect holds no rows; give each line a file name and a label")
    return labels


def _expected(name: str, expected: Mapping[str, str]) -> str | None:
    path = PurePosixPath(name)
    return next((expected[key] for key in (name, path.name, path.stem) if key in expected), None)
