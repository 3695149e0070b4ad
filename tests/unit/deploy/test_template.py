"""Plans into the template, and what the template asks for."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.rig.machines.user_data import files
from tests.stack_template import read, service, user_data

from iraas.deploy.template import INLINE_BYTES, SERVICE, parameters, read_template, service_template
from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.plan import Plan, read_plan
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.render import default_app_plan, default_web_plan, render
from iraas.scaling.tracking import TargetTracking

BY_DEPTH = StepAlarms(
    out_when=Alarm("backlog", 100.0, ">="),
    in_when=Alarm("backlog", 0.0, "<=", datapoints=3, evaluation_periods=3),
    out=StepScaling(steps=(Step(lower=0, upper=900, change=1), Step(lower=900, change=5))),
    back=StepScaling(steps=(Step(upper=0, change=-1),)),
)
BY_LOAD = Tracking(metric="cpu", tracking=TargetTracking(target=0.6))
PLANS = [
    Plan(minimum=1, maximum=200, policy=Staffing(objective=0.5)),
    Plan(minimum=0, maximum=7, policy=BY_DEPTH),
    Plan(minimum=2, maximum=9, policy=Combined(parts=(BY_LOAD, BY_DEPTH))),
]


def test_the_file_is_what_the_default_plans_make():
    """The template in the package is the splice of the default plans: `python -m iraas.deploy.template` writes it."""
    assert service_template(default_app_plan(), default_web_plan()) == SERVICE.read_text()
    assert service_template() == SERVICE.read_text()


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.policy.title)
def test_another_plan_takes_the_place_of_the_default_one(plan):
    """Alarms, policies, the controller's file and the group's bounds are the plan's; all else stays."""
    made, shipped = (read(text)["Resources"] for text in (service_template(plan), service_template()))
    rendered = render(plan, tier="app")

    assert {name: made[name] for name in rendered} == rendered
    gone = set(render(default_app_plan(), tier="app")) - set(rendered)
    assert {name: made[name] for name in set(shipped) - gone - set(rendered)} == {
        name: shipped[name] for name in set(shipped) - gone - set(rendered)
    }
    assert not gone & set(made)
    stack = service(service_template(plan))
    group = stack.resources["AppGroup"].properties
    assert (int(group["MinSize"]), int(group["MaxSize"])) == (plan.minimum, plan.maximum)
    assert read_plan(files(user_data(stack, "web"))["/etc/iraas/policy.toml"]) == plan


def test_a_plan_of_the_web_tier_leaves_the_app_tier_alone():
    """Either tier has its own plan."""
    web = Plan(minimum=3, maximum=30, policy=BY_LOAD)
    stack = service(service_template(web=web))

    group = stack.resources["WebGroup"].properties
    assert (int(group["MinSize"]), int(group["MaxSize"])) == (3, 30)
    assert set(render(web, tier="web")) == {
        name for name, found in stack.of("AWS::AutoScaling::ScalingPolicy", "AWS::CloudWatch::Alarm").items()
        if name.startswith("Web") and found
    }  # fmt: skip
    assert read_plan(files(user_data(stack, "web"))["/etc/iraas/policy.toml"]) == default_app_plan()


def test_bounds_that_the_stack_is_given_reach_the_controller():
    """Who changes AppMin and AppMax in the console changes what the controller keeps to."""
    stack = service(AppMin="3", AppMax="44")
    plan = read_plan(files(user_data(stack, "web"))["/etc/iraas/policy.toml"])
    assert (plan.minimum, plan.maximum) == (3, 44)


def test_a_template_may_be_spliced_again_from_scratch():
    """The marks stay where they are, whatever was rendered between them."""
    for plan in PLANS:
        text = service_template(plan)
        for mark in (
            "  # rendered: begin\n",
            "  # rendered: end\n",
            "      # policy: begin\n",
            "      # policy: end\n",
        ):
            assert text.count(mark) == 1
        assert (
            len(
                re.findall(
                    r"^    Default: \d+  # rendered: (?:app|web) (?:minimum|maximum)$", text, re.MULTILINE
                )
            )
            == 4
        )


def test_a_template_without_marks_is_refused(monkeypatch, tmp_path):
    """A mark that somebody removed is an error, not a template without alarms."""
    spoilt = tmp_path / "service.yaml"
    spoilt.write_text(SERVICE.read_text().replace("  # rendered: end\n", ""))
    monkeypatch.setattr("iraas.deploy.template.SERVICE", spoilt)
    with pytest.raises(ValueError, match="0 places"):
        service_template(PLANS[0])


def test_it_fits_into_a_call():
    """The template needs no bucket on its way to CloudFormation."""
    assert len(service_template().encode()) <= INLINE_BYTES


def test_it_knows_no_aliases():
    """CloudFormation refuses anchors and aliases of YAML."""
    for plan in PLANS:
        events = yaml.parse(service_template(plan), Loader=yaml.CSafeLoader)
        assert not [event for event in events if isinstance(event, yaml.AliasEvent)]


def test_what_is_asked_for_is_listed_in_order():
    """Each parameter with its type, default, description and choices; without a default it must be given."""
    found = parameters(service_template())
    by_name = {parameter.name: parameter for parameter in found}

    assert list(by_name) == list(read_template(service_template())["Parameters"])
    assert {parameter.name for parameter in found if parameter.default is None} == {
        "Vpc", "Subnets", "ApiKeys", "Release", "ReleaseSha256",
    }  # fmt: skip
    assert {parameter.name for parameter in found if parameter.secret} == {"ApiKeys"}
    assert by_name["AllowHttp"].default == "false"
    assert by_name["Architecture"].allowed == ("x86_64", "arm64")
    assert (by_name["AppMin"].default, by_name["AppMax"].default) == ("0", "10")
    assert by_name["Vpc"].type == "AWS::EC2::VPC::Id"
    assert all(parameter.description for parameter in found)


def test_the_console_shows_every_parameter_under_a_heading():
    """The groups of parameters name each one, once."""
    document = read_template(service_template())
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(document["Parameters"])
