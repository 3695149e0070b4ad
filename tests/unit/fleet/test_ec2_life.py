"""The life of an instance, decided look by look."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.fleet.ec2_life import Act, Life, Rule, Seen, did, look

RULE = Rule(look_every=5.0, protect_every=60.0, linger=0.0, drain=120.0, protects=True, has_hook=True)
WEB = RULE._replace(linger=60.0, protects=False)
SERVING = Seen("InService", busy=False)
BUSY = SERVING._replace(busy=True)
ENDED = Seen("Terminated")
LEFT = ENDED._replace(left=True)


def spot(seconds: float, *, left: bool = False) -> Seen:
    """EC2 takes it back in so many seconds; its group does not know."""
    return Seen("InService", taken_in=seconds, busy=False, left=left)


# name: rule, (seconds since the start, what is seen, what is done)…; every act works
STORIES = {
    "nothing happens to an idle instance": (RULE, (0, SERVING), (5, SERVING), (55, SERVING)),
    "its protection is unknown after a start, and said after a minute of idleness": (
        RULE,
        (0, SERVING),
        (60, SERVING, Act.UNPROTECT),
        (120, SERVING),
    ),
    "it is protected at the first look that sees a worker busy": (
        RULE,
        (0, SERVING),
        (5, BUSY, Act.PROTECT),
        (10, BUSY),
        (600, BUSY),
    ),
    "its protection changes at most once a minute": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (5, SERVING),
        (10, BUSY),
        (55, SERVING),
        (60, SERVING, Act.UNPROTECT),
        (65, BUSY),
        (115, BUSY),
        (120, BUSY, Act.PROTECT),
    ),
    "a worker that cannot be asked changes nothing": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (60, BUSY._replace(busy=None)),
        (65, SERVING, Act.UNPROTECT),
    ),
    "a worker that hangs for as long as a drain may take protects its instance no longer": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (60, BUSY._replace(busy=None)),
        (100, BUSY),
        (105, BUSY._replace(busy=None)),
        (220, BUSY._replace(busy=None)),
        (225, BUSY._replace(busy=None), Act.UNPROTECT),
        (290, BUSY._replace(busy=None)),
        (295, BUSY, Act.PROTECT),
    ),
    "without a group nothing is protected": (RULE._replace(protects=False), (0, BUSY), (60, BUSY)),
    "it leaves when its group ends it, and completes the hook when its services have left": (
        RULE,
        (0, ENDED, Act.SAY_LEAVING, Act.TELL),
        (5, ENDED),
        (10, LEFT, Act.SAY_LEFT, Act.COMPLETE),
        (15, LEFT),
        (600, LEFT),
    ),
    "the hook's heart is beaten every 25 s while it drains, which no hook's time is shorter than": (
        RULE,
        (0, ENDED, Act.SAY_LEAVING, Act.TELL),
        (20, ENDED),
        (25, ENDED, Act.BEAT),
        (45, ENDED),
        (50, ENDED, Act.BEAT),
        (55, LEFT, Act.SAY_LEFT, Act.COMPLETE),
    ),
    "services that do not leave hold it up for the drain and no longer": (
        RULE,
        (0, ENDED, Act.SAY_LEAVING, Act.TELL),
        (119, ENDED, Act.BEAT),
        (120, ENDED, Act.SAY_LEFT, Act.COMPLETE),
    ),
    "a web instance goes on serving until its balancer knows": (
        WEB,
        (0, ENDED, Act.SAY_LEAVING),
        (55, ENDED, Act.BEAT),
        (60, ENDED, Act.TELL),
        (65, LEFT, Act.SAY_LEFT, Act.COMPLETE),
    ),
    "without a hook there is none to beat or to complete": (
        RULE._replace(has_hook=False),
        (0, ENDED, Act.SAY_LEAVING, Act.TELL),
        (30, ENDED),
        (35, LEFT, Act.SAY_LEFT),
        (40, LEFT),
    ),
    "a spot notice makes it leave, and the hook is completed once the group ends it": (
        RULE,
        (0, spot(120), Act.SAY_LEAVING, Act.TELL),
        (30, spot(90)),
        (35, spot(85, left=True), Act.SAY_LEFT),
        (40, spot(80, left=True)),
        (45, LEFT, Act.COMPLETE),
    ),
    "whoever EC2 takes back gives up its protection": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (60, spot(120), Act.SAY_LEAVING, Act.UNPROTECT, Act.TELL),
    ),
    "what its group ends is no longer in service, and cannot be unprotected": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (60, ENDED, Act.SAY_LEAVING, Act.TELL),
        (120, ENDED, Act.BEAT),
    ),
    "a drain never goes on past the last two looks before EC2 takes it": (
        RULE._replace(protects=False),
        (0, spot(100), Act.SAY_LEAVING, Act.TELL),
        (85, spot(15)),
        (90, spot(10), Act.SAY_LEFT),
        (95, ENDED._replace(taken_in=5), Act.COMPLETE),
    ),
    "of what EC2 leaves, a web instance lingers for half": (
        WEB,
        (0, spot(60), Act.SAY_LEAVING),
        (20, spot(40)),
        (25, spot(35), Act.TELL),
        (50, spot(10), Act.SAY_LEFT),
    ),
    "a notice that comes too late has it leave at once": (
        WEB,
        (0, spot(-5), Act.SAY_LEAVING, Act.TELL, Act.SAY_LEFT),
    ),
    "a recommendation to rebalance costs it its protection, and it goes on serving": (
        RULE,
        (0, BUSY, Act.PROTECT),
        (5, BUSY._replace(rebalance=True), Act.WARN),
        (60, BUSY._replace(rebalance=True), Act.UNPROTECT),
        (600, BUSY._replace(rebalance=True)),
        (605, ENDED, Act.SAY_LEAVING, Act.TELL),
    ),
    "metadata that cannot be read for a while takes nothing back": (
        RULE,
        (0, ENDED, Act.SAY_LEAVING, Act.TELL),
        (5, Seen()),
        (10, Seen(left=True), Act.SAY_LEFT, Act.COMPLETE),
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_what_an_instance_does(story):
    """Each story goes as it is told."""
    rule, *looks = story
    life = Life(begun=1_000.0)
    for after, seen, *expected in looks:
        now = 1_000.0 + after
        life, acts = look(life, seen, now, rule)
        assert list(acts) == expected, f"after {after} s"
        for act in acts:
            life = did(life, act, now)


def test_a_hook_that_is_not_completed_is_tried_at_every_look():
    """A call that failed, or came before the hook waited, is made again."""
    life = did(look(Life(begun=0.0), ENDED, 0.0, RULE)[0], Act.TELL, 0.0)
    for now in (5.0, 10.0, 15.0):
        life, acts = look(life, LEFT, now, RULE)
        assert Act.COMPLETE in acts
    assert look(did(life, Act.COMPLETE, 15.0), LEFT, 20.0, RULE)[1] == ()


def test_leave_that_cannot_be_written_is_tried_at_every_look_and_holds_up_nothing():
    """A full disk does not keep the hook waiting for longer than the drain."""
    life, acts = look(Life(begun=0.0), ENDED, 0.0, RULE)
    assert Act.TELL in acts
    life, acts = look(life, ENDED, 5.0, RULE)
    assert acts == (Act.TELL,)
    life, acts = look(life, ENDED, 120.0, RULE)
    assert Act.COMPLETE in acts


def test_a_protection_that_may_not_have_worked_is_not_trusted():
    """A call that was lost is made again after a minute, whichever way it is then."""
    life, acts = look(Life(begun=0.0), BUSY, 0.0, RULE)
    assert acts == (Act.PROTECT,)
    assert look(life, BUSY, 55.0, RULE)[1] == ()
    assert look(life, BUSY, 60.0, RULE)[1] == (Act.PROTECT,)
    assert look(life, SERVING, 60.0, RULE)[1] == (Act.UNPROTECT,)
    life = did(life, Act.PROTECT, 0.0)
    life, acts = look(life, SERVING, 60.0, RULE)
    assert acts == (Act.UNPROTECT,)
    assert look(life, BUSY, 120.0, RULE)[1] == (Act.PROTECT,)


SEEN = st.builds(
    Seen,
    target_state=st.sampled_from(["", "InService", "InService", "InService", "Terminated"]),
    taken_in=st.sampled_from([None] * 12 + [120.0, 30.0, -1.0]),
    rebalance=st.sampled_from([False] * 9 + [True]),
    busy=st.sampled_from([True, False, None]),
    left=st.booleans(),
)


@given(
    st.lists(st.tuples(SEEN, st.floats(0.5, 20.0), st.integers(0, 255)), max_size=80),
    st.sampled_from([RULE, WEB]),
)
def test_whatever_is_seen_and_whatever_fails(looks, rule):
    """Protection is asked for once a minute at most; whoever leaves stays on its way; a hook is completed once."""
    life, now, asked, completed = Life(begun=0.0), 0.0, [], 0
    for seen, pause, works in looks:
        now += pause
        before = life
        life, acts = look(life, seen, now, rule)
        for bit, act in enumerate(acts):
            if act in {Act.PROTECT, Act.UNPROTECT}:
                asked.append(now)
            if act is Act.COMPLETE:
                assert life.ending is not None
                assert life.over is not None
            if works >> bit & 1:
                life = did(life, act, now)
                completed += act is Act.COMPLETE
        assert before.leaving is None or life.leaving == before.leaving
        assert not (Act.PROTECT in acts and life.leaving is not None)
        assert life.over is None or life.leaving is not None
        assert msgspec.json.decode(msgspec.json.encode(life), type=Life) == life
    assert completed <= 1
    assert all(later - earlier >= 60.0 for earlier, later in pairwise(asked))
