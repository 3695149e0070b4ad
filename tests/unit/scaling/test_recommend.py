"""iraas.scaling.recommend: the search, on an evaluation whose best plan is known."""

import pytest

from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.recommend import REPORTED_ON, TUNED_ON, Score, Search

FACTS = Facts(service=0.5, objective=2.0, boot=60.0)
NEEDED = 6  # workers that a rule needs at least, unless it is ours


class Judge:
    """Scores plans by a simple law, and remembers which seeds it was asked for."""

    def __init__(self, needed=NEEDED, ours=2):
        self.needed, self.ours = needed, ours
        self.seeds = set()
        self.plans = []

    def __call__(self, plans):
        scores = []
        for plan, seed in plans:
            self.seeds.add(seed)
            self.plans.append(plan)
            needed = self.ours if isinstance(plan.policy, Staffing) else self.needed
            short = max(0, needed - plan.minimum)
            hours = plan.minimum + (0.0 if getattr(plan.policy, "hold", 180.0) >= 180.0 else -0.5)
            late = 0.01 if not short else min(1.0, 0.1 * short)
            scores.append(Score(late + (0.001 if seed in REPORTED_ON else 0.0), hours, short, hours))
        return scores


def searched(judge, *, minimum=0, maximum=20):
    return Search(contenders(FACTS), FACTS, minimum=minimum, maximum=maximum, evaluate=judge).run()


def test_the_cheapest_that_meets_the_objective_wins():
    """Ours needs two workers, the others six: it wins with two, in the setting that saves half an hour."""
    found = searched(Judge())
    assert (found.winner.name, found.winner.plan.minimum) == ("ours", 2)
    assert found.winner.plan.policy.hold == 60.0
    assert found.winner.meets


def test_it_is_reported_on_seeds_that_no_choice_has_seen():
    """The winner's score is that of the other seeds, and the one that it was chosen by is kept beside it."""
    judge = Judge()
    found = searched(judge)
    assert judge.seeds == {*TUNED_ON, *REPORTED_ON}
    assert found.winner.score.late_share == pytest.approx(0.011)
    assert found.tuned.late_share == pytest.approx(0.01)


def test_the_runners_up_are_the_best_of_other_rules():
    """Each rule appears once, with the least minimum that meets the objective."""
    found = searched(Judge())
    names = [one.name for one in found.runners_up]
    assert len({*names, "ours"}) == len(names) + 1
    assert all(one.plan.minimum == NEEDED for one in found.runners_up)


def test_it_tells_what_the_minimum_is_for():
    """Where the minimum that was asked for fails, its score is told."""
    assert searched(Judge()).without_minimum.score.late_share > 0.05
    assert searched(Judge(), minimum=2).without_minimum is None


def test_nothing_that_meets_is_said_as_such():
    """With too few workers the winner is what comes nearest, and it does not meet the objective."""
    found = searched(Judge(needed=12, ours=12), maximum=10)
    assert not found.winner.meets
    assert found.winner.plan.minimum == 10


def test_bounds_are_kept():
    """No plan that is tried leaves the bounds."""
    judge = Judge()
    searched(judge, minimum=1, maximum=7)
    assert all(1 <= plan.minimum <= 7 and plan.maximum == 7 for plan in judge.plans)


def test_no_plan_is_tried_twice():
    """A plan that was tried is remembered."""
    judge = Judge()
    found = searched(judge)
    tuned = judge.plans[: found.tried * len(TUNED_ON)]
    assert len(set(tuned)) == found.tried
