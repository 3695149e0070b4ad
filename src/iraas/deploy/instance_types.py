"""parameters, what a region offers -> the instance types of both tiers, or why none could start.

A group may be refused for a type that its region lacks, also while it has no instances ("Setup overview for creating a
mixed instances group", Auto Scaling user guide).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from iraas.deploy.account import Account
from iraas.deploy.foresee import Foreseen
from iraas.deploy.offers import alike, offered
from iraas.deploy.options import completed
from iraas.deploy.refusals import in_words
from iraas.deploy.template import parameters, read_template, service_template
from iraas.errors import ConfigurationError


class Types(NamedTuple):
    """What instances are started of."""

    web: str
    app: tuple[str, ...]  # the first is the launch template's
    lacking: tuple[str, ...] = ()  # what the template takes as well, and the region lacks
    vcpus: int = 0  # of an app type that was named; 0: none was


def choose_types(account: Account, values: Mapping[str, str]) -> Types:
    """What the template takes with these parameters, without those types of its own that the region lacks.

    Raises `ConfigurationError` where none is left, and for a type that was named and is of another architecture, or
    that the web tier cannot have with the one core that it uses.
    """
    text = service_template()
    known = completed(parameters(text), values)
    foreseen = Foreseen(read_template(text), known)
    launch = foreseen.resources()["WebLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    group = foreseen.resources()["AppGroup"]["Properties"]["MixedInstancesPolicy"]["LaunchTemplate"]
    web = str(foreseen.value(launch["InstanceType"]))
    app = tuple(str(one["InstanceType"]) for one in foreseen.value(group["Overrides"]))
    ours = {"processor-info.supported-architecture": known["Architecture"]}
    cores = _cores(foreseen.value(launch["CpuOptions"]))
    with in_words("looking at instance types"):
        there = offered(account, {web, *app}, "region").get(account.region, set())
        for flag, kinds, wanted in (
            ("--web-instance-type", (web,), ours | cores),
            ("--instance-type", app, ours),
        ):
            if not there & set(kinds):
                raise ConfigurationError(
                    f"{account.region} does not offer {', '.join(kinds)}: take another {flag}"
                    f"{alike(account, kinds[0], wanted)}, or another --region"
                )
        about = {one["InstanceType"]: one for one in _named(account, known)}
        for one in about.values():
            _check_architecture(one, known["Architecture"])
        if web in about and not _can_have(about[web]["VCpuInfo"], cores):
            raise ConfigurationError(
                f"{web} cannot run with one core and one thread, which is what a web process fills: "
                f"take another --web-instance-type{alike(account, web, ours | cores)}"
            )
    return Types(
        web,
        tuple(kind for kind in app if kind in there),
        tuple(kind for kind in app if kind not in there),
        _vcpus(about.get(known["AppInstanceType"])),
    )


def without_types(template: str, lacking: Collection[str]) -> str:
    """A service's template whose app tier takes the others of its own types; as it is, if none is lacking."""
    if not lacking:
        return template
    changed = read_template(template)
    group = changed["Resources"]["AppGroup"]["Properties"]["MixedInstancesPolicy"]["LaunchTemplate"]
    launch = changed["Resources"]["AppLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    several, first = (item["Fn::If"][2]["Fn::If"] for item in (group["Overrides"], launch["InstanceType"]))
    for place in (1, 2):  # of arm64, and of x86_64
        left = [one for one in several[place] if one["InstanceType"] not in lacking]
        several[place], first[place] = left, left[0]["InstanceType"]
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False, default=str)


def _cores(options: Mapping[str, Any]) -> dict[str, str]:
    """The template's CpuOptions as filters of types; on arm64 it has none, and wants a type of one core."""
    if "CoreCount" not in options:
        return {"vcpu-info.default-cores": "1"}
    return {
        "vcpu-info.valid-cores": str(options["CoreCount"]),
        "vcpu-info.valid-threads-per-core": str(options["ThreadsPerCore"]),
    }


def _can_have(about: Mapping[str, Any], cores: Mapping[str, str]) -> bool:
    """Whether a type can be started with the template's CpuOptions.

    What cannot have any, as t2, says no valid cores ("CPU options for Amazon EC2 instances" does not list it either).
    """
    asked = {"vcpu-info.valid-cores": "ValidCores", "vcpu-info.valid-threads-per-core": "ValidThreadsPerCore"}
    return all(int(cores[name]) in about.get(key, ()) for name, key in asked.items() if name in cores)


def _vcpus(about: Mapping[str, Any] | None) -> int:
    return int(about["VCpuInfo"]["DefaultVCpus"]) if about else 0


def _named(account: Account, known: Mapping[str, str]) -> list[Any]:
    kinds = sorted({known["AppInstanceType"], known["WebInstanceType"]} - {""})
    if not kinds:
        return []
    return account.pages("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=kinds)


def _check_architecture(one: Mapping[str, Any], architecture: str) -> None:
    known = one["ProcessorInfo"]["SupportedArchitectures"]
    if architecture not in known:
        raise ConfigurationError(
            f"{one['InstanceType']} is {', '.join(known)}, and the stack is {architecture}: "
            f"say --architecture {known[-1]}, or take another type"
        )
