"""flags, a policy -> what would be deployed and what it would cost; asks nobody, so it needs no account."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from iraas.deploy.bill import PRICES, Prices, WrongInput, read_prices
from iraas.deploy.cost import Estimate, estimate
from iraas.deploy.foresee import Foreseen
from iraas.deploy.network import check_certificate, check_ids
from iraas.deploy.options import Options, check_bounds, check_name, check_values, completed, said
from iraas.deploy.template import IMAGE, Parameter, parameters, read_template, service_template
from iraas.errors import ConfigurationError
from iraas.scaling.plan import Plan

# What is found out or made when it is really deployed.
LATER = {
    "Vpc": "the default VPC",
    "Subnets": "one in each fitting zone",
    "RouteTables": "those of the subnets",
    "ApiKeys": "a new key, shown once",
    "Release": "built from this iraas",
    "ReleaseSha256": "of that file",
}


class Preview(NamedTuple):
    """What would be deployed."""

    template: str
    asked: list[Parameter]
    values: dict[str, str]  # of every parameter; empty where it is found out later
    resources: dict[str, int]  # how many of each kind
    estimate: Estimate
    prices: Prices

    def shown(self, parameter: Parameter) -> str:
        """A parameter's value for people: what is found out later in brackets, secrets not at all."""
        value = self.values[parameter.name]
        if parameter.name in LATER and not value:
            return f"({LATER[parameter.name]})"
        return ", ".join(entry.split(":")[0] for entry in value.split(",")) if parameter.secret else value

    def written_into(self, folder: Path) -> list[Path]:
        """Templates and parameters, as `aws cloudformation` takes them. Raises `ConfigurationError`."""
        known = [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in self.values.items()
            if value or name not in LATER
        ]
        files = {
            folder / "service.yaml": self.template,
            folder / "image.yaml": IMAGE.read_text(),
            folder / "parameters.json": json.dumps(known, indent=2) + "\n",
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, text in files.items():
                path.write_text(text)
        except OSError as error:
            raise ConfigurationError(f"--out {folder} cannot be written: {error.strerror}") from error
        return list(files)


def preview(
    name: str,
    options: Options,
    plan: Plan | None,
    *,
    region: str = "",
    vpc: str = "",
    subnets: tuple[str, ...] = (),
    prices: Path = PRICES,
) -> Preview:
    """What a new stack with these flags would be. Raises `ConfigurationError`."""
    check_name(name)
    check_ids(vpc, subnets)
    if options.certificate:
        check_certificate(options.certificate, region)
    values = said(options)
    if plan is not None:
        values = {"AppMin": str(plan.minimum), "AppMax": str(plan.maximum), **values}
    if vpc:
        values["Vpc"] = vpc
    if subnets:
        values["Subnets"] = ",".join(subnets)
    template = service_template(plan)
    asked = parameters(template)
    check_values(asked, values)
    known = completed(asked, values)
    check_bounds(known)
    foreseen = Foreseen(
        read_template(template), {**known, "RouteTables": known["RouteTables"] or "those of the subnets"}
    )
    kinds = Counter(item["Type"] for item in foreseen.resources().values())
    try:
        listed = read_prices(prices)
        costs = estimate(foreseen, known, listed)
    except WrongInput as error:
        raise ConfigurationError(f"--prices: {error}") from error
    return Preview(template, asked, known, dict(sorted(kinds.items())), costs, listed)
