"""Flags become parameters; what is not said stays as it is."""

from __future__ import annotations

import pytest

from iraas.deploy.options import (
    Options,
    check_bounds,
    check_encryption,
    check_name,
    completed,
    for_request,
    said,
)
from iraas.deploy.template import Parameter, parameters, service_template
from iraas.errors import ConfigurationError

HASH = "0" * 64
ASKED = [
    Parameter("Vpc", "String", None, "the VPC"),
    Parameter("ApiKeys", "String", None, "keys", secret=True),
    Parameter("AppMax", "Number", "10", "most"),
]


def test_every_parameter_that_a_flag_sets_is_one_of_the_template():
    """A wrong name would be refused by CloudFormation, long after."""
    options = Options(
        certificate="a", http=True, minimum=1, maximum=2, web_minimum=1, web_maximum=2, instance_type="c7i.large",
        web_instance_type="t3.small", architecture="x86_64", image="ami-00000001", spot=30, workers_per_instance=2,
        model="fast", api_keys=(f"ann:{HASH}",), budget=50, budget_email="ann@example.org",
    )  # fmt: skip
    known = said(options)
    assert set(known) <= {parameter.name for parameter in parameters(service_template())}
    assert len(known) == len(Options._fields)
    assert (known["OnDemandPercentage"], known["AllowHttp"], known["MonthlyCostLimit"]) == (
        "70",
        "true",
        "50",
    )


def test_what_is_not_said_is_not_set():
    """No flag, no parameter."""
    assert said(Options()) == {}


def test_a_stack_keeps_what_it_has():
    """Only what was said goes out in words; secrets stay where they are, and new parameters get their default."""
    had = {"Vpc": "vpc-1", "ApiKeys": "****"}
    assert for_request(ASKED, {"AppMax": "3"}, had) == [
        {"ParameterKey": "Vpc", "UsePreviousValue": True},
        {"ParameterKey": "ApiKeys", "UsePreviousValue": True},
        {"ParameterKey": "AppMax", "ParameterValue": "3"},
    ]
    assert {"ParameterKey": "AppMax"}.items() not in for_request(ASKED, {}, had)


def test_a_new_stack_needs_what_has_no_default():
    """The line names the parameter."""
    with pytest.raises(ConfigurationError, match="ApiKeys must be given: keys"):
        for_request(ASKED, {"Vpc": "vpc-1"}, None)
    assert completed(ASKED, {"Vpc": "vpc-1"}) == {"Vpc": "vpc-1", "ApiKeys": "", "AppMax": "10"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(api_keys=("ann:secret",)), "'ann' is not NAME:sha256"),
        (Options(image="debian"), "--image 'debian'"),
        (Options(minimum=5, maximum=4), "--min is 5 and --max 4"),
        (Options(web_minimum=5, web_maximum=4), "--web-min is 5 and --web-max 4"),
        (Options(budget=10), "--budget-email"),
    ],
)
def test_a_wrong_flag_is_refused_with_its_mend(options, words):
    """Without asking AWS; of a key only its name is quoted."""
    with pytest.raises(ConfigurationError) as error:
        said(options)
    assert words in error.value.detail
    assert "secret" not in error.value.detail


@pytest.mark.parametrize("name", ["", "Photos", "1photos", "photos_", "a" * 41, "photos.example", "-photos"])
def test_a_name_that_no_bucket_can_have_is_refused(name):
    """Stacks may be called so; buckets may not."""
    with pytest.raises(ConfigurationError, match="small letters"):
        check_name(name)


def test_bounds_that_cross_are_refused_also_when_one_of_them_was_there_before():
    """--max 3 of a stack whose minimum is 5."""
    with pytest.raises(ConfigurationError, match="minimum is 5 and its maximum 3"):
        check_bounds({"AppMin": "5", "AppMax": "3", "WebMin": "1", "WebMax": "2"})


def test_how_clients_come_in_must_be_said():
    """HTTPS with a certificate, or HTTP by a word; nothing else."""
    check_encryption({"CertificateArn": "arn", "AllowHttp": "false"})
    check_encryption({"CertificateArn": "", "AllowHttp": "true"})
    with pytest.raises(ConfigurationError, match="--certificate ARN for HTTPS"):
        check_encryption({"CertificateArn": "", "AllowHttp": "false"})
