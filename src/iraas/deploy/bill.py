"""requests counted, pictures answered, prices -> the bill of a million pictures on AWS. Pure, but for its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

PRICES = Path(__file__).with_name("prices.toml")
PICTURES = 1_000_000  # that are priced
JOB_BYTES = 160  # of a job's message
GB = 2**30  # bytes, as S3 bills them
MONTH_DAYS = 365 / 12

_Amount = Annotated[float, msgspec.Meta(ge=0)]
_AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class WrongInput(ValueError):
    """Counts or prices that cannot be used; in words."""


class Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Operations of one price."""

    name: str
    price: _Amount  # of `per` requests
    per: _AtLeastOne
    operations: frozenset[str]
    payload_bytes: _AtLeastOne | None = (
        None  # of messages, that are billed as one request; None: any size is one
    )


class Storage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where objects lie."""

    name: str
    gb_month: _Amount


class Instance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What computes."""

    name: str
    hour: _Amount
    vcpus: _AtLeastOne


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is paid for what stands there, whether or not it has something to do."""

    spot_share: Annotated[float, msgspec.Meta(ge=0, le=1)]  # of an instance's price on demand
    balancer_hour: _Amount
    balancer_unit_hour: _Amount
    address_hour: _Amount  # public IPv4
    disk_gb_month: _Amount
    alarm_month: _Amount  # for each metric that it looks at
    fast_alarm_month: _Amount
    metric_month: _Amount
    metric_requests: _Amount  # a thousand
    dashboard_month: _Amount
    log_gb: _Amount  # taken in
    log_gb_month: _Amount
    secret_month: _Amount


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prices file, as `prices.toml` beside this one. What only a stack needs may be left out of a bill's file."""

    date: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
    region: str
    currency: str
    requests: list[Requests]
    storage: Storage
    instance: Instance
    instances: dict[str, dict[str, _Amount]] = {}  # an hour of each type, by architecture
    standing: Standing | None = None


class Usage(NamedTuple):
    """What was counted, and what a picture is."""

    requests: Mapping[str, int]  # by operation
    pictures: int  # that were answered with these requests
    picture_bytes: int = 300_000
    answer_bytes: int = 8_000  # stored, and as a reply; with a hundred labels
    input_days: float = 7.0
    answer_days: float = 9.0
    core_ms: float = 10.0  # CPU milliseconds of web and worker for a picture
    busy: float = 0.5  # share of its time that a vCPU computes; the rest is paid as well


class Row(NamedTuple):
    """A line of the bill."""

    what: str
    amount: float
    unit: str
    cost: float


def price(usage: Usage, prices: Prices) -> list[Row]:
    """The bill of a million pictures. Raises `WrongInput` for an operation without a price."""
    if usage.pictures < 1:
        raise WrongInput("no picture was answered in these counts, so none can be priced")
    unknown = set(usage.requests) - {name for kind in prices.requests for name in kind.operations}
    if unknown:
        raise WrongInput(f"there is no price of {', '.join(sorted(unknown))}; add it to [[requests]]")
    counted = [_requests(usage, kind) for kind in prices.requests]
    rows = [row for row in counted if row.amount]
    for what, size, days in (
        ("Pictures", usage.picture_bytes, usage.input_days),
        ("Answers", usage.answer_bytes, usage.answer_days),
    ):
        gb_months = PICTURES * size / GB * days / MONTH_DAYS
        name = f"{what} of {size / 1000:g} KB for {days:g} days, {prices.storage.name}"
        rows.append(Row(name, gb_months, "GB-months", gb_months * prices.storage.gb_month))
    hours = PICTURES * usage.core_ms / 1000 / 3600 / prices.instance.vcpus / usage.busy
    name = f"{usage.core_ms:g} core-ms a picture, {prices.instance.name} at {usage.busy:.0%}"
    rows.append(Row(name, hours, "hours", hours * prices.instance.hour))
    return rows


def _requests(usage: Usage, kind: Requests) -> Row:
    """Counted requests, and those that SQS bills for large messages: at most one for each full `payload_bytes`."""
    each = sum(usage.requests.get(name, 0) for name in kind.operations) / usage.pictures
    if kind.payload_bytes:
        each += (
            2 * (usage.answer_bytes + JOB_BYTES) / kind.payload_bytes
        )  # job and reply, each sent and received
    number = each * PICTURES
    return Row(kind.name, number / 1e6, "million", number / kind.per * kind.price)


def read_prices(path: Path) -> Prices:
    """A prices file. Raises `WrongInput`."""
    try:
        prices = msgspec.toml.decode(path.read_bytes(), type=Prices)
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no UTF-8, no TOML, or not of this form
        raise WrongInput(
            f"{path} is no prices file as {PRICES.name} of iraas.deploy is one: {error}"
        ) from error
    twice = [
        name
        for name, times in Counter(name for kind in prices.requests for name in kind.operations).items()
        if times > 1
    ]
    if twice:
        raise WrongInput(f"{path} has two prices of {', '.join(sorted(twice))}")
    return prices
