"""A journal on its way to CloudWatch Logs: a scripted journalctl, and the real one with a journald of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.conftest import missing
from tests.doubles.moto import Moto
from tests.doubles.program import REGION
from tests.waiting import until

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_journal import Journal
from iraas.fleet.ec2_stream import Line, LogStream, Unsendable

# journalctl: FILE of records, of which `--after-cursor` skips the first ones; then it follows it, as told.
JOURNALCTL = """
import json, sys, time
arguments = sys.argv[2:]
after = [a.partition("=")[2] for a in arguments if a.startswith("--after-cursor=")]
if after == ["gone"]:
    sys.exit(1)
records = open(sys.argv[1])
skipping = bool(after)
while True:
    line = records.readline()
    if not line:
        time.sleep(0.01)
        continue
    if line == "end\\n":
        sys.exit(0)
    if not skipping:
        sys.stdout.write(line)
        sys.stdout.flush()
    elif json.loads(line)["__CURSOR"] == after[0]:
        skipping = False
"""


class Written:
    """A journal that a test writes, and a stream that remembers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "records"
        self.file.touch()
        self.batches: list[list[str]] = []
        self.times: list[float] = []
        self.fails: list[Exception] = []
        self.refuses = 0
        self.count = 0

    def write(self, *messages: str) -> None:
        """Log some lines."""
        with self.file.open("a") as records:
            for message in messages:
                self.count += 1
                at = time.time_ns() // 1_000
                fields = {"__CURSOR": f"c{self.count}", "__REALTIME_TIMESTAMP": str(at), "MESSAGE": message}
                records.write(json.dumps(fields) + "\n")

    def end(self) -> None:
        """Here it ends."""
        with self.file.open("a") as records:
            records.write("end\n")

    def journal(self, **options: object) -> Journal:
        """As it is started; a second one is the process started again."""
        program = (sys.executable, "-c", JOURNALCTL, str(self.file))
        return Journal(
            self,
            units=["iraas-web.service"],
            folder=self.folder,
            program=program,
            wait=lambda _: None,
            **options,
        )

    def put(self, lines: list[Line]) -> int:
        """Take a batch."""
        self.times.append(time.monotonic())
        if self.fails:
            raise self.fails.pop(0)
        self.batches.append([line.message for line in lines])
        return self.refuses

    @property
    def sent(self) -> list[str]:
        """All messages."""
        return [message for batch in self.batches for message in batch]


class Running:
    """A journal at work in a thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._thread = threading.Thread(target=journal.run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._journal.stop()
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """An empty journal."""
    return Written(tmp_path)


def test_what_is_logged_is_sent_as_it_comes(written):
    """In order, also what came before, and nothing twice."""
    written.write("one", "two")
    with Running(written.journal(send_seconds=0.05)):
        until(lambda: written.sent == ["one", "two"], what="the first lines")
        written.write("three")
        until(lambda: written.sent == ["one", "two", "three"], what="the next line")


def test_one_call_a_second_carries_what_came_meanwhile(written):
    """However much is logged, there is a pause between two calls."""
    with Running(
        Journal(
            written,
            units=[],
            folder=written.folder,
            program=(sys.executable, "-c", JOURNALCTL, str(written.file)),
            send_seconds=0.3,
        )
    ):
        for number in range(40):
            written.write(f"line {number}")
            time.sleep(0.025)  # what a service logs takes its time
        until(lambda: len(written.sent) == 40, what="all lines")
    assert len(written.batches) < 20  # some 4 on a quiet machine
    # A call may be late on its way here.
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(written.times))


def test_a_restart_neither_loses_nor_repeats(written):
    """The place in the journal outlives the process: the last line of what was sent, and not the first."""
    messages = [f"line {number}" for number in range(20)]
    written.write(*messages)
    with Running(written.journal(send_seconds=0.2)):
        until(lambda: written.sent == messages, what="the first lines")
        until(lambda: (written.folder / "journal.cursor").read_text() == "c20", what="the cursor")
    written.write("between")
    with Running(written.journal(send_seconds=0.05)):
        until(lambda: len(written.sent) > 20, what="the line between")
    assert written.sent == [*messages, "between"]


def test_while_cloudwatch_is_away_nothing_is_lost_and_one_line_says_so(written):
    """The batch is sent again until it is taken; the journal keeps the rest."""
    written.fails = [BackendUnavailable("away")] * 5
    written.write("one")
    with capture_logs() as logged, Running(written.journal(send_seconds=0.05)):
        until(lambda: written.sent == ["one"], what="the line")
        written.write("two")
        until(lambda: written.sent == ["one", "two"], what="the next line")
    assert [(line["event"], line["error"]) for line in logged] == [("instance.trouble", "away")]


def test_what_nobody_foresaw_ends_no_log(written):
    """The batch is sent once more, and one line says what it was."""
    written.fails = [KeyError("surprise")]
    written.write("one")
    with capture_logs() as logged, Running(written.journal(send_seconds=0.0)):
        until(lambda: written.sent == ["one"], what="the line")
    assert [(line["what"], line["error"]) for line in logged] == [("journal", "KeyError('surprise')")]


def test_what_cannot_be_sent_is_dropped_and_counted(written):
    """One bad batch does not stop the journal; lines that were refused are told."""
    written.fails = [Unsendable("no")]
    written.write("bad")
    with capture_logs() as logged, Running(written.journal(send_seconds=0.2)):
        until(lambda: logged, what="the trouble")
        written.refuses = 1
        written.write("old")
        until(lambda: written.sent == ["old"], what="the next line")
    assert [line["error"] for line in logged][-2:] == [
        "1 of 1 lines of the journal were refused",
        "1 of 1 lines of the journal were refused",
    ]


def test_journalctl_that_ends_is_started_again(written):
    """From where it was."""
    written.write("one")
    written.end()
    written.write("two")
    with Running(written.journal(send_seconds=0.05)):
        until(lambda: written.sent == ["one"], what="the first line")
        written.file.write_text(written.file.read_text().replace("end\n", ""))
        until(lambda: written.sent == ["one", "two"], what="the line after the end")


def test_a_place_that_is_gone_is_forgotten(written):
    """The journal was thrown away: what there is now is sent from its beginning."""
    (written.folder / "journal.cursor").write_text("gone")
    written.write("one")
    with capture_logs(), Running(written.journal(send_seconds=0.05)):
        until(lambda: written.sent == ["one"], what="the line")


def test_without_journalctl_one_line_says_so(written):
    """And the instance goes on."""
    paused = threading.Event()
    own = Journal(
        written, units=[], folder=written.folder, program=("/no/journalctl",), wait=lambda _: paused.set()
    )
    with capture_logs() as logged, Running(own):
        assert paused.wait(60)
    assert len(logged) == 1
    assert "/no/journalctl" in logged[0]["error"]


def test_a_burst_is_sent_in_batches_that_cloudwatch_takes(written):
    """More than a call may carry: cut by lines and by bytes, each line once."""
    written.write(*[f"{number} " + "x" * 500 for number in range(12_000)])
    with Running(written.journal(send_seconds=0.0)):
        until(lambda: len(written.sent) == 12_000, what="all lines")
    assert [int(message.split()[0]) for message in written.sent] == list(range(12_000))
    assert all(sum(len(message) + 26 for message in batch) <= 1_048_576 for batch in written.batches)


@pytest.fixture(scope="module")
def logs() -> Iterator[object]:
    """CloudWatch Logs, as moto plays it, with a group."""
    with Moto() as moto:
        client = moto.session().create_client("logs", region_name=REGION, endpoint_url=moto.endpoint)
        client.create_log_group(logGroupName="/iraas/test")
        yield client
        client.close()


def stored(logs, stream: str) -> list[str]:
    """What a stream holds."""
    try:
        events = logs.get_log_events(logGroupName="/iraas/test", logStreamName=stream)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in events]


def test_a_stream_is_made_once_and_written_to(written, logs):
    """Named by the instance; a second process goes on with it."""
    for number in (1, 2):
        written.write(f"line {number}")
        own = written.journal(send_seconds=0.05)
        own._stream = LogStream(lambda: logs, group="/iraas/test", name="i-scripted")
        with Running(own):
            until(lambda: len(stored(logs, "i-scripted")) == number, what="the line")  # noqa: B023
    assert stored(logs, "i-scripted") == ["line 1", "line 2"]


JOURNALD = "/usr/lib/systemd/systemd-journald"
# In namespaces of its own: a journald, a service that logs, and the sender of this process's journal.
OWN_JOURNALD = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal
%s & journald=$!
until [ -S /run/systemd/journal/socket ]; do sleep 0.05; done
"$@"
kill $journald
"""
LOG_AND_SEND = """
import json, socket, sys, threading, time
from iraas.fleet.ec2_journal import Journal
from pathlib import Path

def log(unit, message):
    fields = f"MESSAGE={message}\\nOBJECT_SYSTEMD_UNIT={unit}\\n"  # root may say so; it matches --unit, too
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.sendto(fields.encode(), "/run/systemd/journal/socket")

class Stream:
    def put(self, lines):
        for line in lines:
            print(json.dumps([line.at_ms, line.message]), flush=True)
            followed.set()
        if lines[-1].message == "last":
            over.set()
        return 0

followed, over = threading.Event(), threading.Event()
log("iraas-web.service", "before")
log("ssh.service", "of somebody else")
folder, units = Path(sys.argv[1]), ["iraas-web.service", "iraas-worker@01.service"]
journal = Journal(Stream(), units=units, folder=folder, send_seconds=0.05)
threading.Thread(target=journal.run, daemon=True).start()
assert followed.wait(20)
log("iraas-worker@01.service", "a unit that logs only now")
log("iraas-web.service", "last")
assert over.wait(20)
while not (folder / "journal.cursor").exists():
    time.sleep(0.01)
journal.stop()
"""


def test_the_real_journal(tmp_path):
    """journald, journalctl and its filters as they are: our units alone, also one that logs for the first time."""
    if os.geteuid() != 0:
        pytest.skip("only root may start a journald")
    if not Path(JOURNALD).exists() or not shutil.which("journalctl"):
        missing("journald")
    script = [sys.executable, "-c", LOG_AND_SEND, str(tmp_path)]
    command = ["unshare", "--mount", "--uts", "bash", "-c", OWN_JOURNALD % JOURNALD, "bash", *script]
    before = time.time()
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    sent = [json.loads(line) for line in done.stdout.splitlines()]
    assert [message for _at, message in sent] == ["before", "a unit that logs only now", "last"]
    assert all(before - 1 <= at / 1000 <= time.time() + 1 for at, _message in sent)
    assert (tmp_path / "journal.cursor").read_text().startswith("s=")
