"""iraas.wiring.fleet: flags, settings and a policy file -> one plan, or a line that names the mend."""

from __future__ import annotations

import pytest

from iraas.errors import ConfigurationError
from iraas.queues.port import Message
from iraas.queues.sqlite import SqliteDatabase, SqliteResponseQueues
from iraas.scaling.plan import default_plan, write_plan
from iraas.settings import Settings, load_settings, usable_cores
from iraas.testing.manual_clock import ManualClock
from iraas.wiring.fleet import plan_of

CORES = usable_cores()


@pytest.fixture(autouse=True)
def _no_other_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("WORKERS", "MIN_WORKERS", "MAX_WORKERS", "POLICY"):
        monkeypatch.delenv(f"IRAAS_{name}", raising=False)


@pytest.fixture
def policy(tmp_path):
    """A policy file with bounds of its own."""
    path = tmp_path / "policy.toml"
    path.write_text(write_plan(default_plan(3, 7)))
    return str(path)


@pytest.mark.parametrize(
    ("flags", "bounds"),
    [
        ({}, (CORES, CORES)),
        ({"workers": 4}, (4, 4)),
        ({"min_workers": 0, "max_workers": 3}, (0, 3)),
        ({"min_workers": 0}, (0, CORES)),
        ({"min_workers": CORES + 5}, (CORES + 5, CORES + 5)),
        ({"max_workers": CORES + 5}, (CORES, CORES + 5)),
        ({"max_workers": 1}, (1, 1)),
        ({"workers": 4, "max_workers": 6}, (4, 6)),
        ({"workers": 4, "max_workers": 2}, (2, 2)),
    ],
)
def test_bounds_follow_from_what_is_given(flags, bounds):
    """What is not given is one worker a core, moved so far that the minimum is not above the maximum."""
    plan = plan_of(load_settings(**flags))
    assert (plan.minimum, plan.maximum) == bounds


def test_a_policy_files_own_bounds_count_when_nothing_else_is_given(policy):
    """Any of the three settings takes their place."""
    assert [plan_of(load_settings(policy=policy)).minimum, plan_of(load_settings(policy=policy)).maximum] == [
        3,
        7,
    ]
    plan = plan_of(load_settings(policy=policy, min_workers=0, max_workers=2))
    assert (plan.minimum, plan.maximum) == (0, 2)
    assert plan_of(load_settings(policy=policy, workers=5)).maximum == 5


def test_our_own_policy_knows_how_soon_a_process_starts(policy):
    """The default is made for instances that boot in a minute; a policy file is taken as it is."""
    assert plan_of(load_settings()).policy.boot < 5
    assert plan_of(load_settings(policy=policy)).policy == default_plan(0, 1).policy


def test_a_minimum_above_the_maximum_is_refused_with_both():
    """The line names both numbers and the mend."""
    with pytest.raises(
        ConfigurationError, match=r"min_workers is 5 and max_workers 3: lower .*--min.* raise .*--max"
    ):
        load_settings(min_workers=5, max_workers=3)


@pytest.mark.parametrize(("field", "value"), [("min_workers", -1), ("max_workers", 0), ("max_workers", 257)])
def test_bounds_that_cannot_be_are_refused(field, value):
    """The line names the variable."""
    with pytest.raises(ConfigurationError, match=f"IRAAS_{field.upper()}"):
        load_settings(**{field: value})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maximum = 2", "policy"),
        ("not toml", "TOML"),
        ('maximum = 2\nminimum = 3\n[policy]\nkind = "staffing"', "minimum: 3"),
        ('maximum = 2\n[policy]\nkind = "staffing"\ncolour = 1', "colour"),
    ],
)
def test_a_wrong_policy_file_is_refused_by_its_name_and_field(tmp_path, text, words):
    """Before anything is started, with what to mend."""
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"wrong\.toml") as refused:
        plan_of(load_settings(policy=str(path)))
    assert words in str(refused.value)


def test_a_policy_file_for_many_machines_needs_a_maximum_for_this_one(tmp_path):
    """Three hundred processes are not started because a file, made for instances, allows so many."""
    path = tmp_path / "large.toml"
    path.write_text('minimum = 1\nmaximum = 300\n[policy]\nkind = "staffing"\n')
    with pytest.raises(ConfigurationError, match=r"large\.toml.*300.*--max"):
        plan_of(load_settings(policy=str(path)))
    assert plan_of(load_settings(policy=str(path), max_workers=4)).maximum == 4


def test_a_bound_that_is_given_leaves_the_files_other_one(tmp_path):
    """`--min` alone does not take the file's maximum away."""
    path = tmp_path / "policy.toml"
    path.write_text('minimum = 0\nmaximum = 20\n[policy]\nkind = "staffing"\n')
    plan = plan_of(load_settings(policy=str(path), min_workers=2))
    assert (plan.minimum, plan.maximum) == (2, 20)
    with pytest.raises(ConfigurationError, match="--min 30 is more than --max 20"):
        plan_of(load_settings(policy=str(path), min_workers=30))


def test_a_policy_file_that_is_not_there_is_refused():
    """The line says who would write one."""
    with pytest.raises(ConfigurationError, match=r"gone\.toml: No such file.*recommend"):
        plan_of(load_settings(policy="gone.toml"))


def test_children_inherit_what_is_set_and_nothing_else():
    """A bound that was not given is no variable: `None` would be no number."""
    assert "IRAAS_MAX_WORKERS" not in Settings(min_workers=1).environment()
    assert Settings(min_workers=1).environment()["IRAAS_MIN_WORKERS"] == "1"


async def test_replies_that_wait_are_counted(tmp_path):
    """All response queues count together, and the request queue does not."""
    database = SqliteDatabase(tmp_path, clock=ManualClock(), runtime=tmp_path, inline=True)
    responses = SqliteResponseQueues(database)
    name, _ = await responses.open()
    assert await responses.waiting() == 0
    await responses.send(name, [Message(b"one"), Message(b"two")])
    assert await responses.waiting() == 2
    database.close()
