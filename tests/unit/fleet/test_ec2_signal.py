"""An instance says once to its stack that it serves."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2_signal import MOST_TRIES, StackSignal, web_serves


class CloudFormation:
    """Takes signals, and answers with `error` where there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.signals: list[dict[str, str]] = []

    def signal_resource(self, **parameters: str) -> None:
        self.signals.append(parameters)
        if self.error:
            raise self.error


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SignalResource")


def signal(service: CloudFormation, *, serves: bool = True) -> StackSignal:
    return StackSignal(lambda: service, stack="iraas", resource="WebGroup", serves=lambda: serves)


def test_nothing_is_said_before_the_services_serve():
    """A signal would let the update end the instances that still serve."""
    service = CloudFormation()

    assert not signal(service, serves=False).say("i-1")
    assert service.signals == []


def test_the_stack_is_told_who_serves():
    """By its resource and the instance's id, of which each counts once."""
    service = CloudFormation()

    assert signal(service).say("i-1")
    assert service.signals == [
        {"StackName": "iraas", "LogicalResourceId": "WebGroup", "UniqueId": "i-1", "Status": "SUCCESS"}
    ]


def test_a_stack_that_does_not_wait_is_not_told_again():
    """An instance that starts when no update is under way is refused, and that is all right."""
    assert signal(CloudFormation(refused("ValidationError"))).say("i-1")


@pytest.mark.parametrize("error", [refused("AccessDenied"), refused("Throttling"), NoCredentialsError()])
def test_what_may_pass_is_tried_again(error):
    """The next look says it again; an update waits twenty minutes for it."""
    service = CloudFormation(error)
    one = signal(service)

    with pytest.raises(BackendUnavailable):
        one.say("i-1")

    service.error = None
    assert one.say("i-1")


def test_it_gives_up_when_no_update_can_wait_any_more():
    """Whoever may not signal at all does not ask for ever."""
    service = CloudFormation(refused("AccessDenied"))
    one = signal(service)
    for _ in range(MOST_TRIES):
        with pytest.raises(BackendUnavailable):
            one.say("i-1")

    assert one.say("i-1")
    assert len(service.signals) == MOST_TRIES


def test_a_web_process_that_is_not_there_does_not_serve(unused_tcp_port):
    """Nobody listens."""
    assert not web_serves(unused_tcp_port)
