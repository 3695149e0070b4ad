"""`iraas load` against a server process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request

import pytest
from tests.integration.load_stub import stub_server
from tests.waiting import until

PICTURES = 20


@pytest.fixture(scope="module")
def server():
    with stub_server() as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures that the server answers with their first letter."""
    path = tmp_path_factory.mktemp("pictures")
    for number in range(PICTURES):
        (path / f"{number:02}.png").write_bytes(bytes([65 + number]) * 50_000)
    return path


def load(*arguments, within=()) -> tuple[int, dict, str]:
    command = [*within, sys.executable, "-m", "iraas", "load", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def served(server: str) -> int:
    with urllib.request.urlopen(f"{server}/served") as answer:
        return json.load(answer)["served"]


def test_every_picture_is_sent_and_its_label_checked(server, folder, tmp_path):
    """Clients that wait send each picture once, and the table says that all labels are right."""
    expect = tmp_path / "labels.csv"
    expect.write_text("".join(f"{number:02},{chr(65 + number)}\n" for number in range(PICTURES)))
    code, said, complaint = load(server, folder, "--expect", expect)
    assert (code, said["asked"], said["right"], complaint) == (0, PICTURES, PICTURES, "")
    assert said["url"] == f"{server}/v1/images"


def test_a_shell_s_limit_of_open_files_is_no_limit_of_clients(server, folder):
    """Each client has a connection; the soft limit is raised as far as the hard one allows."""
    narrow = ("bash", "-c", 'ulimit -Sn 64; exec "$@"', "bash")
    code, said, complaint = load(server, folder, "--clients", 200, "--requests", 400, within=narrow)
    assert (code, said["asked"], said["right"], complaint) == (0, 400, 400, "")


def test_a_wrong_label_is_exit_code_one(server, folder, tmp_path):
    """And is named, with what was expected."""
    expect = tmp_path / "labels.csv"
    expect.write_text("03.png,Z\n")
    code, said, complaint = load(server, folder, "--expect", expect)
    assert (code, said["wrong"], said["right"]) == (1, 1, PICTURES - 1)
    assert "03.png: 'D', expected 'Z'" in complaint


def test_a_picture_s_first_answer_is_the_measure_without_a_table(server, folder):
    """A service that changes its mind is wrong."""
    code, said, _ = load(f"{server}/wrong", folder, "--requests", 200)
    assert code == 1
    assert 0 < said["wrong"] < 200
    assert said["wrong"] + said["right"] == 200


@pytest.mark.parametrize(
    ("path", "options", "counted", "why"),
    [
        ("/refuse", (), "refused", "429"),
        ("/broken", (), "missing", "the connection was closed in place of an answer"),
        ("/moved", (), "missing", "303"),
        ("/text", (), "missing", "200 without a label"),
        ("/nowhere", (), "missing", "202 with a Location that is no address"),
        ("/never", ("--timeout", "0.4"), "missing", "no answer within 0.4 s"),
    ],
)
def test_what_is_no_answer_is_counted_apart_and_exit_code_one(server, folder, path, options, counted, why):
    """Refused and missing requests are told apart, with the reason; none is retried."""
    code, said, _ = load(f"{server}{path}", folder, *options)
    assert code == 1
    assert said["asked"] == PICTURES
    assert said[counted] == said["why"][why] > 0
    assert said["right"] + said[counted] == PICTURES


def test_an_answer_that_comes_later_is_fetched(server, folder):
    """A 202 is followed to its Location, and latency counts until the label is there."""
    code, said, _ = load(f"{server}/accepted", folder)
    assert (code, said["right"]) == (0, PICTURES)
    assert said["latency_ms"]["p50"] > 100  # two pauses of 50 ms


def test_any_service_is_understood_by_field_and_match(server, folder):
    """An answer in text gives its label to an expression."""
    code, said, _ = load(f"{server}/text", folder, "--field", "myfile", "--match", "^[^:]+:(.*)$")
    assert (code, said["right"]) == (0, PICTURES)


def test_requests_by_the_clock_are_counted_from_when_they_were_due(server, folder, tmp_path):
    """With one connection to a server that takes 100 ms, 20 requests due at once wait for each other: no omission."""
    trace = tmp_path / "trace.csv"
    trace.write_text("\n".join(["0"] * 20))
    code, said, complaint = load(f"{server}/late", folder, "--trace", trace, "--max-open", 1)
    assert (code, said["right"]) == (0, 20)
    assert 900 < said["latency_ms"]["p50"] < 20_000
    assert said["latency_ms"]["max"] > 1_900
    assert said["lateness_ms"]["max"] > 1_800
    assert "sent late" in complaint


def test_the_report_shows_latency_queue_and_workers(server, folder, tmp_path):
    """One file with pictures in it, and the service's decisions from its /v1/fleet."""
    report = tmp_path / "report.html"
    code, said, _ = load(server, folder, "--rate", 100, "--duration", "1s", "--report", report)
    assert code == 0
    assert said["fleet"]["peak_workers"] == 1
    html = report.read_text()
    assert html.count("<svg") == 2
    assert "added 1" in html


def test_ctrl_c_ends_it_with_what_there_is(server, folder):
    """The figures so far are printed, and exit code 1 says that it was not all."""
    command = [sys.executable, "-m", "iraas", "load", f"{server}/late", str(folder), "--rate", "50", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        before = served(server)
        until(lambda: served(server) > before + 30, what="thirty requests")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=90)
    said = json.loads(out)
    assert (process.returncode, said["stopped"]) == (1, True)
    assert 0 < said["right"] < 3_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http://127.0.0.1:9", "FOLDER"), "cannot be reached"),
        (("ftp://x", "FOLDER"), "is not like http"),
        (("http://me:secret@127.0.0.1", "FOLDER"), "must not hold a user"),
        (("SERVER", "nowhere"), "is no folder"),
        (("SERVER", "FOLDER", "--report", "/nowhere/at/all.html"), "in a folder that exists"),
        (("SERVER", "FOLDER", "--api-key", "a\nb"), "no header can carry"),
        (("SERVER", "FOLDER", "--clients", "0"), "Invalid value"),
    ],
)
def test_what_cannot_work_is_exit_code_two(server, folder, arguments, words):
    """In one line that names the thing."""
    known = {"SERVER": server, "FOLDER": str(folder)}
    code, _, complaint = load(*(known.get(argument, argument) for argument in arguments))
    assert code == 2
    assert words in complaint
    assert "Traceback" not in complaint
