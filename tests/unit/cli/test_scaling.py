"""iraas.cli.scaling: options in, tables, JSON, pictures and policy.toml out."""

import json

import pytest
from typer.testing import CliRunner

from iraas.cli.commands import app
from iraas.cli.durations import in_words, seconds_of
from iraas.errors import ConfigurationError
from iraas.fleet.port import FleetReport

RUNNER = CliRunner()
SHORT = ("--rate", "4", "--service", "500ms", "--duration", "10m")


def run(*arguments):
    return RUNNER.invoke(app, ["scaling", *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("text", "seconds"), [("12ms", 0.012), ("90s", 90), ("1.5h", 5_400), ("24h", 86_400), ("2d", 172_800)]
)
def test_durations_are_read(text, seconds):
    """A duration is a number and its unit."""
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 ms"), (0.012, "12 ms"), (2, "2 s"), (90, "1.5 min"), (86_400, "1 d")]
)
def test_durations_are_said(seconds, words):
    """A duration is said in its largest unit."""
    assert in_words(seconds) == words


def test_simulate_prints_what_happened():
    """The default policy is ours, and each of its decisions has a reason."""
    done = run("simulate", *SHORT, "--workload", "step")
    assert done.exit_code == 0
    assert "staffing for the load (ours)" in done.stdout
    assert "0 -> " in done.stdout


def test_simulate_prints_json():
    """Every number of the contract stands in the JSON."""
    told = json.loads(run("simulate", *SHORT, "--json").stdout)
    assert {"arrivals", "mode", "wait_s", "late_share", "instance_hours", "peak", "cost_per_million"} <= set(
        told
    )
    assert set(told["wait_s"]) == {"mean", "p50", "p95", "p99"}
    assert told["mode"] == "exact"


def test_a_fixed_number_makes_theory_checkable():
    """M/M/1 at 0.8: the mean wait is 4 service times; half an hour of a fast queue comes near."""
    told = json.loads(
        run(
            "simulate", "--rate", "80", "--service", "10ms", "--service-dist", "exponential",
            "--fixed", "1", "--duration", "30m", "--json",
        ).stdout
    )  # fmt: skip
    assert told["wait_s"]["mean"] == pytest.approx(0.04, rel=0.15)


def test_the_same_seed_says_the_same():
    """Two runs with one seed print the same; another seed prints something else."""
    one, again, other = (run("simulate", *SHORT, "--seed", seed).stdout for seed in ("1", "1", "2"))
    assert one == again != other


def test_measurements_of_the_service_come_before_guesses():
    """What was given wins, then what the service measured, then a guess that is called one."""
    from iraas.cli.scaling_recommend import calibrated

    report = FleetReport(service_seconds=0.03, boot_seconds=1.5)
    assert calibrated(0.1, None, report, "x")[:2] == (0.1, 1.5)
    assert "measured by x" in calibrated(None, None, report, "x").source
    assert "a guess" in calibrated(None, None, FleetReport(), "x").source


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("simulate", "--workload", "storm"), "--workload storm: it is none of"),
        (("simulate", "--workload", "none.csv"), "cannot be read"),
        (("simulate", "--fixed", "0"), "--fixed: 0 workers would answer nothing"),
        (("simulate", "--min", "5", "--max", "2"), "minimum: 5 is more than the maximum of 2"),
        (("simulate", "--service", "0s"), "--service: 0 s is no time"),
        (("simulate", "--workload", "burst", "--mode", "steps"), "--mode: clients that wait"),
        (("simulate", "--mode", "fast"), "--mode: 'fast' is not known; use auto, exact, steps"),
        (
            ("simulate", "--service-dist", "normal"),
            "--service-dist: 'normal' is not known; use constant or exp",
        ),
        (("simulate", "--rate", "-1"), "--rate, --duration: rate is -1"),
        (("simulate", "--picture", "a.bmp"), "--picture a.bmp: its name must end in .png"),
        (("simulate", "--picture", "/nowhere/a.png"), "there is no folder /nowhere"),
        (("compare", "--policy", "storm"), "--policy storm: it is none of ours,"),
        (("compare", "--workload", "step", "--show", "burst"), "--show burst: it is not among"),
        (("recommend",), "--trace: give a trace"),
        (("recommend", "--workload", "burst"), "clients that wait are no traffic to plan for"),
        (("recommend", "--workload", "steady", "--min", "3", "--max", "2"), "--min 3, --max 2"),
    ],
)
def test_a_wrong_option_is_named_with_its_mend(arguments, words):
    """A line that says which option and what to do."""
    with pytest.raises(ConfigurationError) as refused:
        run(*arguments)
    assert words in refused.value.detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "maximum = 2\nminimum = 3\n[policy]\nkind = 'staffing'\n",
            "minimum: 3 is more than the maximum of 2",
        ),
        ("maximum = 2\n[policy]\nkind = 'staffing'\nspeed = 1\n", "policy.speed: there is no such field"),
        ("maximum = 2\n[policy]\nkind = 'jobs-per-worker'\ntarget = 0\n", "target: 0 jobs a worker"),
        ("maximum = \n", "this is not TOML"),
    ],
)
def test_a_wrong_policy_file_is_named_with_field_and_mend(tmp_path, text, words):
    """The file, the field, and what to do."""
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        run("simulate", "--policy", str(file))
    assert words in refused.value.detail
    assert str(file) in refused.value.detail
