"""docs/aws.md says what the code says: permissions, numbers, names."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path

import pytest
from tests.aws_page import PAGE, TIERS, blocks, files, policies, table
from tools import price

from iraas.cli import web
from iraas.deploy.bill import PRICES, read_prices
from iraas.queues import sqs_responses
from iraas.queues.sqs_names import ResponseNames
from iraas.settings import ON_AWS, Settings
from iraas.web.server import KEEP_ALIVE_SECONDS
from iraas.wiring import aws
from iraas.worker import loop

DAY = 86_400  # seconds
HOURS_A_MONTH = 730
REPAIRS = {"SendMessage", "PutObject", "DeleteObject"}  # what --resend and redrive do
TEXT = PAGE.read_text()
DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}


def written(name: str) -> dict[str, object]:
    """A JSON file that the shell blocks write, read as JSON once its variables are words."""
    return json.loads(files()[name].replace("$", ""))


def the_only(pattern: str) -> str:
    """What the page has in one place only."""
    [found] = re.findall(pattern, TEXT)
    return found


def test_the_table_and_the_policies_say_the_same():
    """Each action of the table stands in the tier's policy with its resource, once, and no other does."""
    assert sorted(table()) == sorted(policies())
    assert len(set(table())) == len(table())
    assert {allowed.tier for allowed in table()} == set(TIERS)


def test_nothing_is_allowed_by_a_wildcard_of_actions():
    """Actions are named one by one, and no resource is everything."""
    for allowed in policies():
        assert re.fullmatch(r"(sqs|s3):[A-Z]\w+", allowed.action)
        assert re.fullmatch(r"arn:aws:(sqs:REGION:ACCOUNT:|s3:::STACK-).+", allowed.resource)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("asked", "service", "resource"),
    [
        (aws.ON_REQUESTS, "sqs", "arn:aws:sqs:REGION:ACCOUNT:STACK-requests"),
        (aws.ON_DEAD_LETTERS, "sqs", "arn:aws:sqs:REGION:ACCOUNT:STACK-dead-letters"),
        (aws.ON_INPUTS, "s3", "arn:aws:s3:::STACK-ACCOUNT-inputs"),
        (aws.ON_RESULTS, "s3", "arn:aws:s3:::STACK-ACCOUNT-results"),
    ],
)
def test_a_start_asks_for_what_the_tier_may_do(asked, service, resource, tier):
    """The start tries every action that the page allows on a queue or bucket, and none that it does not.

    An operator's repairs are tried when they are wanted.
    """
    allowed = {
        line.action.removeprefix(f"{service}:")
        for line in table()
        if line.tier == tier and line.resource.removesuffix("/*") == resource
    }
    tried = {*asked[tier], *(["GetQueueAttributes"] if service == "sqs" else [])}

    assert allowed - tried == (allowed & REPAIRS if tier == "operator" else set())
    assert tried <= allowed


def test_the_response_queues_are_those_that_the_code_makes():
    """The pattern of the policies is the prefix that a web process gives its queue, and fits no other queue."""
    [pattern] = {line.resource for line in table() if "responses" in line.resource}
    names = ResponseNames(
        requests_url="https://sqs.REGION.amazonaws.com/ACCOUNT/STACK-requests", stack="STACK"
    )

    assert pattern == f"arn:aws:sqs:REGION:ACCOUNT:{names.prefix}*"
    for queue in re.findall(r'--queue-name "\$(STACK-\S+)"', TEXT):
        assert not queue.startswith(names.prefix)


def test_the_queues_are_made_as_the_settings_say():
    """Visibility timeout, deliveries and days are those of one machine; dead letters outlive the queue they leave."""
    requests = written("requests.json")
    redrive = json.loads(str(requests["RedrivePolicy"]))
    dead_letter_seconds = int(the_only(r"MessageRetentionPeriod=(\d+)"))

    assert float(str(requests["VisibilityTimeout"])) == DEFAULT["visibility_timeout"]
    assert float(str(requests["MessageRetentionPeriod"])) == DEFAULT["queue_days"] * DAY
    assert redrive["maxReceiveCount"] == DEFAULT["max_receives"]
    assert DEFAULT["queue_days"] * DAY < dead_letter_seconds < DEFAULT["inputs_days"] * DAY
    assert f"{dead_letter_seconds // DAY} days to the request queue's {DEFAULT['queue_days']:g}" in TEXT


def test_the_buckets_keep_things_as_long_as_the_settings_say():
    """Pictures and answers go after the same days as on one machine."""
    assert the_only(r'make_bucket "\S+-inputs" (\d+)') == f"{DEFAULT['inputs_days']:g}"
    assert the_only(r'make_bucket "\S+-results" (\d+)') == f"{DEFAULT['answers_days']:g}"
    assert f"pictures {DEFAULT['inputs_days']:g} days and answers {DEFAULT['answers_days']:g}" in TEXT


def test_the_environment_file_is_enough():
    """It has every setting that AWS needs, and only settings that there are."""
    lines = dict(line.split("=", 1) for line in files()["iraas.env"].splitlines())
    names = {name.removeprefix("IRAAS_").lower() for name in lines}

    assert names <= set(Settings.model_fields)
    assert {"backend", "stack", "region", "api_keys", *ON_AWS} <= names
    assert not any("AWS_" in name for name in lines)  # no key stands in a file


def test_every_setting_that_is_named_is_one():
    """IRAAS_X in the page is a setting."""
    for name in re.findall(r"IRAAS_([A-Z0-9_]+)", TEXT):
        assert name.lower() in Settings.model_fields, name


def test_what_does_nothing_here_is_not_read_here():
    """The settings that the page calls idle on AWS are none that its backend reads."""
    idle = re.findall(r"`(\w+)`", the_only(r"(?s)The settings (`inputs_days`.*?) are for one machine"))
    source = Path(aws.__file__).read_text()

    assert {"inputs_days", "answers_days", "queue_days", "max_receives"} <= set(idle)
    for name in idle:
        assert name in Settings.model_fields
        assert f"settings.{name}" not in source, name


def units() -> dict[str, configparser.ConfigParser]:
    """The systemd units, by the name in their first line."""
    found = {}
    for block in blocks("ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(block)
        found[block.splitlines()[0].rpartition("/")[2]] = unit
    return found


def test_the_units_start_commands_that_exist():
    """ExecStart is a command of iraas, and what the page enables is a unit."""
    assert set(units()) == {"iraas-web.service", "iraas-worker@.service"}
    for name, unit in units().items():
        program, command = shlex.split(unit["Service"]["ExecStart"])
        assert program.endswith("/iraas")
        assert name.startswith(f"iraas-{command}")


def test_the_units_wait_for_the_drain():
    """Nobody who is still draining is killed: work that was begun, and then a poll to its end."""
    drain = float(the_only(r"takes up to (\d+) seconds, since"))
    assert loop.DRAIN_SECONDS + DEFAULT["sqs_wait_seconds"] <= drain
    assert drain >= web.DRAIN_SECONDS + sqs_responses.POLL_SECONDS
    for unit in units().values():
        assert float(unit["Service"]["TimeoutStopSec"]) > drain


def test_the_balancer_gives_up_before_the_server():
    """The idle timeout is shorter than the server's keep-alive, and longer than a client may wait."""
    idle = int(the_only(r"\| idle timeout \| (\d+) s \|"))
    assert idle < KEEP_ALIVE_SECONDS
    assert f"idle connections after {KEEP_ALIVE_SECONDS} s" in TEXT


def test_what_idle_processes_cost_is_computed():
    """The sentence about idle processes follows from the polls that they make."""
    [sqs, *_] = read_prices(PRICES).requests
    per_request = sqs.price / sqs.per
    month = HOURS_A_MONTH * 3600
    worker = month / DEFAULT["sqs_wait_seconds"] * per_request
    listening = month / sqs_responses.POLL_SECONDS * per_request
    assert f"an idle worker {worker:.2f} USD a month, an idle web process {listening:.2f}" in " ".join(
        TEXT.split()
    )


def test_the_bill_is_what_the_tool_prints(capsys):
    """The table of a million pictures is the output of the block above it."""
    [command] = [block for block in blocks("sh") if "tools.price" in block and "--counts" in block]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["python3", "-m", "tools.price"]

    assert price.main(words[3:]) == 0
    printed = capsys.readouterr().out.strip()
    assert printed in TEXT
