"""what the user said -> the stack's parameters: said ones, ones that it had, and defaults. Asks nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from iraas.deploy.template import Parameter
from iraas.errors import ConfigurationError

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # buckets are called after it, and theirs is the narrowest rule
_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}:[0-9a-f]{64}")


_FLAGS = {  # of parameters, for people
    "CertificateArn": "--certificate",
    "AppInstanceType": "--instance-type",
    "WebInstanceType": "--web-instance-type",
    "Architecture": "--architecture",
    "Image": "--image",
    "Model": "--model",
    "ApiKeys": "--api-key",
    "CostEmail": "--budget-email",
}


class Options(NamedTuple):
    """Flags of `iraas deploy`; None: not given, so that a stack keeps what it has."""

    certificate: str | None = None
    http: bool | None = None
    minimum: int | None = None
    maximum: int | None = None
    web_minimum: int | None = None
    web_maximum: int | None = None
    instance_type: str | None = None
    web_instance_type: str | None = None
    architecture: str | None = None
    image: str | None = None
    spot: int | None = None
    workers_per_instance: int | None = None
    model: str | None = None
    api_keys: tuple[str, ...] = ()
    budget: float | None = None
    budget_email: str | None = None


def said(options: Options) -> dict[str, str]:
    """The parameters that the flags name. Raises `ConfigurationError`."""
    _check(options)
    found: dict[str, object | None] = {
        "CertificateArn": options.certificate,
        "AllowHttp": None if options.http is None else str(options.http).lower(),
        "AppMin": options.minimum,
        "AppMax": options.maximum,
        "WebMin": options.web_minimum,
        "WebMax": options.web_maximum,
        "AppInstanceType": options.instance_type,
        "WebInstanceType": options.web_instance_type,
        "Architecture": options.architecture,
        "Image": options.image,
        "OnDemandPercentage": None if options.spot is None else 100 - options.spot,
        "WorkersPerInstance": options.workers_per_instance,
        "Model": options.model,
        "ApiKeys": ",".join(options.api_keys) or None,
        "MonthlyCostLimit": None if options.budget is None else f"{options.budget:g}",
        "CostEmail": options.budget_email,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def check_name(name: str) -> None:
    """Whether a stack can be called so, and its buckets after it. Raises `ConfigurationError`."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot name a stack: take up to 40 small letters, digits and hyphens, a letter first, "
            "since its buckets are called after it"
        )


def _check(options: Options) -> None:
    for key in options.api_keys:
        if not _KEY.fullmatch(key):
            raise ConfigurationError(
                f"--api-key {key.split(':', 1)[0]!r} is not NAME:sha256; `iraas keys new NAME` prints one"
            )
    if options.image and not _IMAGE.fullmatch(options.image):
        raise ConfigurationError(
            f"--image {options.image!r} is no image's id; they look like ami-0abc1234def567890"
        )
    for least, most, flag, other in (
        (options.minimum, options.maximum, "--min", "--max"),
        (options.web_minimum, options.web_maximum, "--web-min", "--web-max"),
    ):
        if least is not None and most is not None and least > most:
            raise ConfigurationError(
                f"{flag} is {least} and {other} {most}: lower the one or raise the other"
            )
    if options.budget and not options.budget_email:
        raise ConfigurationError(
            "--budget needs --budget-email: who is told when it is passed, or going to be"
        )


def completed(asked: Iterable[Parameter], values: Mapping[str, str]) -> dict[str, str]:
    """Every parameter with its value, for a stack that is not there; one that must be given and was not is empty."""
    return {parameter.name: values.get(parameter.name, parameter.default or "") for parameter in asked}


def for_request(
    asked: Iterable[Parameter], values: Mapping[str, str], had: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    """As CreateChangeSet takes them. What was not said stays as the stack has it, secrets too; `had` None: a new stack.

    Raises `ConfigurationError` for one that must be given.
    """
    found: list[dict[str, Any]] = []
    for parameter in asked:
        if parameter.name in values:
            found.append({"ParameterKey": parameter.name, "ParameterValue": values[parameter.name]})
        elif had is not None and parameter.name in had:
            found.append({"ParameterKey": parameter.name, "UsePreviousValue": True})
        elif parameter.default is None:
            raise ConfigurationError(f"{parameter.name} must be given: {parameter.description}")
    return found


def check_values(asked: Iterable[Parameter], values: Mapping[str, str]) -> None:
    """Whether the template takes what was said, before CloudFormation is asked. Raises `ConfigurationError`."""
    for parameter in asked:
        value = values.get(parameter.name)
        if value is None:
            continue
        flag = _FLAGS.get(parameter.name, parameter.name)
        if parameter.allowed and value not in parameter.allowed:
            raise ConfigurationError(f"{flag} {value!r} is none of {', '.join(parameter.allowed)}")
        if parameter.pattern and not re.search(parameter.pattern, value):
            shown = "" if parameter.secret else f" {value!r}"
            raise ConfigurationError(f"{flag}{shown} cannot be: {parameter.description}")


def check_bounds(values: Mapping[str, str]) -> None:
    """Minimum and maximum of both tiers, once all are known. Raises `ConfigurationError`."""
    for tier, least, most in (("app", "--min", "--max"), ("web", "--web-min", "--web-max")):
        name = tier.capitalize()
        minimum, maximum = int(values[f"{name}Min"]), int(values[f"{name}Max"])
        if minimum > maximum:
            raise ConfigurationError(
                f"the {tier} tier's minimum is {minimum} and its maximum {maximum}: say {least} or {most}"
            )


def check_encryption(values: Mapping[str, str]) -> None:
    """Whether it is said how clients come in. Raises `ConfigurationError`."""
    if not values["CertificateArn"] and values["AllowHttp"] != "true":
        raise ConfigurationError(
            "say --certificate ARN for HTTPS (`aws acm request-certificate` makes one), or --http to serve without "
            "encryption: pictures and API keys can then be read on their way"
        )
