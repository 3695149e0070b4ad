"""Every shell block of docs/aws.md, in order, in one shell, against moto; then what is there is looked at."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.aws_page import TIERS, blocks, policies
from tests.doubles.moto import Moto

from iraas.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, STACK = "123456789012", "iraas"  # moto's, and the page's
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret"}
PATIENCE_SECONDS = 240.0  # for all blocks together; some 40 on an idle machine
DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}
DAY = 86_400  # seconds
# Version 1 of the CLI takes SQS's own address from a table of its own, whatever AWS_ENDPOINT_URL says.
HERE = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
VARIABLES = {"REGION": Moto.region, "ACCOUNT": ACCOUNT, "STACK": STACK}


class Account(NamedTuple):
    """An account after somebody followed the page."""

    moto: Moto
    said: str
    folder: Path

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """What AWS's API says."""
        client = self.moto.session().create_client(
            service, region_name=Moto.region, endpoint_url=self.moto.endpoint
        )
        try:
            return getattr(client, operation)(**parameters)
        finally:
            client.close()

    def queue(self, name: str) -> dict[str, str]:
        """A queue's attributes."""
        url = self.ask("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
        found: dict[str, str] = self.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return found


@pytest.fixture(scope="module")
def account(cat: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The page, followed from its first block to its last."""
    folder = tmp_path_factory.mktemp("aws-page")
    shutil.copy(cat, folder / "cat.png")
    (folder / "tools").symlink_to(ROOT / "tools")  # the page says: from a checkout
    port, metrics_port = free_ports(2)
    page = (
        "\n".join(blocks("sh")).replace("localhost:8080", f"localhost:{port}").replace("9101", metrics_port)
    )
    with Moto() as moto:
        yield Account(moto, followed(f"{HERE}\n{page}", folder, moto.endpoint, port), folder)


def followed(script: str, folder: Path, endpoint: str, port: str) -> str:
    """Run it as a person would; what it said. Everything that it started has ended."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("IRAAS_", "AWS_"))},
        **KEYS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),  # whoever runs this may have settings of their own
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "IRAAS_PORT": port,
        "IRAAS_MODEL": "fast",
        "IRAAS_SQS_WAIT_SECONDS": "1",
    }
    said = folder / "said.txt"
    with said.open("wb") as out:
        running = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            code = running.wait(PATIENCE_SECONDS)
            left_behind = lives(running.pid)
        finally:  # after an error the tiers may still be there
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    assert code == 0, said.read_text()[-5000:]
    assert not left_behind, said.read_text()[-5000:]
    return said.read_text()


def lives(group: int) -> bool:
    """Whether a group of processes has any left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def free_ports(count: int) -> list[str]:
    """Ports that nobody listens on now."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in listening]
    for each in listening:
        each.close()
    return ports


def as_deployed(resource: str) -> str:
    """A resource of the list, in this account."""
    return re.sub("|".join(VARIABLES), lambda word: VARIABLES[word[0]], resource)


def test_the_picture_is_answered(account):
    """The two tiers on one desk, on the queues and buckets of the page: ready, a label, nothing pending."""
    assert '"status":"ready"' in account.said
    [answer] = [json.loads(line) for line in re.findall(r'\{"state":"done".*\}', account.said)]
    assert answer["label"]
    assert "Every picture older than 15m has its answer." in account.said
    for store in ("inputs", "results"):
        kept = account.ask("s3", "list_objects_v2", Bucket=f"{STACK}-{ACCOUNT}-{store}")["Contents"]
        assert answer["id"] in {found["Key"] for found in kept}


def test_the_request_queue_is_as_the_design_has_it(account):
    """30 seconds, 4 days, encrypted, and 20 deliveries until the dead-letter queue."""
    found = account.queue(f"{STACK}-requests")
    redrive = json.loads(found["RedrivePolicy"])

    assert float(found["VisibilityTimeout"]) == DEFAULT["visibility_timeout"]
    assert float(found["MessageRetentionPeriod"]) == DEFAULT["queue_days"] * DAY
    assert found["SqsManagedSseEnabled"] == "true"
    assert int(redrive["maxReceiveCount"]) == DEFAULT["max_receives"]
    assert redrive["deadLetterTargetArn"] == account.queue(f"{STACK}-dead-letters")["QueueArn"]


def test_the_dead_letter_queue_keeps_longer(account):
    """It is encrypted, and its messages outlive those of the request queue, but no picture."""
    found = account.queue(f"{STACK}-dead-letters")

    assert found["SqsManagedSseEnabled"] == "true"
    assert DEFAULT["queue_days"] < float(found["MessageRetentionPeriod"]) / DAY < DEFAULT["inputs_days"]


def test_no_other_queue_is_left(account):
    """The web process removed its response queue when it ended."""
    urls = account.ask("sqs", "list_queues")["QueueUrls"]
    assert {url.rpartition("/")[2] for url in urls} == {f"{STACK}-requests", f"{STACK}-dead-letters"}


@pytest.mark.parametrize(("store", "days"), [("inputs", "inputs_days"), ("results", "answers_days")])
def test_the_buckets_are_closed_encrypted_and_forgetful(account, store, days):
    """No public access, encryption by default, everything gone after its days, no halves of uploads, no versions."""
    bucket = {"Bucket": f"{STACK}-{ACCOUNT}-{store}"}
    closed = account.ask("s3", "get_public_access_block", **bucket)["PublicAccessBlockConfiguration"]
    [encrypted] = account.ask("s3", "get_bucket_encryption", **bucket)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    [rule] = account.ask("s3", "get_bucket_lifecycle_configuration", **bucket)["Rules"]

    assert len(closed) == 4
    assert all(closed.values())
    assert encrypted["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert rule["Status"] == "Enabled"
    assert rule["Filter"] == {"Prefix": ""}
    assert rule["Expiration"]["Days"] == DEFAULT[days]
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    assert "Status" not in account.ask("s3", "get_bucket_versioning", **bucket)


def statements(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Action and resource of each statement; nothing else may stand there."""
    for statement in document["Statement"]:
        assert set(statement) == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
    return {(action, line["Resource"]) for line in document["Statement"] for action in line["Action"]}


@pytest.mark.parametrize("tier", TIERS)
def test_each_tier_may_do_what_the_table_says(account, tier):
    """The policy in the account has the lines of the page, in this account, and no other."""
    if tier == "operator":
        policy = {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-operator"}
        found = account.ask("iam", "get_policy_version", VersionId="v1", **policy)["PolicyVersion"][
            "Document"
        ]
    else:
        role = {"RoleName": f"{STACK}-{tier}"}
        assert account.ask("iam", "list_role_policies", **role)["PolicyNames"] == [f"{STACK}-{tier}"]
        assert account.ask("iam", "list_attached_role_policies", **role)["AttachedPolicies"] == []
        found = account.ask("iam", "get_role_policy", PolicyName=f"{STACK}-{tier}", **role)["PolicyDocument"]
    page = {(line.action, as_deployed(line.resource)) for line in policies() if line.tier == tier}

    assert statements(found) == page


@pytest.mark.parametrize("tier", ["web", "worker"])
def test_instances_take_on_the_role_of_their_tier(account, tier):
    """The instance profile has the tier's role, and only EC2 may take that on."""
    profile = account.ask("iam", "get_instance_profile", InstanceProfileName=f"{STACK}-{tier}")
    [role] = profile["InstanceProfile"]["Roles"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]

    assert role["RoleName"] == f"{STACK}-{tier}"
    assert trust["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"


def test_no_key_of_aws_stands_in_a_file(account):
    """The files that the blocks wrote, and what was said, have no secret of AWS in them."""
    for path in account.folder.glob("*.*"):
        assert KEYS["AWS_SECRET_ACCESS_KEY"].encode() not in path.read_bytes(), path.name


def test_the_page_names_the_price_of_what_it_ran(account):
    """The tool priced the requests that the two processes had counted."""
    assert account.said.count("| A million pictures ") == 2
