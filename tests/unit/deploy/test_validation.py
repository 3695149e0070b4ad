"""What CloudFormation's validation found wrong is told by its resource and mend, though the change set names none."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from tests.unit.deploy.aws import refused
from tests.unit.deploy.stacks import VALIDATION_FAILED
from tests.unit.deploy.watched import Watched

from iraas.deploy.refusals import NotDone
from iraas.deploy.rollout import roll_out
from iraas.deploy.validation import found_wrong


def event(logical_id: str, reason: str, **others: str) -> dict[str, Any]:
    """As rain and the CDK read it (aws-cloudformation/rain #744, aws/aws-cdk-cli #970)."""
    return {
        "EventId": f"{logical_id}-1",
        "OperationType": "CREATE_CHANGESET",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::S3::Bucket",
        "ValidationName": "NAME_CONFLICT_VALIDATION",
        "ValidationFailureMode": "FAIL",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": reason,
        "ValidationPath": f"/Resources/{logical_id}",
        **others,
    }


TAKEN = event(
    "InputBucket", "Resource of type 'AWS::S3::Bucket' with identifier 'photos-inputs' already exists."
)


def refusal(stack, wanted) -> str:
    """The line that a user reads."""
    with pytest.raises(NotDone) as error:
        roll_out(stack, wanted, Watched())
    return error.value.detail


def test_a_taken_name_is_told_with_its_resource_and_mend(stack, stacks, wanted):
    """One line, without AWS's advice to ask an API; and nothing of the attempt is left."""
    stacks.wrong = [TAKEN]
    assert refusal(stack, wanted) == (
        "CloudFormation refuses the changes: InputBucket: Resource of type 'AWS::S3::Bucket' with identifier "
        "'photos-inputs' already exists -> take another name, or remove what has it"
    )
    assert stacks.change_sets == {}
    assert stacks.status == "DELETE_COMPLETE"


def test_every_resource_is_told_once(stack, stacks, wanted):
    """Also those of the next page, and those for which no mend is known."""
    stacks.page = 1
    stacks.wrong = [
        TAKEN,
        {**TAKEN, "EventId": "again"},
        event("WebGroup", "#/MaxSize: expected\n type: String."),
    ]
    said = refusal(stack, wanted)
    assert said.count("InputBucket") == 1
    assert said.endswith("; WebGroup: #/MaxSize: expected type: String")


def test_what_only_warns_is_no_reason(stack, stacks, wanted):
    """Nor is progress, or what was skipped; where nothing else is there, the change set's own words are told."""
    stacks.wrong = [
        {**TAKEN, "ValidationFailureMode": "WARN"},
        {**TAKEN, "ValidationStatus": "SKIPPED"},
        {**TAKEN, "EventType": "PROGRESS_EVENT"},
    ]
    assert VALIDATION_FAILED in refusal(stack, wanted)


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDenied", "not authorized"),
        refused("InvalidAction", "Could not find operation"),
        KeyError("x"),
    ],
)
def test_who_may_not_ask_hears_the_change_sets_own_words(error, aws, stack, stacks, wanted):
    """A denial, or a stand-in that does not know the question, hides nothing that is known without it."""
    stacks.wrong = [TAKEN]

    def fails(**_: Any) -> dict[str, Any]:
        raise error

    aws.on("cloudformation", "DescribeEvents", fails)
    assert VALIDATION_FAILED in refusal(stack, wanted)
    assert stacks.change_sets == {}


def test_an_empty_change_set_asks_nobody(aws, stack, stacks, buckets, wanted, there):
    """Nothing to change is no refusal."""
    there("CREATE_COMPLETE")
    stacks.changes = []
    roll_out(stack, wanted, Watched())
    assert aws.calls("DescribeEvents") == []


def test_an_event_without_a_resource_names_its_place(aws, stacks):
    """Or at least the template."""
    stacks.change_sets["arn:x:changeSet/a/1"] = {}
    stacks.wrong = [event("", "No.", ValidationPath="/Mappings"), event("", "No.", ValidationPath="")]
    assert found_wrong(aws.account(), "arn:x:changeSet/a/1") == "/Mappings: No; the template: No"


def test_the_words_of_an_event_are_the_apis():
    """By botocore's description of the service, which also checks each question and answer of these tests."""
    model = Session().get_service_model("cloudformation").operation_model("DescribeEvents")
    members = model.output_shape.members["OperationEvents"].member.members
    assert set(TAKEN) <= set(members)
    for name, words in {
        "EventType": {"VALIDATION_ERROR", "PROGRESS_EVENT"},
        "ValidationStatus": {"FAILED", "SKIPPED"},
        "ValidationFailureMode": {"FAIL", "WARN"},
    }.items():
        assert words <= set(members[name].enum)
