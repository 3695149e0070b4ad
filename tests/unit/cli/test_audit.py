"""`iraas audit` and `iraas dead-letters` on a folder that a service has left."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.conftest import png
from typer.testing import CliRunner

from iraas.answers.audit import Audit
from iraas.cli.audit_table import SHOWN, as_text
from iraas.cli.commands import app
from iraas.errors import ConfigurationError
from iraas.intake.inspect import Limits
from iraas.intake.submit import Intake, Submission
from iraas.messages import Failure, Job, Record, decode, encode
from iraas.queues.port import Message
from iraas.settings import load_settings
from iraas.wiring.backend import Backend, dead_letters, open_backend

MINUTES = 60.0  # seconds


def with_backend(folder: Path, do):
    """What `do` gives of the embedded backend in a folder."""

    async def run():
        backend = open_backend(load_settings(data=folder), inline=True)
        try:
            return await do(backend)
        finally:
            await backend.close()

    return asyncio.run(run())


async def accepted(backend: Backend) -> str:
    """A picture on its way."""
    intake = Intake(
        inputs=backend.inputs,
        results=backend.results,
        requests=backend.requests,
        clock=backend.clock,
        limits=Limits(),
    )
    submission = Submission(png(), "ann")
    job_id = intake.identify(submission)
    await intake.submit(job_id, submission, reply_to="")
    return job_id


async def lose_jobs(backend: Backend) -> None:
    """What a power loss does to the queue."""
    lost = await backend.requests.receive(up_to=256, wait=0)
    await backend.requests.delete([delivery.receipt for delivery in lost])


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder with a failure, and nothing that waits."""
    data = tmp_path / "data"

    async def fill(backend: Backend) -> None:
        job_id = await accepted(backend)
        failure = Failure(job_id, "undecodable-image", "the data ends early")
        await backend.results.put(job_id, encode(Record("ann", failure)))
        await lose_jobs(backend)

    with tempfile.TemporaryDirectory() as runtime:  # for sockets, whose paths must be short
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        with_backend(data, fill)
        yield data


def run(folder: Path, *arguments: str):
    """The outcome of a command on a folder."""
    return CliRunner().invoke(app, [*arguments, "--data", str(folder)])


def test_a_service_in_order_is_exit_code_0(folder):
    """Each count stands in the table, and a sentence says that all is well."""
    outcome = run(folder, "audit")

    assert outcome.exit_code == 0, outcome.output
    shown = " ".join(outcome.output.split())
    assert "Pictures stored 1 with an answer 1 without one yet 0 " in shown
    assert "that say why there are no labels 1 failures are answers too" in shown
    assert outcome.output.endswith("Every picture older than 15m has its answer.\n")


def test_a_late_picture_is_exit_code_1_and_named(folder):
    """What is missing, and what to do about it."""
    job_id = with_backend(folder, accepted)
    with_backend(folder, lose_jobs)

    outcome = run(folder, "audit", "--age", "0s")

    assert outcome.exit_code == 1
    assert f"  {job_id}\n" in outcome.output
    assert run(folder, "audit", "--age", "1h").exit_code == 0, "it is young by that age"


def test_json_is_the_whole_audit(folder):
    """Standard output is JSON and nothing else; the exit code is the same."""
    job_id = with_backend(folder, accepted)

    outcome = run(folder, "audit", "--age", "0s", "--json")

    found = json.loads(outcome.stdout)
    assert outcome.exit_code == 1
    assert (found["pictures"], found["answered"], found["failed"], found["waiting"]) == (2, 1, 1, 1)
    assert (found["late"], found["late_ids"], found["age"]) == (1, [job_id], 0)


def test_resend_puts_the_lost_job_back(folder):
    """It is still exit code 1: the answer is not there yet. A job that is still queued is not doubled."""
    job_id = with_backend(folder, accepted)
    with_backend(folder, lose_jobs)

    for _ in range(2):
        outcome = run(folder, "audit", "--age", "0s", "--resend")
        assert outcome.exit_code == 1
        assert "Jobs sent again: 1." in outcome.output

    [delivery] = with_backend(folder, lambda backend: backend.requests.receive(up_to=9, wait=0))
    job = decode(Job, delivery.body)
    assert (job.id, job.owner, job.repeat) == (job_id, "ann", True)


@pytest.mark.parametrize("command", [("audit",), ("dead-letters", "list"), ("dead-letters", "redrive", "x")])
def test_a_folder_that_is_no_services_is_a_wrong_set_up(tmp_path, command):
    """Nothing is made where nothing was, and the mend is named."""
    outcome = run(tmp_path / "typo", *command)

    assert isinstance(outcome.exception, ConfigurationError), "main() turns it into one line and exit code 2"
    assert "typo; name its --data" in str(outcome.exception)
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("age", ["15", "15 m", "m", "-1m", "1w", "", "9999999s"])
def test_an_age_that_is_none_is_wrong_usage(folder, age):
    """Exit code 2, and an example."""
    outcome = run(folder, "audit", "--age", age)

    assert outcome.exit_code == 2
    assert "90s, 15m, 2h or 1d" in " ".join(outcome.output.split())


def test_a_table_stays_short_and_says_what_it_leaves_out():
    """Of thousands of late pictures twenty are shown."""
    ids = [f"id-{n}" for n in range(1_000)]
    audit = Audit(0.0, 900.0, late=4_321, late_ids=ids, oldest_pending=7_200.0, without_job=7)

    text = as_text(audit, age="15m", resent=False)

    assert text.count("\n  id-") == SHOWN
    assert "... and 4,301 more; --json lists the first 1,000" in text
    assert "the oldest since 2.0 h" in text
    assert "`iraas audit --resend` sends their jobs again." in text


def test_late_pictures_that_the_queues_explain_call_for_workers_first():
    """Sending jobs again does not help when nobody works."""
    text = as_text(Audit(0.0, 900.0, late=1, late_ids=["a"]), age="15m", resent=False)

    assert "No answer for more than 15m of waiting: 1 picture." in text
    assert "see that workers run" in text


LATER = b'{"id":"0198c6a4-0000-7000-8000-000000000002","owner":"ann","reply_to":"","accepted_at":1.0,"v":2}'


@pytest.fixture
def malformed(folder) -> str:
    """The name of a dead letter that is no job, recorded in the folder."""

    async def bury(backend: Backend) -> str:
        await backend.dead_letters.send([Message(LATER)])
        await dead_letters(backend).collect()
        [name] = [letter.id async for letter in dead_letters(backend).list()]
        return name

    return with_backend(folder, bury)


def test_a_dead_letter_is_listed_without_its_body(folder, malformed):
    """A line says what it is and how large; JSON has the same."""
    line = run(folder, "dead-letters", "list").output
    [shown] = json.loads(run(folder, "dead-letters", "list", "--json").stdout)

    assert line.startswith(f"{malformed}  20")
    assert f"{len(LATER)} bytes  a Job of version 2" in line
    assert (shown["id"], shown["body_bytes"]) == (malformed, len(LATER))
    assert "body" not in shown


def test_redrive_sends_a_malformed_message_as_it_was(folder, malformed):
    """Then nothing is listed any more, and a second time there is nothing to send."""
    outcome = run(folder, "dead-letters", "redrive", malformed, "--json")

    assert (outcome.exit_code, json.loads(outcome.stdout)) == (0, {malformed: "sent"})
    [delivery] = with_backend(folder, lambda backend: backend.requests.receive(up_to=9, wait=0))
    assert delivery.body == LATER
    assert run(folder, "dead-letters", "list").output == "There are no dead letters.\n"
    again = run(folder, "dead-letters", "redrive", malformed)
    assert again.exit_code == 1
    assert "no dead letter has the id" in again.output


def test_redrive_of_all_goes_on_after_one_that_cannot_be_sent(folder, malformed):
    """Each has its line, and exit code 1 says that one was not sent."""

    async def damage(backend: Backend) -> None:
        await backend.results.put(
            "dead-letters/malformed-0", b'{"id":"x","owner":"","reason":"","at":0,"v":2}'
        )

    with_backend(folder, damage)

    outcome = run(folder, "dead-letters", "redrive", "--all", "--json")

    outcomes = json.loads(outcome.stdout)
    assert outcome.exit_code == 1
    assert outcomes[malformed] == "sent"
    assert "version 2" in outcomes["malformed-0"]


def test_the_docs_name_every_count():
    """docs/commands.md has a row for each field of the JSON."""
    table = (Path(__file__).resolve().parents[3] / "docs" / "commands.md").read_text()
    for field in Audit.__struct_fields__:
        assert f"`{field}`" in table, field
