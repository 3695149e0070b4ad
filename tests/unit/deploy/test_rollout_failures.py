"""What goes wrong in a rollout is told by its cause, and leaves nothing half-made."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.unit.deploy.watched import Watched

from iraas.deploy.events import LOST_SECONDS
from iraas.deploy.refusals import NotDone, Unreachable
from iraas.deploy.rollout import roll_out
from iraas.deploy.stack import phase

BUCKET = "photos-artifactsbucket"


def test_a_failure_is_told_by_its_cause_and_mend(stack, stacks, buckets, wanted, made):
    """Not by the resources that were cancelled for it."""
    made("CREATE")
    stacks.on_execute[2:] = [
        lambda: stacks.happens(
            "Dashboard", "CREATE_FAILED", "Resource creation cancelled", "AWS::CloudWatch::Dashboard"
        ),
        lambda: stacks.happens(
            "AppRole", "CREATE_FAILED", "not authorized to perform: iam:CreateRole", "AWS::IAM::Role"
        ),
        lambda: stacks.begins("ROLLBACK_IN_PROGRESS"),
        lambda: stacks.ends("ROLLBACK_COMPLETE"),
    ]
    with pytest.raises(NotDone) as error:
        roll_out(stack, wanted, Watched())
    assert "iam:CreateRole" in error.value.detail
    assert "have the action allowed" in error.value.detail
    assert "Dashboard" not in error.value.detail


def test_a_template_that_is_refused_leaves_nothing_behind(stack, stacks, wanted, monkeypatch):
    """CloudFormation's own words, no change set, and no stack that was only made to hold it."""

    def failed(**_: Any) -> dict[str, Any]:
        return {"Status": "FAILED", "StatusReason": "Template error: there is no such thing"}

    stacks.aws.on("cloudformation", "DescribeChangeSet", failed)
    with pytest.raises(NotDone, match="there is no such thing"):
        roll_out(stack, wanted, Watched())
    assert stacks.change_sets == {}
    assert stacks.status == "DELETE_COMPLETE"


def test_a_short_loss_of_the_network_is_waited_for(stack, stacks, buckets, wanted, made):
    """Two looks fail, the third goes on as if nothing had been."""
    made("CREATE")
    lost = EndpointConnectionError(endpoint_url="https://cloudformation")

    def breaks() -> None:
        stacks.aws.broken = lost

    def mends() -> None:
        stacks.aws.broken = None

    stacks.on_execute[1:1] = [breaks, lambda: None, mends]
    assert roll_out(stack, wanted, Watched()).status == "CREATE_COMPLETE"


def test_a_network_that_stays_away_ends_the_wait_in_words(stack, stacks, buckets, wanted, made):
    """AWS goes on; the line says so, and the next call follows what is under way."""
    made("CREATE")
    stacks.on_execute[1:1] = [
        lambda: setattr(stacks.aws, "broken", EndpointConnectionError(endpoint_url="x"))
    ]
    with pytest.raises(Unreachable, match="run the command again"):
        roll_out(stack, wanted, Watched())
    assert stacks.rests > LOST_SECONDS

    stacks.aws.broken = None
    made("UPDATE")
    assert roll_out(stack, wanted, Watched()).status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "none"),
        ("REVIEW_IN_PROGRESS", "none"),
        ("DELETE_COMPLETE", "none"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "busy"),
        ("DELETE_IN_PROGRESS", "busy"),
        ("ROLLBACK_FAILED", "dead"),
        ("UPDATE_FAILED", "ready"),
        ("IMPORT_COMPLETE", "ready"),
        ("UPDATE_ROLLBACK_FAILED", "stuck"),
        ("DELETE_FAILED", "undeleted"),
    ],
)
def test_every_status_has_its_way_on(status, expected):
    """The table of states."""
    assert phase(status) == expected
