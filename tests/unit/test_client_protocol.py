"""What a client sends, how long it waits and when it gives up; no socket, no sleep."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.client_script import DONE, GONE, ID, PENDING, RESET, URL, play, problem, says

from iraas.client_protocol import LONG_POLL_SECONDS, POLL_MIN_SECONDS, Conversation, Conversations
from iraas.client_responses import Lost, Response, StillPending, Unreachable
from iraas.errors import BackendUnavailable, NotFound, Overloaded, UndecodableImage


def classify(conversations: Conversations, wait: float = 120.0) -> Conversation[Any]:
    return conversations.classify("key-of-this-one-call", top=5, wait=wait)


def test_posts_once_and_returns_the_typed_answer() -> None:
    """A 200 is the answer: one request, which lets the server wait half a minute."""
    played = play(classify, [DONE])

    [post] = played.requests
    assert (post.method, post.path, post.carries_image) == ("POST", "/v1/images", True)
    assert post.params == {"top": 5, "wait": LONG_POLL_SECONDS}
    assert played.result.label == "Egyptian cat"
    assert played.result.image.width == 500


def test_polls_where_the_202_says() -> None:
    """A 202 is followed to its Location, after the pause that it asks for, without the image."""
    played = play(classify, [PENDING, PENDING, DONE])

    assert [request.path for request in played.requests[1:]] == [f"/v1/images/{ID}"] * 2
    assert not any(request.carries_image for request in played.requests[1:])
    assert played.requests[1].params == {"top": 5, "wait": LONG_POLL_SECONDS}
    assert played.pauses == [1.0, 1.0]
    assert played.result.id == ID


@pytest.mark.parametrize(
    "location", ["https://elsewhere.test/v1/images/1", "//elsewhere.test/", "/admin", ""]
)
def test_never_follows_a_location_elsewhere(location: str) -> None:
    """A Location outside the service's own images is passed over: the key would go with it."""
    played = play(classify, [says(202, {"id": ID}, location=location), DONE])

    assert played.requests[1].path == f"/v1/images/{ID}"


def test_follows_an_absolute_location_below_its_own_address() -> None:
    """A server that writes its own address into the Location is understood."""
    played = play(classify, [says(202, {"id": ID}, location=f"{URL}/v1/images/other"), DONE])

    assert played.requests[1].path == "/v1/images/other"


def test_gives_up_waiting_with_the_id() -> None:
    """When the time is over, the error carries the id with which the answer can be had later."""
    played = play(lambda talk: classify(talk, wait=7), [PENDING])

    assert isinstance(played.error, StillPending)
    assert played.error.id == ID
    assert ID in str(played.error)
    assert sum(played.pauses) == 7
    assert [request.params["wait"] for request in played.requests] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_a_server_that_does_not_hold_requests_is_not_asked_in_a_spin() -> None:
    """Between two polls there is a pause, also when the server asks for none."""
    played = play(lambda talk: classify(talk, wait=1), [says(202, {"id": ID}, retry_after="0")])

    assert min(played.pauses[:-1]) >= POLL_MIN_SECONDS
    assert len(played.requests) <= 1 + 1 / POLL_MIN_SECONDS + 1


def test_a_failed_job_is_final() -> None:
    """`state: failed` is never asked again, even under a status that would be."""
    failed = problem(BackendUnavailable, id=ID, state="failed", detail="no worker lived through it")
    played = play(classify, [PENDING, failed])

    assert type(played.error) is BackendUnavailable
    assert played.error.id == ID
    assert played.error.detail == "no worker lived through it"
    assert len(played.requests) == 2


def test_an_error_after_the_202_carries_the_id() -> None:
    """A job that was accepted stays reachable, though the service went away meanwhile."""
    played = play(classify, [PENDING, RESET])

    assert isinstance(played.error, Unreachable)
    assert played.error.id == ID


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_may_pass_is_tried_again_under_the_same_key(status: int) -> None:
    """A refusal that may pass costs a pause, and the next try carries the same idempotency key."""
    played = play(classify, [says(status, b"<html>try later</html>"), RESET, DONE])

    assert played.result.id == ID
    assert len(played.requests) == 3
    assert played.keys() == {"key-of-this-one-call"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 415, 418, 422, 431, 500, 501])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    """Any other refusal is final at once."""
    played = play(classify, [says(status, b"no")])

    assert played.error is not None
    assert len(played.requests) == 1


def test_gives_up_after_its_retries() -> None:
    """A service that stays away is tried 1 + `retries` times, and the error names it."""
    played = play(classify, [RESET], retries=3)

    assert len(played.requests) == 4
    assert isinstance(played.error, Unreachable)
    assert URL in str(played.error)
    assert "reset by peer" in str(played.error)


def test_the_pause_grows_up_to_a_ceiling() -> None:
    """Full jitter below a ceiling that doubles, until it is ten seconds."""
    played = play(lambda talk: classify(talk, wait=10_000), [RESET], retries=9, jitter=1.0)

    assert played.pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10])


def test_honours_retry_after() -> None:
    """The pause is never shorter than the server asked for."""
    played = play(classify, [problem(Overloaded), says(503, b"", retry_after="7"), DONE])

    assert played.pauses == pytest.approx([0.1, 7.2])


def test_does_not_sleep_for_nothing() -> None:
    """When the server asks for more time than is left, its refusal is raised at once, hint included."""
    refusal = says(429, {"type": "overloaded", "detail": "2,000 images are waiting"}, retry_after="60")
    played = play(lambda talk: classify(talk, wait=30), [refusal])

    assert type(played.error) is Overloaded
    assert played.error.retry_after == 60
    assert played.error.detail == "2,000 images are waiting"
    assert played.pauses == []


def test_each_request_has_its_own_retries() -> None:
    """A long wait is not ended by the failures of all its polls together."""
    played = play(classify, [PENDING, RESET, RESET, PENDING, RESET, RESET, DONE], retries=2)

    assert played.result.id == ID


def test_a_delete_whose_reply_was_lost_has_succeeded() -> None:
    """404 to the second try means that the first one did it."""
    assert play(lambda talk: talk.delete(ID), [RESET, problem(NotFound)]).error is None


def test_a_delete_of_nothing_says_so() -> None:
    """404 to the first try is an error, with the id that was asked for."""
    error = play(lambda talk: talk.delete(ID), [problem(NotFound)]).error

    assert type(error) is NotFound
    assert error.id == ID


OUTCOMES = [DONE, PENDING, GONE, RESET, problem(Overloaded), problem(UndecodableImage), says(502, b"<html>")]
ODDITIES = [says(200, b"{"), says(202, b"[]"), says(301, b""), says(503, b"", retry_after="9")]


@given(
    script=st.lists(st.sampled_from(OUTCOMES + ODDITIES), min_size=1, max_size=20),
    retries=st.integers(0, 5),
    jitter=st.floats(0, 1, exclude_max=True),
    wait=st.floats(0, 90),
)
def test_one_key_a_call_and_bounded_tries(
    script: list[Response | Lost], retries: int, jitter: float, wait: float
) -> None:
    """Whatever happens, a call has one idempotency key, an end, and no more tries than it was given."""
    played = play(lambda talk: classify(talk, wait), script, retries=retries, jitter=jitter)

    assert (played.result is None) != (played.error is None)
    assert played.keys() == {"key-of-this-one-call"}
    assert sum(request.carries_image for request in played.requests) <= 1 + retries
    assert len(played.requests) <= (1 + retries) * (2 + wait / POLL_MIN_SECONDS)
    assert sum(played.pauses) <= wait + 1e-6


def test_submit_does_not_wait() -> None:
    """`submit` asks for no answer and returns the id."""
    played = play(lambda talk: talk.submit("a key of sixteen"), [PENDING])

    assert played.result == ID
    assert played.requests[0].params == {"wait": 0}


def test_submit_of_an_answered_key_gives_its_id() -> None:
    """The same key, when its answer is there already, is still the same job."""
    assert play(lambda talk: talk.submit("a key of sixteen"), [DONE]).result == ID


def test_result_is_none_while_pending() -> None:
    """Without `wait`, one question is asked, and a 202 is None."""
    played = play(lambda talk: talk.result(ID, top=3, wait=0), [PENDING])

    assert (played.result, played.error) == (None, None)
    assert [request.params for request in played.requests] == [{"top": 3, "wait": 0}]


def test_result_waits_as_long_as_it_is_told() -> None:
    """With `wait`, it asks until then, and retries go on though `wait` is short."""
    played = play(lambda talk: talk.result(ID, top=3, wait=2), [RESET, PENDING, DONE])

    assert played.result.id == ID


def test_an_id_cannot_lead_elsewhere() -> None:
    """What a caller passes as id stays one segment of the path."""
    played = play(lambda talk: talk.result("../fleet?x=1", top=5, wait=0), [problem(NotFound)])

    assert played.requests[0].path == "/v1/images/..%2Ffleet%3Fx%3D1"
