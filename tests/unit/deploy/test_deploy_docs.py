"""docs/deploy.md says what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from tests.unit.deploy.aws import Aws
from tests.unit.deploy.stacks import Stacks
from tests.unit.deploy.working import NOW, works
from typer.testing import CliRunner

from iraas.cli.commands import app
from iraas.cli.status import as_text
from iraas.deploy import refusals
from iraas.deploy.bill import PRICES, read_prices
from iraas.deploy.stack import Stack
from iraas.deploy.status import look

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "deploy.md").read_text()
SOURCES = Path(refusals.__file__).parent
BLOCKS = dict(re.findall(r"^```sh\n(.*?)\n```\n\n```text\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL))
TROUBLE = re.findall(
    r"^\| (`.*) \| .* \|$", PAGE.split("## When something")[1].split("\n## ")[0], re.MULTILINE
)
OF_AWS = {"vCPU limit", "already exists"}  # words that are AWS's own
OF_OTHERS = {"--trace", "--out"}  # flags of `iraas scaling recommend`


def test_the_dry_run_of_the_page_is_what_it_prints():
    """To the letter. After a change of the template: `iraas deploy --dry-run`, and into the page with it."""
    done = CliRunner().invoke(app, ["deploy", "--dry-run"])
    assert done.output.rstrip() == BLOCKS["iraas deploy --dry-run"]


def test_the_status_of_the_page_is_what_it_prints(monkeypatch):
    """What a service in the middle of its work looks like."""
    monkeypatch.setattr("iraas.deploy.status.answers", lambda _: True)
    aws = Aws()
    works(aws, Stacks(aws, "iraas"))
    assert (
        as_text(look(Stack(aws.account(), "iraas"), read_prices(PRICES), now=NOW)) == BLOCKS["iraas status"]
    )


def test_every_flag_of_the_page_is_one():
    """Those in lines of AWS's own command line are not ours."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    ours = {option for name in commands for parameter in commands[name].params for option in parameter.opts}
    text = re.sub(r"^ *aws .*?(?<!\\)$|`aws [^`]*`", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= ours | OF_OTHERS


@pytest.mark.parametrize("row", TROUBLE)
def test_what_the_page_quotes_is_said_by_the_code(row):
    """The words that a user searches for stand in the sources."""
    code = "".join(path.read_text() for path in sorted(SOURCES.glob("*.py")))
    code += (SOURCES.parent / "cli" / "deploy_watch.py").read_text()
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    for words in set(re.findall(r"`([^`]+)`", row)) - OF_AWS:
        filled_in = r"\.\.\.| 900 s|eu-west-1|us-east-1|cloudformation:|ROLLBACK_COMPLETE|UPDATE_"
        for part in re.split(filled_in, words):
            assert part.strip(" :,") in code, words
