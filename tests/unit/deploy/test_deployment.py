"""What is found out before a rollout: what a stack keeps, what a new one needs, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.deploy.offers import kind
from tests.unit.deploy.watched import Watched

from iraas.deploy.bill import PRICES, read_prices
from iraas.deploy.deployment import Deployment, Request
from iraas.deploy.instance_types import without_types
from iraas.deploy.network import Network
from iraas.deploy.operators import environment
from iraas.deploy.options import Options
from iraas.deploy.template import read_template, service_template
from iraas.errors import ConfigurationError
from iraas.scaling.plan import Plan, read_plan
from iraas.scaling.policies.staffing import Staffing

HASH = "0" * 64
OURS = Plan(minimum=1, maximum=7, policy=Staffing(objective=3.5, boot=60.0))


@pytest.fixture(autouse=True)
def asked_of_network(aws, stacks, buckets, offers, monkeypatch) -> list[tuple[Any, ...]]:
    """A default VPC, and what was asked of it; every rollout succeeds at once."""
    network = Network("vpc-1", ("subnet-1", "subnet-2"), ("a", "b"), ("rtb-1",))
    asked: list[tuple[Any, ...]] = []

    def find(_account: Any, types: Any, vpc: str, _subnets: Any, *, endpoint: str) -> Network:
        asked.append((types, vpc, endpoint))
        return network

    monkeypatch.setattr("iraas.deploy.deployment.find_network", find)

    def done() -> None:
        stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
        stacks.ends(
            "UPDATE_COMPLETE"
            if stacks.number and stacks.status == "UPDATE_IN_PROGRESS"
            else "CREATE_COMPLETE"
        )

    stacks.on_execute = [done]
    return asked


def deploy(
    aws,
    stack,
    release,
    *,
    plan: Plan | None = None,
    vpc: str = "",
    watched: Watched | None = None,
    **flags: Any,
) -> tuple[Deployment, list[str]]:
    built: list[str] = []

    def build(architecture: str) -> Any:
        built.append(architecture)
        return release

    options = Options(**flags)
    request = Request("photos", options, plan, vpc, (), build, lambda: ("the key", f"admin:{HASH}"))
    deployment = Deployment(aws.account(), stack, request)
    deployment.run(watched or Watched())
    return deployment, built


def sent(aws) -> dict[str, Any]:
    """The parameters of the latest change set."""
    asked = aws.calls("CreateChangeSet")[-1]
    return {one["ParameterKey"]: one.get("ParameterValue", "(kept)") for one in asked["Parameters"]}


def plan_sent(aws) -> Plan:
    template = read_template(aws.calls("CreateChangeSet")[-1]["TemplateBody"])
    return read_plan("minimum = 0\nmaximum = 9\n\n" + template["Mappings"]["Scaling"]["App"]["Policy"])


def test_a_new_stack_gets_a_network_a_release_and_a_key(aws, stack, release):
    """The key is handed over once; the stack gets its hash."""
    deployment, built = deploy(aws, stack, release, http=True)
    assert built == ["x86_64"]
    assert deployment.api_key == "the key"
    assert sent(aws) == {
        "Vpc": "vpc-1",
        "Subnets": "subnet-1,subnet-2",
        "RouteTables": "rtb-1",
        "AllowHttp": "true",
        "ApiKeys": f"admin:{HASH}",
        "Release": release.key,
        "ReleaseSha256": release.sha256,
    }
    assert "the key" not in str(aws.asked)
    assert aws.calls("CreateChangeSet")[0]["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert aws.calls("CreateChangeSet")[0]["Tags"] == [{"Key": "iraas", "Value": "photos"}]


def test_keys_that_are_given_are_taken(aws, stack, release):
    """None is made beside them."""
    deployment, _ = deploy(aws, stack, release, http=True, api_keys=(f"ann:{HASH}", f"bob:{HASH}"))
    assert deployment.api_key == ""
    assert sent(aws)["ApiKeys"] == f"ann:{HASH},bob:{HASH}"


def test_an_update_keeps_keys_network_and_all_that_is_not_said(aws, stack, release):
    """A second call with one flag changes one parameter, and the release."""
    deploy(aws, stack, release, http=True, architecture="arm64")
    deployment, built = deploy(aws, stack, release, maximum=3)
    assert deployment.api_key == ""
    assert built == ["arm64"]
    changed = {name: value for name, value in sent(aws).items() if value != "(kept)"}
    assert changed == {"AppMax": "3", "Release": release.key, "ReleaseSha256": release.sha256}


def test_a_policy_brings_its_bounds_and_stays(aws, stack, release):
    """Flags win over the file's bounds; a later call without --policy keeps the policy."""
    deploy(aws, stack, release, plan=OURS, http=True, maximum=5)
    assert (sent(aws)["AppMin"], sent(aws)["AppMax"]) == ("1", "5")
    assert plan_sent(aws).policy == OURS.policy

    deploy(aws, stack, release)
    assert (sent(aws)["AppMin"], sent(aws)["AppMax"]) == ("(kept)", "(kept)")
    assert plan_sent(aws).policy == OURS.policy


def test_a_template_that_is_not_ours_gets_our_policy(aws, stack, stacks, release):
    """What cannot be read is not kept."""
    deploy(aws, stack, release, http=True)
    stacks.template = '{"Resources": {}}'
    deploy(aws, stack, release)
    assert aws.calls("CreateChangeSet")[-1]["TemplateBody"] == service_template()


def test_a_stack_that_failed_is_made_anew_with_what_it_was_told(aws, stack, stacks, release):
    """All but the key, which nobody can read any more: there is a new one."""
    deploy(aws, stack, release, http=True, maximum=4)
    stacks.status = "ROLLBACK_COMPLETE"
    deployment, _ = deploy(aws, stack, release)
    assert deployment.api_key == "the key"
    assert (sent(aws)["AllowHttp"], sent(aws)["AppMax"], sent(aws)["Vpc"]) == ("true", "4", "vpc-1")


REFUSED = {
    "nobody said how clients come in": ({}, "--certificate ARN"),
    "a certificate of elsewhere": (
        {"certificate": "arn:aws:acm:eu-west-1:123456789012:certificate/1-2"},
        "--region eu-west-1",
    ),
    "a minimum beyond the default maximum": (
        {"http": True, "minimum": 50},
        "minimum is 50 and its maximum 10",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_made(case, aws, stack, stacks, release):
    """No change set, no stack, no upload."""
    flags, words = REFUSED[case]
    with pytest.raises(ConfigurationError) as error:
        deploy(aws, stack, release, **flags)
    assert words in error.value.detail
    assert stacks.status is None
    assert aws.calls("CreateMultipartUpload") == []


def test_types_are_of_the_architecture_and_bring_their_cores(aws, offers, stack, release):
    """c7i.xlarge has four vCPUs, so four workers; on arm64 it cannot be."""
    offers.kinds["c7i.xlarge"] = kind("c7i.xlarge", vcpus=4)
    deploy(aws, stack, release, http=True, instance_type="c7i.xlarge")
    assert sent(aws)["WorkersPerInstance"] == "4"
    deploy(aws, stack, release, instance_type="c7i.xlarge", workers_per_instance=3)
    assert sent(aws)["WorkersPerInstance"] == "3"
    with pytest.raises(ConfigurationError, match=r"c7i\.xlarge is x86_64, and the stack is arm64"):
        deploy(aws, stack, release, instance_type="c7i.xlarge", architecture="arm64")


def test_a_type_that_the_stack_keeps_must_do_as_well(aws, offers, stack, release):
    """Without a word of it now: a change of the architecture would be taken back by AWS after minutes."""
    offers.kinds["c7i.xlarge"] = kind("c7i.xlarge", vcpus=4)
    deploy(aws, stack, release, http=True, instance_type="c7i.xlarge")
    deploy(aws, stack, release, maximum=3)
    assert (sent(aws)["AppInstanceType"], sent(aws)["WorkersPerInstance"]) == ("(kept)", "(kept)")
    with pytest.raises(ConfigurationError, match=r"c7i\.xlarge is x86_64, and the stack is arm64"):
        deploy(aws, stack, release, architecture="arm64")


def test_types_that_the_region_lacks_are_not_in_its_template(aws, offers, stack, release, asked_of_network):
    """Neither in a new stack nor in an update; a line says so, and the network is found for what is left."""
    offers.lacking["us-east-1"] = {"c7i.large"}
    watched = Watched()
    deploy(aws, stack, release, http=True, watched=watched)
    deploy(aws, stack, release, maximum=3)
    for asked in aws.calls("CreateChangeSet"):
        assert asked["TemplateBody"] == without_types(service_template(), ["c7i.large"])
    line = "us-east-1 does not offer c7i.large: the app tier takes m7i.large, c6i.large, m6i.large."
    assert watched.lines[0] == line
    assert [types.app for types, *_ in asked_of_network] == [("m7i.large", "c6i.large", "m6i.large")]


def test_a_stack_that_moves_keeps_its_own_way_to_s3(aws, stack, stacks, release, asked_of_network):
    """Its endpoint is told by the id that the stack has of it; a new stack has none."""
    deploy(aws, stack, release, http=True, vpc="vpc-0000000a")
    stacks.happens("StorageEndpoint", "CREATE_COMPLETE", kind="AWS::EC2::VPCEndpoint")
    stacks.ends("CREATE_COMPLETE")
    stacks.physical["StorageEndpoint"] = "vpce-1"
    deploy(aws, stack, release, vpc="vpc-0000000a")
    deploy(aws, stack, release)
    assert [(vpc, endpoint) for _, vpc, endpoint in asked_of_network] == [
        ("vpc-0000000a", ""),
        ("vpc-0000000a", "vpce-1"),
    ]


def test_an_operator_gets_the_settings_of_the_stack(stack, stacks):
    """Lines that `iraas audit` can run on; a stack without them is refused."""
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.outputs = {
        "RequestQueueUrl": "q",
        "DeadLetterQueueUrl": "d",
        "InputBucket": "i",
        "ResultBucket": "r",
    }
    assert environment(stack) == {
        "IRAAS_BACKEND": "aws",
        "IRAAS_STACK": "photos",
        "IRAAS_REGION": "us-east-1",
        "IRAAS_REQUEST_QUEUE_URL": "q",
        "IRAAS_DEAD_LETTER_QUEUE_URL": "d",
        "IRAAS_INPUT_BUCKET": "i",
        "IRAAS_RESULT_BUCKET": "r",
    }
    stacks.outputs = {}
    with pytest.raises(ConfigurationError, match="there is no whole stack photos"):
        environment(stack)


def test_the_prices_of_the_package_can_be_read():
    """With all that a stack needs."""
    assert read_prices(PRICES).standing is not None
