"""Which instance types a stack gets where not every region has every type, and which are refused."""

from __future__ import annotations

import pytest
from tests.unit.deploy.offers import OURS, kind

from iraas.deploy.instance_types import choose_types, without_types
from iraas.deploy.template import read_template, service_template
from iraas.errors import ConfigurationError


def choose(aws, **values: str):
    return choose_types(aws.account(), values)


def refused(aws, **values: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        choose(aws, **values)
    assert "\n" not in error.value.detail
    return str(error.value.detail)


def test_where_all_is_offered_the_template_stays_as_it_is(aws, offers):
    """The types are the template's own, of the architecture; EC2 is asked for one list, to its last page."""
    assert choose(aws) == OURS
    assert [name for name, _ in aws.asked] == ["ec2.DescribeInstanceTypeOfferings"] * 3
    assert choose(aws, Architecture="arm64").app[0] == "c7g.large"
    assert without_types(service_template(), ()) == service_template()


def test_types_that_a_region_lacks_are_left_out(aws, offers):
    """As in af-south-1: the first that there is becomes the launch template's, and the group has the others."""
    offers.lacking["us-east-1"] = {"c7i.large", "m7i.large"}
    found = choose(aws)
    assert (found.app, found.lacking) == (("c6i.large", "m6i.large"), ("c7i.large", "m7i.large"))


@pytest.mark.parametrize(
    ("architecture", "types"),
    [("x86_64", ["m7i.large", "m6i.large"]), ("arm64", ["c7g.large", "m7g.large", "c6g.large", "m6g.large"])],
)
def test_a_template_without_them_is_else_the_same(architecture, types):
    """Launch template and group change alike, and nothing else does; the other architecture's types stay."""
    text = without_types(service_template(), ("c7i.large", "c6i.large"))
    whole, less = read_template(service_template()), read_template(text)
    parts = {name for name in whole["Resources"] if whole["Resources"][name] != less["Resources"][name]}
    assert parts == {"AppGroup", "AppLaunchTemplate"}
    assert {name: part for name, part in whole.items() if name != "Resources"} == {
        name: part for name, part in less.items() if name != "Resources"
    }
    group, launch = (less["Resources"][name]["Properties"] for name in ("AppGroup", "AppLaunchTemplate"))
    place = {"arm64": 1, "x86_64": 2}[architecture]
    several = group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]["Fn::If"][2]["Fn::If"][place]
    assert [one["InstanceType"] for one in several] == types
    assert launch["LaunchTemplateData"]["InstanceType"]["Fn::If"][2]["Fn::If"][place] == types[0]


def test_a_type_that_a_region_lacks_is_refused_with_some_that_it_has(aws, offers):
    """Of the same size and architecture, the same class first."""
    offers.kinds |= {
        name: kind(name, cores=(1, 2), vcpus=4) for name in ("c6i.xlarge", "b1.xlarge", "c5n.xlarge")
    }
    assert refused(aws, AppInstanceType="c7i.xlarge") == (
        "us-east-1 does not offer c7i.xlarge: take another --instance-type, as c5n.xlarge, c6i.xlarge, b1.xlarge, "
        "or another --region"
    )
    assert "c7g.mega: take another --web-instance-type, or another --region" in refused(
        aws, WebInstanceType="c7g.mega"
    )


def test_a_region_with_none_of_our_own_is_told_so(aws, offers):
    """All of them are named, and what to say instead."""
    offers.lacking["us-east-1"] = set(OURS.app)
    offers.kinds["c5.large"] = kind("c5.large")
    words = refused(aws)
    assert "does not offer c7i.large, m7i.large, c6i.large, m6i.large" in words
    assert "--instance-type, as c5.large" in words
    assert choose(aws, AppInstanceType="c5.large").app == ("c5.large",)


def test_a_web_type_that_is_not_offered_is_refused_with_types_of_one_core(aws, offers):
    """On arm64 with one core as they are, since nothing cuts them there."""
    offers.lacking["us-east-1"] = {"c7g.medium"}
    offers.kinds |= {
        "m6g.medium": kind("m6g.medium", cores=(), vcpus=1, of="arm64"),
        "t4g.medium": kind("t4g.medium", cores=(1, 2), vcpus=4, of="arm64"),
    }
    words = refused(aws, Architecture="arm64")
    assert "does not offer c7g.medium: take another --web-instance-type, as m6g.medium, or" in words


@pytest.mark.parametrize(("name", "cores"), [("c5.xlarge", (2,)), ("t3.2xlarge", (2, 4)), ("t2.small", ())])
def test_a_web_type_that_cannot_run_with_one_core_is_refused(name, cores, aws, offers):
    """The template asks for one core with one thread, and EC2 would start none, for ever."""
    size = name.partition(".")[2]
    offers.kinds |= {name: kind(name, cores=cores), f"c6i.{size}": kind(f"c6i.{size}", cores=(1, 2))}
    words = refused(aws, WebInstanceType=name)
    assert words.startswith(f"{name} cannot run with one core and one thread")
    assert words.endswith(f"take another --web-instance-type, as c6i.{size}") or size == "small"


def test_a_core_whose_threads_cannot_be_chosen_is_refused_too(aws, offers):
    """Both are asked for, so both must be valid."""
    offers.kinds["x1.large"] = kind("x1.large")
    offers.kinds["x1.large"]["VCpuInfo"]["ValidThreadsPerCore"] = [2]
    assert "cannot run with one core" in refused(aws, WebInstanceType="x1.large")


def test_what_can_run_with_one_core_is_taken(aws, offers):
    """Also larger types that can be cut, an app type of any size, and on arm64 whatever is named."""
    offers.kinds |= {
        "c6i.xlarge": kind("c6i.xlarge", cores=(1, 2), vcpus=4),
        "c5.xlarge": kind("c5.xlarge", cores=(2,), vcpus=4),
        "c7g.xlarge": kind("c7g.xlarge", cores=(2, 4), vcpus=4, of="arm64"),
    }
    assert choose(aws, WebInstanceType="c6i.xlarge").web == "c6i.xlarge"
    assert choose(aws, AppInstanceType="c5.xlarge").vcpus == 4
    assert choose(aws, Architecture="arm64", WebInstanceType="c7g.xlarge").web == "c7g.xlarge"
