"""Rendered alarms and policies, run as CloudWatch and Auto Scaling would, against `Plan.decide`, look by look.

Both see the same random histories. These differences are meant:

- The alarm on starving pictures asks beside the policy: it stands for the controller's promise that there is a worker
  for every job (`scaling/controller.py`), which `decide` does not make. It is left out of the comparison, and looked at
  by itself.
- Auto Scaling removes nothing while something is pending, and takes what is terminating for capacity. A policy that
  runs as alarms says the same by itself; what the controller wants is done some looks later.
- Steps for what is lacking are exact to ten, and rounded down beyond: the alarm acts again.
- Beside steps, target tracking leaves removal to them. They remove one when one fewer would have done all the while,
  where `decide` looks at the last minute alone.
- A group that stands at its bounds changes nothing, and so begins no cooldown; `decide` does not know the bounds.
"""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from tests.integration import random_plans
from tests.integration.rendered import Rendered, Shown

from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import History
from iraas.scaling.render_lacking import EXACT, lacking_out

HISTORIES = {
    "steps": 5600,
    "cooldown": 3000,
    "together": 400,
    "tracking": 400,
    "mixed": 100,
    "controller": 700,
}
PLANS = {
    "steps": random_plans.step_plan,
    "cooldown": random_plans.simple_plan,
    "together": random_plans.combined_plan,
    "tracking": random_plans.tracking_plan,
}


def test_ten_thousand_histories_are_compared():
    """The figure that was to be reached."""
    assert sum(HISTORIES.values()) >= 10_000


@pytest.mark.parametrize("kind", PLANS)
def test_alarms_do_what_decide_says(kind):
    """The same number of instances after every look, whatever the plan and the history."""
    happened = Counter()
    for seed in range(HISTORIES[kind]):
        chance = random.Random(f"{kind} {seed}")
        plan = PLANS[kind](chance)
        every, looks = plan.policy.every, 30 if kind == "tracking" else 12
        rendered, history, shown = Rendered(plan, starved=seed % 4 == 0), History(), Shown(every)
        together = kind == "together" or _averaged_apart(plan)
        for seen in random_plans.histories(chance, plan, looks=looks, every=every, together=together):
            shown.looks.append(seen)
            said, asked = plan.decide(seen, history), rendered.look(shown)
            assert asked.wanted == said.capacity, f"{seed}: {plan}, {seen}, {said}, {asked}"
            happened.update(_what(seen, said, asked))
            _starved(plan, shown, asked, happened)
    often = {"out": 1000, "in": 1000, "keep": 1000, "starved": 100}
    if kind == "cooldown":
        often["cooldown"] = 1000
    for what, times in often.items():
        assert happened[what] >= times, f"{what} happened only {happened[what]} times: {happened}"


def test_steps_beside_target_tracking_never_remove_against_it():
    """Out: the same. In: one at a time, when both would, and it has been so for a quarter of an hour."""
    happened = Counter()
    for seed in range(HISTORIES["mixed"]):
        chance = random.Random(f"mixed {seed}")
        plan = random_plans.mixed_plan(chance)
        rendered, history, shown = Rendered(plan, tier="web"), History(), Shown(60.0)
        for seen in random_plans.histories(chance, plan, looks=60, every=60.0, gaps=0.0, slow=True):
            shown.looks.append(seen)
            said, asked = plan.decide(seen, history), rendered.look(shown)
            happened.update(_what(seen, said, asked))
            if asked.wanted != said.capacity:
                assert said.capacity < seen.capacity == asked.wanted
                assert not all(_one_fewer_would_do(plan, look) for look in shown.looks[-15:])
                happened["later"] += 1
    assert min(happened[what] for what in ("out", "in", "keep")) >= 500, happened
    assert happened["later"] < happened["in"] / 2, happened


def _one_fewer_would_do(plan, look):
    [tracking] = [part for part in plan.policy.parts if isinstance(part, Tracking)]
    value = look.cpu if tracking.metric == "cpu" else look.visible / max(1, look.in_service)
    return value * look.in_service <= tracking.tracking.target * (look.in_service - 1)


def test_what_the_controller_wants_is_done():
    """Decide -> Lacking -> alarm -> step: as many as were wanted, at every look at which an alarm acts."""
    happened = Counter()
    for seed in range(HISTORIES["controller"]):
        chance = random.Random(f"controller {seed}")
        plan = random_plans.controller_plan(chance)
        assert not plan.policy.deployable
        rendered, history, shown = Rendered(plan), History(), Shown(10.0)
        mute = chance.choice((0.0, 0.0, 0.2))  # the share of looks at which no web process lives
        for seen in random_plans.histories(chance, plan, looks=36, every=10.0, gaps=0.0):
            shown.looks.append(seen)
            said = plan.decide(seen, history)
            shown.lacking.append(math.nan if chance.random() < mute else said.capacity - seen.in_service)
            asked = rendered.look(shown)
            _starved(plan, shown, asked, happened)
            if due := _due(shown.lacking):
                happened["due"] += 1
            assert not asked.alarms or asked.alarms == [due]
            if not math.isnan(shown.lacking[-1]):
                happened[_done(plan, seen, said.capacity, asked)] += 1
    assert min(happened[what] for what in ("out", "rounded", "in", "pending", "keep")) >= 150, happened
    assert happened["starved"] >= 50, happened


def _due(lacking):
    """The alarm that is on: what is missing is not looked at while there is something before it, in the range."""
    known = [number for number in lacking[-3:] if not math.isnan(number)]
    if known and known[-1] >= 1:
        return "AppOutAlarm"
    known = [number for number in lacking[-4:] if not math.isnan(number)]
    return "AppInAlarm" if len(known) >= 2 and max(known[-2:]) <= -1 else None


def _done(plan, seen, wanted, asked):
    """What was done about it, which must be what was wanted."""
    lacking, there = wanted - seen.in_service, max(plan.minimum, min(plan.maximum, seen.capacity))
    if not asked.alarms:
        assert asked.wanted == there
        return "keep"
    if lacking > EXACT:
        exact = max(step.change for step in lacking_out(plan.maximum).steps if step.change <= lacking)
        assert asked.wanted == max(there, min(plan.maximum, seen.in_service + exact)) <= max(there, wanted)
        return "rounded"
    if lacking > 0:
        assert asked.wanted == max(there, wanted)
        return "out"
    if seen.starting:
        assert asked.wanted == there
        return "pending"
    assert wanted <= asked.wanted <= there
    if -lacking <= EXACT:
        assert asked.wanted == max(plan.minimum, min(there, wanted + seen.terminating))
    return "in"


def _averaged_apart(plan):
    """A long period of a backlog averages what is known of its two metrics, each for itself: `decide` looks at sums."""
    rule = getattr(plan.policy, "out_when", None)
    return rule is not None and rule.metric == "backlog" and rule.period > rule.every


def _what(seen, said, asked):
    """The kind of decision."""
    yield "out" if said.capacity > seen.capacity else "in" if said.capacity < seen.capacity else "keep"
    if "cooling down" in said.reason:
        yield "cooldown"
    if asked.alarms:
        yield "acted"


def _starved(plan, shown, asked, happened):
    """It asks for one where there is none, after three of five minutes in which a picture waited and nobody served."""
    seen = shown.looks[-1]
    if asked.starved is None or seen.in_service:
        return
    each = round(60 / shown.every)
    minutes = [shown.looks[end - each : end] for end in range(len(shown.looks), each - 1, -each)][:7]
    starving = [
        not any(look.in_service for look in minute) and waiting >= 1
        for minute in minutes
        if not math.isnan(waiting := _mean(minute, "visible") + _mean(minute, "in_flight"))
    ]
    assert sum(starving[:5]) >= 3
    assert asked.starved == max(plan.minimum, min(plan.maximum, max(int(starving[0]), seen.capacity)))
    happened["starved"] += starving[0]


def _mean(minute, name):
    known = [value for look in minute if not math.isnan(value := getattr(look, name))]
    return math.fsum(known) / len(known) if known else math.nan
