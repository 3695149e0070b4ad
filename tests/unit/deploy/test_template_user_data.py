"""What an instance is told when it boots."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.rig.machines.user_data import files, variables
from tests.stack_template import GIVEN, TIERS, image, names, service, user_data

from iraas.deploy.template import service_template
from iraas.scaling.plan import Plan, read_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.settings import ON_AWS, Settings

MOST_BYTES = 16_384  # of user data, before it is encoded ("Run commands when you launch an EC2 instance")
ONLY_ITS_OWN = {"IRAAS_INSTANCE_TIER", "IRAAS_INSTANCE_GROUP", "IRAAS_INSTANCE_HOOK", "IRAAS_INSTANCE_SIGNAL"}
ONLY_WEB = {
    "IRAAS_HOST",
    "IRAAS_API_KEYS_SECRET",
    "IRAAS_INSTANCE_LINGER",
    "IRAAS_APP_GROUP",
    "IRAAS_POLICY",
}


def environment(tier: str, **parameters: str) -> dict[str, str]:
    """The environment file of a tier."""
    return variables(files(user_data(service(**parameters), tier))["/etc/iraas/iraas.env"])


def shellchecked(script: str) -> str:
    """What shellcheck finds."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    return subprocess.run(
        [shellcheck, "--norc", "--shell=bash", "--severity=style", "-"],
        input=script, text=True, capture_output=True, check=False,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_shellcheck_finds_nothing(tier, architecture):
    """The script as an instance gets it is clean, and so short that EC2 takes it."""
    script = user_data(service(Architecture=architecture), tier)
    assert shellchecked(script) == ""
    assert script.startswith("#!/bin/bash\n")
    assert len(script.encode()) < MOST_BYTES


def test_the_image_builders_script_is_clean_too():
    """What installs Session Manager's agent on the machine that builds."""
    [recipe] = image().of("AWS::ImageBuilder::ImageRecipe").values()
    script = base64.b64decode(
        recipe.properties["AdditionalInstanceConfiguration"]["UserDataOverride"]
    ).decode()
    assert shellchecked(script) == ""


@pytest.mark.parametrize("tier", TIERS)
def test_the_environment_is_what_the_settings_take(tier):
    """Every line is a setting with a value that it takes, and no other; so the services start."""
    lines = environment(tier)
    settings = Settings(**{name.removeprefix("IRAAS_").lower(): value for name, value in lines.items()})

    assert settings.backend == "aws"
    assert all(getattr(settings, name) for name in ON_AWS)
    assert settings.stack == "STACK"
    assert settings.instance_tier == tier
    assert settings.app_group == ("STACK-app" if tier == "web" else "")
    assert settings.policy == ("/etc/iraas/policy.toml" if tier == "web" else "")
    assert settings.workers_per_instance == 2
    assert settings.model == "default"


@pytest.mark.parametrize("tier", TIERS)
def test_an_instance_knows_its_group_and_its_hook(tier):
    """The names in the file are those of the resources, which are there later than the launch template."""
    stack, lines = service(), environment(tier)
    group = stack.resources[f"{TIERS[tier]}Group"].properties
    hook = stack.resources[f"{TIERS[tier]}Hook"].properties

    assert (
        lines["IRAAS_INSTANCE_GROUP"] == group["AutoScalingGroupName"] == names(f"{TIERS[tier]}Group", None)
    )
    assert lines["IRAAS_INSTANCE_HOOK"] == hook["LifecycleHookName"]
    assert lines["IRAAS_LOG_GROUP"] == stack.resources["LogGroup"].properties["LogGroupName"]


def test_the_tiers_differ_in_what_they_must():
    """One script for both: they differ by who they are, and by what only a web process needs."""
    web, app = environment("web"), environment("app")
    assert set(web) - set(app) == ONLY_WEB
    assert {name for name in app if web[name] != app[name]} == ONLY_ITS_OWN

    stack = service()
    scripts = {tier: user_data(stack, tier) for tier in TIERS}
    commands = {
        tier: re.sub(r"^cat > .*?^END$\n", "", text, flags=re.MULTILINE | re.DOTALL)
        for tier, text in scripts.items()
    }
    assert commands["web"].replace("TIER=web", "TIER=app") == commands["app"]
    assert set(files(scripts["web"])) - set(files(scripts["app"])) == {"/etc/iraas/policy.toml"}


def test_other_bounds_or_another_policy_replace_no_worker():
    """What changes user data replaces every instance of its tier; who asks for more capacity keeps what there is."""
    other = Plan(maximum=10, policy=Staffing(hold=300.0))
    assert user_data(service(AppMin="1", AppMax="20"), "app") == user_data(service(), "app")
    assert user_data(service(service_template(other)), "app") == user_data(service(), "app")
    assert user_data(service(service_template(other)), "web") != user_data(service(), "web")


def test_no_key_is_in_it():
    """Neither an API key's hash nor a credential stands in a launch template, which many may read."""
    for tier in TIERS:
        script = user_data(service(), tier)
        assert GIVEN["ApiKeys"] not in script
        assert "a" * 64 not in script
        assert not re.search(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b", script)


def test_what_is_fetched_is_the_release_that_the_stack_names():
    """Bucket, key and hash come from the stack; S3 wants the hash of an empty body said."""
    script = user_data(service(), "app")
    assert (
        f"BUCKET=STACK-ACCOUNT-artifacts RELEASE={GIVEN['Release']} SHA256={GIVEN['ReleaseSha256']}\n"
        in script
    )
    assert f"x-amz-content-sha256:{hashlib.sha256(b'').hexdigest()}" in script
    assert "http://169.254.169.254/" in script
    assert not re.search(r"http://(?!169\.254\.169\.254)", script)


def test_the_policy_is_one():
    """The controller's file is a plan between the stack's bounds."""
    plan = read_plan(files(user_data(service(), "web"))["/etc/iraas/policy.toml"])
    assert (plan.minimum, plan.maximum) == (0, 10)
