"""From an account to a stack and back to nothing, with the real template as far as each stand-in makes it."""

from __future__ import annotations

import hashlib
import json

import pytest
from botocore.exceptions import ClientError
from tests.doubles.moto_cloudformation import MotoCloudFormation
from tests.integration.deploy.cloud import Cloud, account, key_in

from iraas.scaling.plan import Plan, write_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.settings import load_settings


def buckets(cloud: Cloud) -> set[str]:
    return {one["Name"] for one in cloud.ask("s3", "list_buckets")["Buckets"]}


def test_one_command_makes_a_service(either):
    """Changes are shown, the release arrives whole, and a key is printed once."""
    said = either.deploy("--http")

    assert said.code == 0, said.err
    assert "Add      RequestQueue" in said.err
    assert f'curl -H "Authorization: Bearer {key_in(said)}"' in said.out
    assert either.stack()["StackStatus"] == "CREATE_COMPLETE"
    [bucket] = [name for name in buckets(either) if name.endswith("-artifacts")]
    [item] = either.ask("s3", "list_objects_v2", Bucket=bucket)["Contents"]
    assert item["Key"] == f"releases/{either.release.name}" == either.parameters()["Release"]
    body = either.ask("s3", "get_object", Bucket=bucket, Key=item["Key"])["Body"].read()
    assert hashlib.sha256(body).hexdigest() == either.parameters()["ReleaseSha256"]


def test_another_removes_it(cloud):
    """At the end nothing of the name is left, and a second call finds nothing."""
    cloud.deploy("--http")
    said = cloud.iraas("destroy", "photos", "--yes")
    assert said.code == 0, said.err
    assert said.out == "Nothing that is called photos is left in us-east-1.\n"
    assert buckets(cloud) == set()
    with pytest.raises(ClientError, match="does not exist"):
        cloud.stack()
    assert "There is no stack photos" in cloud.iraas("destroy", "photos", "--yes").out


def test_an_end_that_is_only_said_is_found_out(tmp_path):
    """Moto calls the stack deleted and keeps its buckets and queues: they are listed, with exit code 1."""
    with MotoCloudFormation() as moto, account(moto, tmp_path) as cloud:
        cloud.deploy("--http")
        said = cloud.iraas("destroy", "photos", "--yes")
    assert said.code == 1
    assert "The stack photos is deleted." in said.err
    for left in ("the bucket photos-123456789012-inputs", "the queue photos-dead-letters"):
        assert left in said.out


def test_a_second_call_changes_nothing_and_a_flag_changes_what_it_says(cloud):
    """What is not said stays: HTTP, the keys, the network. A new key is not made."""
    cloud.deploy("--http")
    before = cloud.parameters()

    said = cloud.deploy()
    assert (said.code, key_in(said)) == (0, "")
    assert "Nothing changes in the stack photos." in said.err

    said = cloud.deploy("--max", "3", "--json")
    assert said.code == 0, said.err
    facts = json.loads(said.out)
    assert (facts["status"], facts["done"], facts["api_key"]) == ("UPDATE_COMPLETE", True, None)
    assert cloud.parameters() == before | {"AppMax": "3"}


def test_a_policy_is_deployed_and_stays(cloud, tmp_path):
    """What `iraas scaling recommend` writes is what the stack has, also after the next update."""
    policy = tmp_path / "policy.toml"
    policy.write_text(write_plan(Plan(minimum=1, maximum=4, policy=Staffing(objective=3.5))))
    cloud.deploy("--http", "--policy", str(policy))
    assert (cloud.parameters()["AppMin"], cloud.parameters()["AppMax"]) == ("1", "4")

    def deployed() -> str:
        return str(cloud.ask("cloudformation", "get_template", StackName="photos")["TemplateBody"])

    assert "objective = 3.5" in deployed()
    cloud.deploy("--max", "5")
    assert "objective = 3.5" in deployed()


def test_nobody_is_asked_where_nobody_can_answer(either):
    """Without --yes and without a terminal nothing is made, and nothing is left."""
    words = ("deploy", "photos", "--http", "--release", str(either.release))
    said = either.iraas(*words)
    assert said.code == 2
    assert "say --yes" in said.err
    assert buckets(either) == set()
    assert either.deploy("--http").code == 0


def test_pictures_keep_a_service_from_being_removed(cloud):
    """The line says how many and where; with the word they go."""
    cloud.deploy("--http")
    inputs = next(one["OutputValue"] for one in cloud.stack()["Outputs"] if one["OutputKey"] == "InputBucket")
    for number in range(3):
        cloud.put(inputs, f"pictures/{number}")
    cloud.put(inputs, "probes/start")

    said = cloud.iraas("destroy", "photos", "--yes")
    assert said.code == 1
    assert f"there are 3 objects in {inputs}: nothing was removed" in said.err
    assert cloud.stack()["StackStatus"] == "CREATE_COMPLETE"

    assert cloud.iraas("destroy", "photos", "--yes", "--empty-buckets").code == 0
    assert buckets(cloud) == set()


def test_queues_of_web_processes_go_with_the_service(cloud):
    """No template knows them; another deployment's stay."""
    cloud.deploy("--http")
    for name in ("photos-responses-abc", "photos-2-responses-abc"):
        cloud.ask("sqs", "create_queue", QueueName=name)
    assert cloud.iraas("destroy", "photos", "--yes").code == 0
    left = [url.rpartition("/")[2] for url in cloud.ask("sqs", "list_queues").get("QueueUrls", [])]
    assert left == ["photos-2-responses-abc"]
    cloud.ask(
        "sqs", "delete_queue", QueueUrl=cloud.ask("sqs", "get_queue_url", QueueName=left[0])["QueueUrl"]
    )


def test_status_and_the_operators_settings_follow_the_stack(cloud, monkeypatch):
    """Queues are counted, and `--env` is enough for the commands that look after a service."""
    cloud.deploy("--http")
    requests = cloud.ask("sqs", "get_queue_url", QueueName="photos-requests")["QueueUrl"]
    cloud.ask("sqs", "send_message", QueueUrl=requests, MessageBody="job")

    said = cloud.iraas("status", "photos", "--json")
    facts = json.loads(said.out)
    assert said.code == 1  # no balancer answers here
    assert (facts["status"], facts["answers"]) == ("CREATE_COMPLETE", False)
    assert facts["queues"][0] == {"name": "requests", "visible": 1, "in_flight": 0}
    assert "requests" in cloud.iraas("status", "photos").out

    for line in cloud.iraas("status", "photos", "--env").out.splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    settings = load_settings()
    assert (settings.backend, settings.stack, settings.request_queue_url) == ("aws", "photos", requests)
    assert json.loads(cloud.iraas("audit", "--json").out)["waiting"] == 1


def test_a_stack_that_is_not_there_is_named(either):
    """Exit code 2, and both ways on."""
    said = either.iraas("status", "photos")
    assert said.code == 2
    assert (
        said.err == "iraas: there is no stack photos in us-east-1; say --region, or `iraas deploy photos`\n"
    )
