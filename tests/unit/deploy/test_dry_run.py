"""A dry run asks nobody, makes nothing, and says everything."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from iraas.cli.commands import app
from iraas.deploy.template import IMAGE, parameters, service_template

HASH = "0" * 64


class _NoNetworkError(AssertionError):
    """Something opened a socket."""


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No network, no account, no region, and nowhere to look for them."""

    def opened(*_: object, **__: object) -> None:
        raise _NoNetworkError

    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "socket", opened)
    monkeypatch.setattr(socket, "getaddrinfo", opened)
    monkeypatch.chdir(tmp_path)


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["deploy", "--dry-run", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code
    return done.output


def test_it_needs_no_argument_and_shows_every_parameter(tmp_path):
    """What is found out later is in brackets; nothing is written."""
    said = run()
    for parameter in parameters(service_template()):
        assert f"\n{parameter.name} " in said
    assert "(the default VPC)" in said
    assert "add --certificate ARN for HTTPS, or --http" in said
    assert list(tmp_path.iterdir()) == []


def test_it_shows_what_flags_change():
    """The resources that a flag brings, and what they cost."""
    plain, more = run(), run("--http", "--min", "2", "--budget", "50", "--budget-email", "ann@example.org")
    assert "AWS::Budgets::Budget" in more
    assert "AWS::Budgets::Budget" not in plain
    assert "app tier, 2 x" in more
    assert "To deploy, add" not in more


def test_programs_get_the_template_and_the_sums():
    """`--json` has all of it; of keys only names."""
    facts = json.loads(run("--json", "--api-key", f"ann:{HASH}", "--region", "eu-west-1"))
    assert facts["template"] == service_template()
    assert facts["parameters"]["ApiKeys"] == "ann"
    assert facts["parameters"]["Vpc"] is None
    assert facts["cost"]["month"] == pytest.approx(sum(row["cost"] for row in facts["cost"]["rows"]))
    assert facts["resources"]["AWS::S3::Bucket"] == 3


def test_a_folder_gets_template_and_parameters(tmp_path):
    """As `aws cloudformation create-change-set` takes them; what is not known yet is left out."""
    said = run("--out", "out", "--http", "--max", "4", "--vpc", "vpc-0000000a")
    assert (tmp_path / "out" / "service.yaml").read_text() == service_template()
    assert (tmp_path / "out" / "image.yaml").read_text() == IMAGE.read_text()
    known = json.loads((tmp_path / "out" / "parameters.json").read_text())
    values = {one["ParameterKey"]: one["ParameterValue"] for one in known}
    assert (values["AppMax"], values["Vpc"], values["AllowHttp"]) == ("4", "vpc-0000000a", "true")
    assert "ApiKeys" not in values
    assert "Written: out/service.yaml" in said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("Photos",), "cannot name a stack"),
        (("--vpc", "default"), "--vpc"),
        (("--certificate", "x"), "--certificate"),
        (("--min", "20"), "--min or --max"),
        (("--policy", "none.toml"), "none.toml"),
        (("--prices", "none.toml"), "--prices"),
        (("--architecture", "sparc"), "--architecture"),
        (("--model", "a model"), "--model"),
    ],
)
def test_a_wrong_flag_is_named(words, named):
    """Also where nobody can be asked."""
    with pytest.raises(Exception, match=named):
        run(*words)


def test_it_does_not_load_the_sdk():
    """Reading botocore takes a third of a second, and nobody needs it."""
    code = "import sys; sys.argv = ['iraas', 'deploy', '--dry-run']\nfrom iraas.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass\nassert not {'botocore', 'obstore'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_without_the_extra_it_says_what_to_install():
    """An installation for one machine has no YAML; one line names it and the mend."""
    code = (
        "import sys; sys.modules['yaml'] = None; sys.argv = ['iraas', 'deploy', '--dry-run']; "
        "from iraas.cli import main; main()"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "iraas: deploying needs yaml: pip install 'iraas[aws]'\n"
