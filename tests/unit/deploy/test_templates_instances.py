"""What is started, in which groups, and how it leaves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.session import Session
from tests.rig.machines.user_data import files, variables
from tests.stack_template import TIERS, image, read, service, user_data

from iraas.cli import web
from iraas.deploy.template import service_template
from iraas.scaling.render import default_web_plan
from iraas.settings import Settings

DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}


def launch(tier: str, **parameters: str) -> dict[str, Any]:
    """What a tier's instances are started with."""
    found: dict[str, Any] = service(**parameters).resources[f"{TIERS[tier]}LaunchTemplate"].properties
    return found["LaunchTemplateData"]


@pytest.mark.parametrize("tier", TIERS)
def test_instances_are_closed(tier):
    """IMDSv2 within one hop, an encrypted disk that goes with the instance, no key pair, the tier's own role."""
    found = launch(tier)
    assert found["MetadataOptions"] == {
        "HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1,
    }  # fmt: skip
    [disk] = found["BlockDeviceMappings"]
    assert (
        disk["Ebs"].items() >= {"VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True}.items()
    )
    assert "KeyName" not in found
    assert found["IamInstanceProfile"] == {"Arn": f"{TIERS[tier]}Profile.Arn"}
    assert found["SecurityGroupIds"] == [f"{TIERS[tier]}SecurityGroup.GroupId"]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("architecture", "debian"), [("x86_64", "amd64"), ("arm64", "arm64")])
def test_the_stock_image_is_of_the_architecture(tier, architecture, debian):
    """Debian's own, by AWS's public parameter, unless an image is given."""
    stock = launch(tier, Architecture=architecture)["ImageId"]
    assert stock == f"{{{{resolve:ssm:/aws/service/debian/release/12/latest/{debian}}}}}"
    assert launch(tier, Architecture=architecture, Image="ami-01234567")["ImageId"] == "ami-01234567"


def test_the_app_tier_mixes_types_and_spot():
    """Several types of the architecture, on demand and spot as parameters say; a type that is named is the only one."""

    def mix(**parameters: str) -> tuple[list[str], dict[str, Any]]:
        policy = service(**parameters).resources["AppGroup"].properties["MixedInstancesPolicy"]
        types = [item["InstanceType"] for item in policy["LaunchTemplate"]["Overrides"]]
        return types, policy["InstancesDistribution"]

    (intel, by_default), (arm, _) = mix(), mix(Architecture="arm64")
    assert len(set(intel)) >= 3
    assert len(set(arm)) >= 3
    assert all(re.match(r"[a-z]\d+i\.", kind) for kind in intel)
    assert all(re.match(r"[a-z]\d+g\.", kind) for kind in arm)
    assert by_default["OnDemandPercentageAboveBaseCapacity"] == "100"
    types, half = mix(AppInstanceType="c7i.xlarge", OnDemandBase="1", OnDemandPercentage="50")
    assert types == ["c7i.xlarge"]
    assert (half["OnDemandBaseCapacity"], half["OnDemandPercentageAboveBaseCapacity"]) == ("1", "50")
    assert service().resources["AppGroup"].properties["CapacityRebalance"] is True
    assert launch("app", AppInstanceType="c7i.xlarge")["InstanceType"] == "c7i.xlarge"


@pytest.mark.parametrize("tier", TIERS)
def test_groups_can_be_scaled_and_followed(tier):
    """Over all subnets, with the metrics that alarms watch, a name on what is started, and no alarm in an update."""
    group = service().resources[f"{TIERS[tier]}Group"]
    assert group.properties["VPCZoneIdentifier"] == ["subnet-1", "subnet-2"]
    assert group.properties["MetricsCollection"] == [{"Granularity": "1Minute"}]
    assert "DesiredCapacity" not in group.properties  # an update would put it back to that
    assert all(tag["PropagateAtLaunch"] for tag in group.properties["Tags"])
    update = group.whole["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert "AlarmNotification" in update["SuspendProcesses"]
    least = int(read(service_template())["Parameters"][f"{TIERS[tier]}Max"]["MinValue"])
    assert update["MinInstancesInService"] < least  # CloudFormation refuses to update a group otherwise


@pytest.mark.parametrize("tier", TIERS)
def test_the_hook_is_longer_than_the_leaving(tier):
    """An instance has the time that its services take, and goes then whether or not somebody says so."""
    hook = service().resources[f"{TIERS[tier]}Hook"].properties
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert hook["DefaultResult"] == "CONTINUE"
    assert hook["HeartbeatTimeout"] == {"web": 180, "app": 120}[tier]
    if tier == "web":
        linger = float(
            variables(files(user_data(service(), tier))["/etc/iraas/iraas.env"])["IRAAS_INSTANCE_LINGER"]
        )
        targets = service().resources["BalancerTargets"].properties["TargetGroupAttributes"]
        [delay] = [float(item["Value"]) for item in targets if item["Key"].startswith("deregistration_delay")]
        assert linger >= delay
        assert linger + web.DRAIN_SECONDS + DEFAULT["sqs_wait_seconds"] < hook["HeartbeatTimeout"]


def test_the_web_tiers_processors_can_pass_their_target():
    """One process fills one core, so an instance has one, or the target would never be passed; measured each minute."""
    found = launch("web")
    assert found["CpuOptions"] == {"CoreCount": 1, "ThreadsPerCore": 1}
    assert found["Monitoring"] == {"Enabled": True}
    assert launch("web", Architecture="arm64")["InstanceType"].endswith(".medium")  # of one core as it is
    assert any(getattr(part, "metric", "") == "cpu" for part in default_web_plan().policy.parts)


def test_the_image_is_built_in_the_same_way():
    """The release's own install.sh, on an encrypted disk, by an instance that is closed like ours, and then proved."""
    stack = image()
    build, proof = (found.properties["Data"] for found in stack.of("AWS::ImageBuilder::Component").values())
    assert "./install.sh " + "b" * 64 in build
    assert "s3://STACK-ACCOUNT-artifacts/releases/iraas-0.1.0-x86_64-0123456789ab.tar" in build
    assert "iraas doctor" in proof
    [recipe] = stack.of("AWS::ImageBuilder::ImageRecipe").values()
    assert recipe.properties["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert len(recipe.properties["Components"]) == 2
    [how] = stack.of("AWS::ImageBuilder::InfrastructureConfiguration").values()
    assert how.properties["InstanceMetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
    names = [found.properties["Name"] for found in stack.of("AWS::ImageBuilder::Component").values()]
    pattern = r"[-_A-Za-z-0-9][-_A-Za-z0-9 ]{1,126}[-_A-Za-z-0-9]"  # CreateComponent, "name"
    assert all(re.fullmatch(pattern, name) for name in names)
    assert len(set(names)) == 2
    for architecture, debian in (("x86_64", "amd64"), ("arm64", "arm64")):
        [recipe] = image(Architecture=architecture).of("AWS::ImageBuilder::ImageRecipe").values()
        assert recipe.properties["ParentImage"].endswith(f"/{debian}}}}}")


def test_the_next_image_takes_the_place_of_the_last():
    """A recipe takes its next version from an x, a component its next build: neither is refused as there already."""
    stack = image()
    model = Session().get_service_model("imagebuilder")
    for kind, operation in {"ImageRecipe": "CreateImageRecipe", "Component": "CreateComponent"}.items():
        asked = model.operation_model(operation).input_shape.members["semanticVersion"].metadata["pattern"]
        for found in stack.of(f"AWS::ImageBuilder::{kind}").values():
            assert re.fullmatch(asked, found.properties["Version"])
            assert ("x" in found.properties["Version"]) == (kind == "ImageRecipe")
