"""What the linters of `make lint` say of the templates, and that they would say something."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml
from tests.conftest import missing

from iraas.deploy.template import IMAGE, SERVICE, TEMPLATES, service_template
from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.plan import Plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import StepAlarms

ROOT = Path(__file__).parents[2]
CFN_LINT = Path(sys.executable).with_name("cfn-lint")
CHECKOV = ROOT / ".venv" / "checks" / "bin" / "checkov"
CONFIG = ROOT / ".checkov.yaml"

BIG = Plan(minimum=1, maximum=1000, policy=Staffing())
BY_DEPTH = Plan(
    minimum=0,
    maximum=40,
    policy=StepAlarms(
        out_when=Alarm("backlog", 100.0, ">="),
        in_when=Alarm("backlog", 0.0, "<=", datapoints=3, evaluation_periods=3),
        out=StepScaling(steps=(Step(lower=0, upper=900, change=1), Step(lower=900, change=5))),
        back=StepScaling(steps=(Step(upper=0, change=-1),)),
    ),
)


def cfn_lint(*templates: Path) -> tuple[int, str]:
    """Exit code and findings."""
    done = subprocess.run([CFN_LINT, *templates], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def checkov(folder: Path, *more: str | Path) -> str:
    """What it finds."""
    if not CHECKOV.exists():
        missing("checkov, which `make lint` installs,")
    return subprocess.run(
        [CHECKOV, "--framework", "cloudformation", "--skip-download", "--compact", "--quiet",
         "--directory", folder, *more],
        cwd=folder,  # or it would read our configuration in any case
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip


def test_cfn_lint_finds_nothing(tmp_path):
    """Both templates are as CloudFormation's own schemas want them, also with what other plans make of the one."""
    made = []
    for plan in (BIG, BY_DEPTH):
        made.append(tmp_path / f"service-{len(made)}.yaml")
        made[-1].write_text(service_template(plan))
    assert cfn_lint(SERVICE, IMAGE, *made) == (0, "")


def test_cfn_lint_would_find_something(tmp_path):
    """A property that is misspelt does not pass."""
    spoilt = tmp_path / "service.yaml"
    spoilt.write_text(SERVICE.read_text().replace("HeartbeatTimeout:", "HeartbeatTimeOut:", 1))
    code, said = cfn_lint(spoilt)
    assert code
    assert "HeartbeatTimeOut" in said


def test_checkov_finds_only_what_there_is_a_reason_for():
    """Each check that is passed over has its reason in the configuration and would speak; no other one does."""
    skipped = yaml.safe_load(CONFIG.read_text())["skip-check"]
    reasons = re.findall(r"^  - (CKV\w+)  # (.{30,})$", CONFIG.read_text(), re.MULTILINE)
    assert [name for name, _ in reasons] == skipped

    said = checkov(TEMPLATES)
    assert re.search(r"Passed checks: [1-9]\d+, ", said)
    assert set(re.findall(r"^Check: (CKV\w+):", said, re.MULTILINE)) == set(skipped)


def test_checkov_would_find_something(tmp_path):
    """A bucket that may become public and an instance with IMDSv1 do not pass, whatever else is passed over."""
    text = SERVICE.read_text().replace("HttpTokens: required", "HttpTokens: optional")
    (tmp_path / "service.yaml").write_text(text.replace("        BlockPublicAcls: true\n", ""))
    said = checkov(tmp_path, "--config-file", CONFIG)
    assert "LaunchTemplate.WebLaunchTemplate" in said
    assert "Bucket.InputBucket" in said
    assert "CKV_AWS_18" not in said
