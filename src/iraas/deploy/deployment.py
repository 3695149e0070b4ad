"""flags, a policy, an account -> a deployed service: what is to be found out first, then the rollout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from iraas.deploy.account import Account
from iraas.deploy.body import body
from iraas.deploy.instance_types import Types, choose_types, without_types
from iraas.deploy.network import check_certificate, find_network
from iraas.deploy.options import (
    Options,
    check_bounds,
    check_encryption,
    check_name,
    check_values,
    completed,
    for_request,
    said,
)
from iraas.deploy.release import Release
from iraas.deploy.rollout import Wanted, Watcher, roll_out
from iraas.deploy.stack import Stack, State
from iraas.deploy.template import parameters, read_template, service_template
from iraas.scaling.plan import Plan, read_plan

HIDDEN = "****"  # what CloudFormation shows of a parameter with NoEcho
TAG = "iraas"  # on everything that the stack makes, with the stack's name
ENDPOINT = "StorageEndpoint"  # of the template, the way to S3


class Request(NamedTuple):
    """What is to be deployed."""

    name: str
    options: Options
    plan: Plan | None  # of the app tier; None: what the stack has, or ours
    vpc: str
    subnets: Sequence[str]
    build: Callable[[str], Release]  # for an architecture
    new_key: Callable[[], tuple[str, str]]  # a key, and its NAME:sha256


class Deployment:
    """One call of `iraas deploy`. `api_key` is there when it made one: it stands nowhere else."""

    def __init__(self, account: Account, stack: Stack, request: Request) -> None:
        check_name(request.name)
        self.api_key = ""
        self._account = account
        self._stack = stack
        self._request = request
        self._said = said(request.options)
        if request.plan is not None:
            self._said.setdefault("AppMin", str(request.plan.minimum))
            self._said.setdefault("AppMax", str(request.plan.maximum))
        if request.options.certificate:
            check_certificate(request.options.certificate, account.region)
        self._before: dict[str, str] = {}  # parameters of a stack that failed, for the one in its place
        self._types: Types  # found out when it runs

    def run(self, watcher: Watcher) -> State:
        """Deploy -> the stack as it is then. Raises `ConfigurationError` and `NotDone`, each with its mend."""
        check_values(parameters(service_template(self._request.plan)), self._said)
        state = self._stack.state()
        had = state.parameters if state and state.status != "REVIEW_IN_PROGRESS" else {}
        self._before = {name: value for name, value in had.items() if value != HIDDEN}
        check_encryption({"CertificateArn": "", "AllowHttp": "false", **self._before, **self._said})
        architecture = self._said.get("Architecture") or had.get("Architecture") or "x86_64"
        self._choose_types(watcher)
        release = self._request.build(architecture)
        self._said |= {"Release": release.key, "ReleaseSha256": release.sha256}
        wanted = Wanted(self._template, self._parameters, release, {TAG: self._request.name})
        return roll_out(self._stack, wanted, watcher)

    def _template(self, state: State | None) -> str:
        plan = self._request.plan
        if plan is None and state is not None:
            plan = kept_plan(self._stack.template(), state.parameters)
        return body(without_types(service_template(plan), self._types.lacking))

    def _parameters(self, state: State | None) -> list[dict[str, Any]]:
        asked = parameters(service_template(self._request.plan))
        if state is None:
            values = {**self._before, **self._network_of_new(), **self._said}
            if "ApiKeys" not in values:
                self.api_key, values["ApiKeys"] = self._request.new_key()
            check_bounds(completed(asked, values))
            return for_request(asked, values, None)
        check_bounds({**completed(asked, state.parameters), **self._said})
        return for_request(asked, {**self._moved(state), **self._said}, state.parameters)

    def _network_of_new(self) -> dict[str, str]:
        return self._moved(None) or ({} if "Vpc" in self._before else self._network(""))

    def _moved(self, state: State | None) -> dict[str, str]:
        if not (self._request.vpc or self._request.subnets):
            return {}
        return self._network(self._stack.physical(ENDPOINT) if state else "")

    def _network(self, endpoint: str) -> dict[str, str]:
        network = find_network(
            self._account, self._types, self._request.vpc, self._request.subnets, endpoint=endpoint
        )
        return {
            "Vpc": network.vpc,
            "Subnets": ",".join(network.subnets),
            "RouteTables": ",".join(network.route_tables),
        }

    def _choose_types(self, watcher: Watcher) -> None:
        """Of what was said, and of what the stack keeps; workers follow the vCPUs of a type that is said."""
        self._types = choose_types(self._account, {**self._before, **self._said})
        if self._said.get("AppInstanceType"):
            self._said.setdefault("WorkersPerInstance", str(self._types.vcpus))
        if self._types.lacking:
            watcher.says(
                f"{self._account.region} does not offer {', '.join(self._types.lacking)}: "
                f"the app tier takes {', '.join(self._types.app)}."
            )


def kept_plan(template: str, values: dict[str, str]) -> Plan | None:
    """The app tier's plan of a stack that is there; None: it has none that can be read, and gets ours."""
    scaling = read_template(template).get("Mappings", {}).get("Scaling", {})
    policy = scaling.get("App", {}).get("Policy", "")
    try:
        return read_plan(f"minimum = {values['AppMin']}\nmaximum = {values['AppMax']}\n\n{policy}")
    except (KeyError, ValueError):
        return None
