"""ministack takes the service's stack, and what it drops in silence is written down here, each property by name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.doubles.ministack import ACCOUNT, Ministack
from tests.e2e.aws.seen_on_ministack import Account, Properties, fits
from tests.rig.machines.user_data import files, variables
from tests.rig.template import resolve
from tests.stack_template import GIVEN, read
from tests.waiting import until

from iraas.deploy.template import service_template

STACK = "iraas"

# Types that it does not know. A metric-math alarm it knows, and refuses.
REFUSED = {"AWS::EC2::SecurityGroupIngress", "AWS::Budgets::Budget"}

# What cannot be seen afterwards as it was asked for. Each is looked at elsewhere: as text by tests/unit/deploy, in the
# closed loop by the rig, whose Auto Scaling is its own for this reason.
DROPPED = {
    "AutoScaling::AutoScalingGroup": {
        "CapacityRebalance", "MetricsCollection", "MixedInstancesPolicy", "TargetGroupARNs",
    },
    "AutoScaling::ScalingPolicy": {  # all that a policy says, but for its group and type
        "EstimatedInstanceWarmup", "MetricAggregationType", "StepAdjustments", "TargetTrackingConfiguration",
    },
    "EC2::LaunchTemplate": {"CpuOptions", "MetadataOptions"},
    "EC2::SecurityGroup": {
        "SecurityGroupEgress",  # dropped: all may leave
        "SecurityGroupIngress",  # there, without descriptions
    },
    "EC2::VPCEndpoint": {"RouteTableIds"},  # letter by letter: a CommaDelimitedList stays text
    "ElasticLoadBalancingV2::Listener": {"Certificates", "SslPolicy"},
    "IAM::InstanceProfile": {"Roles"},  # kept, and its own API fails when asked for them
    "IAM::Role": {"ManagedPolicyArns"},  # the same
    "S3::Bucket": {"LifecycleConfiguration", "PublicAccessBlockConfiguration"},
    "SQS::Queue": {"RedrivePolicy", "SqsManagedSseEnabled"},
}  # fmt: skip


def is_refused(resource: dict[str, Any]) -> bool:
    """Whether ministack takes a resource only by failing the whole stack."""
    kind = resource["Type"]
    return kind in REFUSED or (kind == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])


class Made(NamedTuple):
    """A stack in an account."""

    account: Account
    parameters: dict[str, str]
    physical: dict[str, str]  # logical id -> physical id
    outputs: dict[str, str]

    def name(self, logical: str, attribute: str | None) -> str:
        """What the account calls it."""
        known, region = self.physical[logical], Ministack.region
        if attribute is None:
            return known
        if known.startswith("http"):
            name = known.rpartition("/")[2]
            return name if attribute == "QueueName" else f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        if logical.endswith("Bucket"):
            return f"arn:aws:s3:::{known}"
        if logical == "LogGroup":
            return f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{known}:*"
        if attribute == "LoadBalancerFullName":
            return known.partition("loadbalancer/")[2]
        return "1" if attribute == "LatestVersionNumber" else known

    def wanted(self) -> dict[str, tuple[str, Properties]]:
        """Type and properties of all that the template has, with the account's names."""
        pseudo = {
            "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": Ministack.region,
            "AWS::StackName": STACK, "AWS::URLSuffix": "amazonaws.com",
        }  # fmt: skip
        document = {**read(service_template()), "Outputs": {}}
        document["Resources"] = kept(document["Resources"])
        stack = resolve(document, names=self.name, parameters=self.parameters, pseudo=pseudo)
        return {name: (found.type, found.properties) for name, found in stack.resources.items()}


def kept(resources: dict[str, Any]) -> dict[str, Any]:
    """Those that ministack takes; removed, never rewritten."""
    return {name: found for name, found in resources.items() if not is_refused(found)}


def create(
    account: Account, name: str, document: dict[str, Any], parameters: dict[str, str]
) -> dict[str, Any]:
    """Make a stack, and wait until it stands or does not."""
    client = account.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(document),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )

    def found() -> dict[str, Any]:
        [stack] = client.describe_stacks(StackName=name)["Stacks"]
        return dict(stack)

    until(lambda: not found()["StackStatus"].endswith("IN_PROGRESS"), what=f"the stack {name} is made")
    return found()


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """An account with a default VPC."""
    with Ministack() as ministack:
        found = Account(ministack)
        yield found
        found.close()


@pytest.fixture(scope="module")
def parameters(account: Account) -> dict[str, str]:
    """Everything on, in the account's own network."""
    ec2 = account.client("ec2")
    return {
        **GIVEN,
        "Vpc": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "Subnets": ",".join(found["SubnetId"] for found in ec2.describe_subnets()["Subnets"][:2]),
        "RouteTables": ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"],
        "AllowHttp": "true",
        "MonthlyCostLimit": "50",
        "CostEmail": "ann@example.com",
    }


@pytest.fixture(scope="module")
def made(account: Account, parameters: dict[str, str]) -> Made:
    """The service's stack, less what is refused."""
    document = dict(read(service_template()))
    document["Resources"] = kept(document["Resources"])
    stack = create(account, STACK, document, parameters)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    found = account.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return Made(
        account,
        parameters,
        {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found},
        {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]},
    )


def test_everything_that_it_takes_is_made(made):
    """Every resource but those removed beforehand is there, with the outputs of the template."""
    document = read(service_template())
    assert set(made.physical) == set(kept(document["Resources"]))
    assert set(made.outputs) == set(document["Outputs"])
    assert made.outputs["ArtifactsBucket"] == f"{STACK}-{ACCOUNT}-artifacts"
    assert (made.outputs["AppGroup"], made.outputs["WebGroup"]) == (f"{STACK}-app", f"{STACK}-web")


def test_only_what_is_refused_was_removed(account, parameters):
    """Each of them alone fails a stack: when ministack learns it, this test says so."""
    resources = read(service_template())["Resources"]
    removed = sorted(set(resources) - set(kept(resources)))
    assert removed
    for number, name in enumerate(removed):
        alone = {
            "Resources": {name: {key: value for key, value in resources[name].items() if key != "Condition"}}
        }
        alone["Parameters"] = read(service_template())["Parameters"]
        stack = create(account, f"refused-{number}", alone, parameters)
        assert stack["StackStatus"] in ("CREATE_FAILED", "ROLLBACK_COMPLETE"), name
        events = account.client("cloudformation").describe_stack_events(StackName=stack["StackName"])[
            "StackEvents"
        ]
        reasons = [event.get("ResourceStatusReason", "") for event in events]
        assert re.search("Unsupported resource type|metric math", " ".join(reasons)), reasons


def test_what_it_drops_is_known(made):
    """Each property that cannot be seen afterwards as it was asked for is in the table above, and no other is."""
    dropped: dict[str, set[str]] = {}
    for name, (kind, properties) in made.wanted().items():
        wanted = properties.get("LaunchTemplateData", properties)
        seen = made.account.seen(kind, made.physical[name], wanted)
        if lost := {key for key, value in wanted.items() if not fits(value, seen.get(key))}:
            dropped.setdefault(kind.removeprefix("AWS::"), set()).update(lost)
    assert dropped == DROPPED


def test_user_data_is_what_an_instance_would_get(made):
    """Two files and a script, with the queues, buckets and groups of the account."""
    wanted = made.wanted()["WebLaunchTemplate"][1]["LaunchTemplateData"]["UserData"]
    found = made.account.seen("AWS::EC2::LaunchTemplate", made.physical["WebLaunchTemplate"], {})["UserData"]
    script = base64.b64decode(found).decode()
    assert script == base64.b64decode(wanted).decode()
    lines = variables(files(script)["/etc/iraas/iraas.env"])
    assert lines["IRAAS_REQUEST_QUEUE_URL"] == made.outputs["RequestQueueUrl"]
    assert lines["IRAAS_RESULT_BUCKET"] == made.outputs["ResultBucket"]
    assert lines["IRAAS_APP_GROUP"] == made.outputs["AppGroup"]


def test_nothing_is_left_when_it_is_deleted(account, parameters):
    """Deleting a stack whose buckets are empty removes every resource of it."""
    document = {**read(service_template())}
    document["Resources"] = kept(document["Resources"])
    assert create(account, "gone", document, parameters)["StackStatus"] == "CREATE_COMPLETE"
    client = account.client("cloudformation")
    client.delete_stack(StackName="gone")

    def status() -> str:
        stacks = client.list_stacks()["StackSummaries"]
        return next(found["StackStatus"] for found in stacks if found["StackName"] == "gone")

    until(lambda: status() == "DELETE_COMPLETE", what="the stack is deleted")
    left = [
        account.client("s3").list_buckets()["Buckets"],
        account.client("sqs").list_queues().get("QueueUrls", []),
        account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        account.client("logs").describe_log_groups()["logGroups"],
        account.client("secretsmanager").list_secrets()["SecretList"],
        account.client("cloudwatch").describe_alarms()["MetricAlarms"],
        account.client("ec2").describe_launch_templates()["LaunchTemplates"],
        account.client("elbv2").describe_load_balancers()["LoadBalancers"],
    ]
    assert "gone" not in json.dumps(left, default=str)
