"""lines of CSV -> rows of a trace: seconds since the first row, and how many pictures; pure."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain

TOLERANCE_SECONDS = 1.0  # by which a row may be older than one above it: processes that log side by side
LONGEST_SECONDS = 366 * 86_400.0
MOST_A_SECOND = 10_000_000  # the pictures of one second stand in memory together


class TraceRows:
    """Rows, read as they are asked for. Raises `ValueError` with the number of the line and the mend."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.counted = False  # whether rows say how many came in a second; known with the first row
        self._reader = csv.reader(lines)

    def __iter__(self) -> Iterator[tuple[float, int]]:
        found = (cells for cells in self._reader if cells and (cells[0] or any(cells)))
        try:
            if (first := next(found, None)) is None:
                return
            first[0] = first[0].removeprefix("\ufeff")  # spreadsheets put a byte-order mark there
            time_at, count_at = _columns(first)
            self.counted = count_at is not None
            yield from self._rows(found if _is_header(first) else chain([first], found), time_at, count_at)
        except csv.Error as error:
            raise ValueError(f"{self._line()} is no CSV: {error}") from error

    def _rows(
        self, found: Iterable[Sequence[str]], time_at: int, count_at: int | None
    ) -> Iterator[tuple[float, int]]:
        origin: float | None = None
        latest, size = 0.0, 1
        for cells in found:
            try:
                when = _seconds(cells[time_at])
                if count_at is not None:
                    size = _count(cells[count_at])
            except IndexError:
                raise ValueError(
                    f"{self._line()} has fewer columns than the header; give it a value for each"
                ) from None
            except ValueError as error:
                raise ValueError(f"{self._line()}: {error}") from None
            origin = when if origin is None else origin
            begin = when - origin
            if begin < 0 or not latest - TOLERANCE_SECONDS <= begin <= LONGEST_SECONDS:
                raise ValueError(f"{self._line()} {_misplaced(begin, latest)}")
            latest = max(latest, begin)
            yield begin, size

    def _line(self) -> str:
        return f"line {self._reader.line_num}"


def _misplaced(begin: float, latest: float) -> str:
    if begin < 0:
        return f"is {-begin:g} s before the first row; sort the rows by their time"
    if begin > LONGEST_SECONDS:
        return "is more than a year after the first row; give `time` in seconds, not milliseconds"
    back = latest - begin
    return f"goes back by {back:g} s, which is more than {TOLERANCE_SECONDS:g}; sort the rows by their time"


def _columns(first: Sequence[str]) -> tuple[int, int | None]:
    """Where the time and the count stand."""
    if not _is_header(first):
        if len(first) > 1:
            raise ValueError(
                "line 1 has several columns and no names for them; put a header like `time,count` above it"
            )
        return 0, None
    names = [cell.strip().lower() for cell in first]
    if "time" not in names:
        raise ValueError(
            f"line 1 names {', '.join(map(repr, names))} and no `time`; the header is `time` or `time,count`"
        )
    return names.index("time"), names.index("count") if "count" in names else None


def _is_header(cells: Sequence[str]) -> bool:
    try:
        _seconds(cells[0])
    except ValueError:
        return cells[0].strip().lower() not in ("nan", "inf", "-inf")
    return False


def _seconds(cell: str) -> float:
    try:
        when = float(cell)
    except ValueError:
        return _moment(cell.strip())
    if not math.isfinite(when):
        raise ValueError(f"time {cell!r} is no moment; give a number of seconds")
    return when


def _moment(cell: str) -> float:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(
            f"time {cell!r} is neither seconds nor a date; give it like 12.5 or 2026-04-27T06:40:00Z"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _count(cell: str) -> int:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not (0 <= value <= MOST_A_SECOND and value.is_integer()):
        raise ValueError(
            f"count {cell!r} is not how many pictures came in a second; give a whole number from 0 to {MOST_A_SECOND}"
        )
    return int(value)
