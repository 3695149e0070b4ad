"""iraas.load.plots and report: pictures of a load, drawn by matplotlib, and the page that carries them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from iraas.load.observed import Sample
from iraas.load.plan import Open
from iraas.load.plots import distribution, over_time
from iraas.load.report import as_html
from iraas.load.run import Run
from iraas.load.summary import summarise
from iraas.load.tally import Outcome
from iraas.scaling.workloads import shape

PLAN = Open(shape("steady", rate=100.0, duration=1.0))


def run_of(*outcomes: Outcome) -> Run:
    run = Run(seconds=2.0, cpu_seconds=0.01)
    for number, outcome in enumerate(outcomes):
        why = "<429>" if outcome > Outcome.WRONG else ""
        run.tally.add(number / 100, 0.001, 0.01 * (number + 1), outcome, why)
    return run


@pytest.mark.parametrize(
    "outcomes", [[], [Outcome.MISSING], [Outcome.RIGHT], [Outcome.RIGHT, Outcome.WRONG] * 50]
)
@pytest.mark.parametrize("with_fleet", [False, True])
def test_pictures_are_drawn_of_whatever_there_is(outcomes, with_fleet):
    """Also of no answer at all; workers and queue stand on the axis of the latency where they are known."""
    run = run_of(*outcomes)
    if with_fleet:
        run.fleet.samples += [Sample(0.1, 5, 1, 1, 0), Sample(1.1, 0, 1, 2, 0)]
    for svg in (distribution(run.tally), over_time(run)):
        assert ET.fromstring(svg).tag.endswith("svg")
    assert over_time(run).count('id="axes_') == (4 if with_fleet else 2)


def test_the_report_stands_alone_and_escapes_what_others_wrote():
    """No script, no address of another origin is loaded, and no service's words become markup."""
    run = run_of(Outcome.RIGHT, Outcome.REFUSED)
    run.fleet.add(0.5, {
        "at": 9.0, "queue": {"visible": 1, "in_flight": 1}, "workers": {"in_service": 1, "starting": 0},
        "decisions": [{"at": 9.0, "before": 1, "capacity": 2, "reason": "<script>x</script>"}],
    })  # fmt: skip
    summary = summarise(run, PLAN, url="http://x/<i>", first_wrong=[])
    html = as_html(run, summary, when="today")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;429&gt;" in html
    assert "<i>" not in html
    assert not re.search(r'(src|href)="(?!#)', html.replace('xlink:href="#', ""))
    assert "Of 2 requests: 1 refused." in html
