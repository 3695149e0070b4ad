"""iraas scaling compare and recommend, with the processes and pictures that they make."""

import pytest
from typer.testing import CliRunner

from iraas.cli.commands import app
from iraas.scaling.plan import read_plan

SHORT = ("--rate", "4", "--service", "500ms", "--duration", "10m")


def run(*arguments):
    return CliRunner().invoke(app, ["scaling", *arguments], catch_exceptions=False)


def test_compare_prints_a_table_for_each_workload(tmp_path):
    """Policies by their names and files, side by side, with a picture."""
    pytest.importorskip("matplotlib")
    file = tmp_path / "mine.toml"
    file.write_text('maximum = 9\n[policy]\nkind = "jobs-per-worker"\ntarget = 2.0\n')
    picture = tmp_path / "compared.png"
    done = run(
        "compare", *SHORT, "--workload", "step", "--workload", "burst", "--policy", "ours",
        "--policy", str(file), "--picture", str(picture),
    )  # fmt: skip
    assert done.exit_code == 0
    assert done.stdout.count("\nmine") == done.stdout.count("\nours") == 3  # each workload, and all together
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_recommend_writes_the_winner(tmp_path):
    """policy.toml can be read again, and the words say where the times are from."""
    out = tmp_path / "policy.toml"
    done = run(
        "recommend", "--workload", "steady", "--rate", "2", "--duration", "10m", "--service", "500ms",
        "--boot", "30s", "--max", "6", "--deployable", "--out", str(out), "--data", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.stdout
    assert read_plan(out.read_text()).maximum == 6
    assert "as given" in done.stdout
