"""EC2's instance types in memory: what there is, what the region has of it, and what each zone has."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from iraas.deploy.instance_types import Types

PAGE = 2  # offerings on a page
ZONES = ("us-east-1a", "us-east-1b")
OURS = Types("t3.small", ("c7i.large", "m7i.large", "c6i.large", "m6i.large"))
_ARM = ("c7g.medium", "c7g.large", "m7g.large", "c6g.large", "m6g.large")


def kind(name: str, *, cores: tuple[int, ...] = (1,), vcpus: int = 2, of: str = "x86_64") -> dict[str, Any]:
    """A type as DescribeInstanceTypes says it; without valid `cores` its processors cannot be chosen, as t2's."""
    chosen = {"ValidCores": list(cores), "ValidThreadsPerCore": [1, 2]} if cores else {}
    return {
        "InstanceType": name,
        "CurrentGeneration": True,
        "ProcessorInfo": {"SupportedArchitectures": [of]},
        "VCpuInfo": {"DefaultVCpus": vcpus, "DefaultCores": max(1, vcpus // 2), **chosen},
    }


class Offers:
    """A region of two zones that has all the template's types, until told otherwise."""

    def __init__(self, aws: Any) -> None:
        self.zones = dict.fromkeys(ZONES, "availability-zone")  # those that the account has opted in to
        self.kinds = {name: kind(name) for name in (OURS.web, *OURS.app)}
        self.kinds |= {
            name: kind(name, cores=(), vcpus=1 if "medium" in name else 2, of="arm64") for name in _ARM
        }
        self.lacking: dict[str, set[str]] = {}  # of the region or a zone; "*": all
        aws.on("ec2", "DescribeInstanceTypeOfferings", self._offerings)
        aws.on("ec2", "DescribeInstanceTypes", self._types)
        aws.on("ec2", "DescribeAvailabilityZones", self._zones)

    def has(self, place: str, name: str) -> bool:
        lacking = self.lacking.get("us-east-1", set()) | self.lacking.get(place, set())
        return name in self.kinds and not lacking & {name, "*"}

    def _offerings(self, **asked: Any) -> dict[str, Any]:
        [only] = asked["Filters"]
        where, start = asked["LocationType"], int(asked.get("NextToken", "0"))
        assert only["Name"] == "instance-type"
        places = list(self.zones) if where == "availability-zone" else ["us-east-1"]
        found = [
            {"InstanceType": name, "LocationType": where, "Location": place}
            for place in places
            for name in only["Values"]
            if self.has(place, name)
        ]
        more = {"NextToken": str(start + PAGE)} if len(found) > start + PAGE else {}
        return {"InstanceTypeOfferings": found[start : start + PAGE], **more}

    def _types(self, **asked: Any) -> dict[str, Any]:
        found = [one for name, one in self.kinds.items() if self.has("us-east-1", name)]
        if "InstanceTypes" in asked:
            return {"InstanceTypes": [one for one in found if one["InstanceType"] in asked["InstanceTypes"]]}
        filters = {one["Name"]: one["Values"][0] for one in asked["Filters"]}
        return {"InstanceTypes": [one for one in found if self._fits(one, filters)]}

    def _fits(self, one: dict[str, Any], asked: dict[str, str]) -> bool:
        cpu = one["VCpuInfo"]
        said = {
            "current-generation": "true",
            "processor-info.supported-architecture": one["ProcessorInfo"]["SupportedArchitectures"][0],
            "vcpu-info.default-cores": str(cpu["DefaultCores"]),
        }
        listed = {
            "vcpu-info.valid-cores": cpu.get("ValidCores", []),
            "vcpu-info.valid-threads-per-core": cpu.get("ValidThreadsPerCore", []),
        }
        return all(
            fnmatch(one["InstanceType"], value)
            if name == "instance-type"
            else int(value) in listed[name]
            if name in listed
            else said[name] == value
            for name, value in asked.items()
        )

    def _zones(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert Filters == [{"Name": "zone-type", "Values": ["availability-zone"]}]
        return {
            "AvailabilityZones": [
                {"ZoneName": zone, "ZoneType": what}
                for zone, what in self.zones.items()
                if what == "availability-zone"
            ]
        }
