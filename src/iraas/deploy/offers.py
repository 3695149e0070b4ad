"""instance types -> where EC2 offers them, or others that it does. What one zone or region has, another may lack."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from iraas.deploy.account import Account

SHOWN = 4  # types that a refusal names


def offered(account: Account, kinds: Collection[str], where: str) -> dict[str, set[str]]:
    """Which of these types a place has, for each that has any; `where` is region or availability-zone."""
    found: dict[str, set[str]] = {}
    for one in account.pages(
        "ec2",
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType=where,
        Filters=[{"Name": "instance-type", "Values": sorted(kinds)}],
    ):
        found.setdefault(one["Location"], set()).add(one["InstanceType"])
    return found


def alike(account: Account, kind: str, asked: Mapping[str, str]) -> str:
    """Types of the region of the same size, those of its own class first, for the end of a line; empty: none.

    `asked` are filters of DescribeInstanceTypes, which by itself lists what the region has.
    """
    wanted = {"current-generation": "true", "instance-type": f"*.{kind.partition('.')[2]}", **asked}
    found = account.pages(
        "ec2",
        "describe_instance_types",
        "InstanceTypes",
        Filters=[{"Name": name, "Values": [value]} for name, value in wanted.items()],
    )
    names = sorted((one["InstanceType"] for one in found), key=lambda name: (name[0] != kind[:1], name))
    return f", as {', '.join(names[:SHOWN])}" if names else ""
