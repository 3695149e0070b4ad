"""what GET /metrics gave, prices -> what a million pictures cost on AWS, as a table.

    python -m tools.price web.txt worker-1.txt worker-2.txt --core-ms 12
    python -m tools.price --counts pictures=1000 --counts PutObject=2000 --counts SendMessageBatch=230 --json

Files are of all web processes and workers, over the same time. Not counted: free tiers, discounts, a balancer,
and traffic to the internet.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.console import Console
from rich.table import Table

from iraas.deploy.bill import PRICES, Prices, Row, Usage, WrongInput, price, read_prices

WIDTH = 110  # characters of a table at most


def read_metrics(texts: Iterable[str]) -> tuple[Counter[str], int]:
    """Prometheus' text of several processes -> requests by operation, and pictures. Raises `WrongInput`."""
    requests: Counter[str] = Counter()
    pictures = 0
    try:
        for sample in (
            s for text in texts for family in text_string_to_metric_families(text) for s in family.samples
        ):
            if sample.name == "iraas_aws_requests_total":
                requests[sample.labels["operation"]] += int(sample.value)
            elif sample.name == "iraas_jobs_total":
                pictures += int(sample.value)
    except (ValueError, KeyError) as error:
        raise WrongInput(f"this is not what GET /metrics gives: {error}") from error
    return requests, pictures


def read_counts(items: Sequence[str]) -> tuple[Counter[str], int]:
    """`KEY=N`, KEY an operation or `pictures` -> the same. Raises `WrongInput`."""
    counts: Counter[str] = Counter()
    for item in items:
        key, _, number = item.partition("=")
        if not key or not number.isdecimal():
            raise WrongInput(f"{item!r} is no count; say PutObject=2000, or pictures=1000")
        counts[key] += int(number)
    pictures = counts.pop("pictures", 0)
    return counts, pictures


def as_table(rows: Sequence[Row], prices: Prices) -> str:
    """The bill in Markdown, which people can read as well."""
    table = Table(box=box.MARKDOWN)
    table.add_column("A million pictures")
    table.add_column("how much", justify="right")
    table.add_column(f"{prices.currency}, {prices.region}, {prices.date}", justify="right")
    for row in rows:
        table.add_row(row.what, f"{row.amount:,.2f} {row.unit}", f"{row.cost:,.2f}")
    table.add_row("Together", "", f"{math.fsum(row.cost for row in rows):,.2f}")
    console = Console(width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().strip().splitlines())


def as_json(rows: Sequence[Row], prices: Prices) -> str:
    """The bill for programs."""
    bill = {
        "currency": prices.currency,
        "date": prices.date,
        "region": prices.region,
        "rows": [row._asdict() for row in rows],
        "total": math.fsum(row.cost for row in rows),
    }
    return msgspec.json.format(msgspec.json.encode(bill)).decode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, price, print. 0, or 2 for what cannot be used."""
    told = _parser().parse_args(arguments)
    try:
        requests, pictures = read_metrics([_text(path) for path in told.metrics])
        more_requests, more_pictures = read_counts(told.counts)
        usage = Usage(
            requests + more_requests,
            pictures + more_pictures,
            **{name: getattr(told, name) for name in Usage._field_defaults},
        )
        prices = read_prices(told.prices)
        rows = price(usage, prices)
    except WrongInput as error:
        print(f"price: {error}", file=sys.stderr)
        return 2
    print(as_json(rows, prices) if told.json else as_table(rows, prices))
    return 0


def _parser() -> argparse.ArgumentParser:
    told = Usage._field_defaults
    parser = argparse.ArgumentParser(prog="price", description="What a million pictures cost on AWS.")
    parser.add_argument("metrics", nargs="*", type=Path, help="what GET /metrics gave, of each process")
    parser.add_argument(
        "--counts", action="append", default=[], metavar="KEY=N", help="pictures, or an operation"
    )
    parser.add_argument("--prices", type=Path, default=PRICES, help="[default: %(default)s]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    for name, help_text in {
        "picture_bytes": "bytes of a picture",
        "answer_bytes": "bytes of an answer",
        "input_days": "days that pictures are kept",
        "answer_days": "days that answers are kept",
        "core_ms": "CPU milliseconds of both tiers for a picture",
        "busy": "share of its time that a vCPU computes, up to 1",
    }.items():
        kind = _share if name == "busy" else _amount
        flag = "--" + name.replace("_", "-")
        parser.add_argument(
            flag, type=kind, default=told[name], metavar="N", help=f"{help_text} [default: {told[name]}]"
        )
    return parser


def _amount(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no amount")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; say 0.5 for half of the time")
    return number


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{path} cannot be read: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
