"""Counted requests and a table of prices -> the bill of a million pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st
from tools.price import main, read_counts, read_metrics

from iraas.deploy.bill import JOB_BYTES, PICTURES, PRICES, Prices, Usage, WrongInput, price, read_prices
from iraas.telemetry import Telemetry

ROOT = Path(__file__).resolve().parents[2]
ROUND = """
date = "2031-02"
region = "eu-west-1"
currency = "EUR"
[[requests]]
name = "queue"
price = 1.0
per = 1_000
payload_bytes = 10_000
operations = ["SendMessageBatch", "ReceiveMessage"]
[[requests]]
name = "store"
price = 2.0
per = 1_000
operations = ["PutObject"]
[storage]
name = "shelf"
gb_month = 3.0
[instance]
name = "machine"
hour = 4.0
vcpus = 2
"""


@pytest.fixture
def prices() -> Prices:
    """Round numbers."""
    return msgspec.toml.decode(ROUND, type=Prices)


def file_of(folder: Path, text: str) -> Path:
    """A prices file with this in it."""
    path = folder / "prices.toml"
    path.write_text(text)
    return path


def test_the_bill_is_what_a_person_computes(prices):
    """Requests, the payload of messages, storage and compute, each by its own price."""
    usage = Usage(
        {"SendMessageBatch": 30, "ReceiveMessage": 20, "PutObject": 200},
        pictures=100,
        picture_bytes=2**30 // PICTURES * 2,
        answer_bytes=10_000 - JOB_BYTES,
        input_days=365 / 12,
        answer_days=0,
        core_ms=7.2,
        busy=0.5,
    )

    queue, store, pictures, answers, compute = price(usage, prices)

    assert queue.amount == pytest.approx(0.5 + 2)  # million: counted, and two full payloads a picture
    assert queue.cost == pytest.approx(2_500)
    assert (store.amount, store.cost) == pytest.approx((2, 4_000))
    assert (pictures.amount, pictures.cost) == pytest.approx((2, 6), rel=1e-3)
    assert answers.cost == 0
    assert (compute.amount, compute.cost) == pytest.approx(
        (2, 8)
    )  # 2 h of one core, on two that idle half the time


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 50))
def test_counting_for_longer_changes_nothing(pictures, sent, put, times):
    """The bill is of a million pictures, however many were counted."""
    prices = read_prices(PRICES)
    once = price(Usage({"SendMessageBatch": sent, "PutObject": put}, pictures), prices)
    longer = price(
        Usage({"SendMessageBatch": sent * times, "PutObject": put * times}, pictures * times), prices
    )

    assert [row.cost for row in longer] == pytest.approx([row.cost for row in once])


def test_the_numbers_of_several_processes_add_up():
    """What /metrics gives of a web process and of two workers is counted together, by operation."""
    web, first, second = Telemetry(), Telemetry(), Telemetry()
    web.count("iraas_aws_requests_total", 3, operation="PutObject")
    for worker in (first, second):
        worker.count("iraas_aws_requests_total", 2, operation="PutObject")
        worker.count("iraas_aws_requests_total", operation="ReceiveMessage")
        worker.count("iraas_jobs_total", 4, outcome="done")
    second.count("iraas_jobs_total", outcome="undecodable-image")

    requests, pictures = read_metrics(one.exposition().decode() for one in (web, first, second))

    assert requests == {"PutObject": 7, "ReceiveMessage": 2}
    assert pictures == 9


def test_counts_may_be_given_by_hand():
    """`KEY=N` adds to what the files say; `pictures` is a key too."""
    assert read_counts(["PutObject=2", "pictures=5", "PutObject=1"]) == ({"PutObject": 3}, 5)


@pytest.mark.parametrize(
    "item", ["PutObject", "PutObject=", "=3", "PutObject=-1", "PutObject=1.5", "PutObject=many"]
)
def test_what_is_no_count_is_refused(item):
    """The message quotes it."""
    with pytest.raises(WrongInput, match=re.escape(repr(item))):
        read_counts([item])


@pytest.mark.parametrize(
    "text", ["<html>", "iraas_jobs_total{outcome=", 'iraas_jobs_total{outcome="done"} NaN']
)
def test_what_is_no_metrics_text_is_refused(text):
    """A page of an error, or half a file, is no set of counts."""
    with pytest.raises(WrongInput, match="/metrics"):
        read_metrics([text])


def test_an_operation_without_a_price_is_refused(prices):
    """A bill that leaves something out would be too low in silence."""
    with pytest.raises(WrongInput, match="GetObject"):
        price(Usage({"GetObject": 1}, 1), prices)


def test_without_pictures_there_is_no_bill(prices):
    """Nothing can be said of a million when none was counted."""
    with pytest.raises(WrongInput, match="no picture"):
        price(Usage({"PutObject": 1}, 0), prices)


WRONG_FILES = {
    "no TOML": ("{", "prices.toml"),
    "a price in words": (ROUND.replace("price = 1.0", 'price = "cheap"'), "price"),
    "a price below zero": (ROUND.replace("gb_month = 3.0", "gb_month = -3.0"), "gb_month"),
    "per none": (ROUND.replace("per = 1_000\npay", "per = 0\npay"), "per"),
    "an unknown field": (ROUND.replace("hour", "hourly"), "hour"),
    "a missing table": (ROUND.partition("[instance]")[0], "instance"),
    "no date": (ROUND.replace("2031-02", "lately"), "date"),
    "two prices of one operation": (ROUND.replace('["PutObject"]', '["ReceiveMessage"]'), "ReceiveMessage"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_prices_file_is_refused_in_words(case, tmp_path, capsys):
    """Exit code 2, and one line that names the file and the field."""
    text, named = WRONG_FILES[case]
    path = file_of(tmp_path, text)

    assert main(["--counts", "pictures=1", "--prices", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert str(path) in said.err
    assert named in said.err


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path, capsys):
    """A prices file and a metrics file alike."""
    for told in (["--prices", str(tmp_path / "none")], [str(tmp_path / "none")]):
        assert main(["--counts", "pictures=1", *told]) == 2
        assert str(tmp_path / "none") in capsys.readouterr().err


def test_prices_of_ones_own_take_the_place_of_ours(tmp_path, capsys):
    """The table says whose prices they are."""
    told = ["--counts", "pictures=1000", "--counts", "PutObject=1000"]

    assert main([*told, "--prices", str(file_of(tmp_path, ROUND)), "--answer-bytes=0", "--busy=1"]) == 0
    table = capsys.readouterr().out
    assert "EUR, eu-west-1, 2031-02" in table
    assert re.search(r"\| store +\| +1\.00 million \| +2,000\.00 \|", table)


def test_json_has_the_same_numbers(tmp_path, capsys):
    """`--json` has each row, and a total that is their sum."""
    assert main(["--counts", "pictures=1000", "--counts", "PutObject=2000", "--json"]) == 0
    bill = json.loads(capsys.readouterr().out)

    assert bill["total"] == pytest.approx(sum(row["cost"] for row in bill["rows"]))
    assert any(
        row["cost"] == pytest.approx(10.0) for row in bill["rows"]
    )  # two puts a picture, 5 USD a million


@pytest.mark.parametrize(
    "flag", ["--busy=0", "--busy=1.1", "--core-ms=-1", "--picture-bytes=inf", "--input-days=x"]
)
def test_a_senseless_amount_is_refused(flag, capsys):
    """Exit code 2, and the flag's name."""
    with pytest.raises(SystemExit) as exit_:
        main(["--counts", "pictures=1", flag])
    assert exit_.value.code == 2
    assert flag.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize(("service", "sources"), [("sqs", "queues/sqs*.py"), ("s3", "blobs/s3*.py")])
def test_every_operation_of_the_code_has_a_price(service, sources):
    """Whatever the adapters may count can be billed."""
    known = set(Session().get_service_model(service).operation_names)
    code = "".join(path.read_text() for path in (ROOT / "src" / "iraas").glob(sources))
    called = known & set(re.findall(r'"([A-Z]\w+)"', code))
    priced = {name for kind in read_prices(PRICES).requests for name in kind.operations}

    assert called
    assert called <= priced
