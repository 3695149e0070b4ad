"""What a client makes of a response."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.client_script import URL, says

from iraas.client_responses import Accepted, UnexpectedResponse, Unreachable, decoded, failure, retry_after
from iraas.errors import ImageTooLarge, InternalError, IraasError, Overloaded, error_for


@pytest.mark.parametrize(
    "slug",
    ["missing-image", "unauthorized", "not-found", "deleted", "image-too-large", "overloaded", "out-of-room"],
)
@pytest.mark.parametrize("form", ["{}", "/problems/{}", "https://example.org/errors#{}", "urn:iraas:{}"])
def test_a_problem_is_raised_as_the_error_of_its_slug(slug: str, form: str) -> None:
    """The slug decides, however the problem's type is written as a URI."""
    body = {"type": form.format(slug), "title": "A title.", "detail": "The case in words."}
    error, _ = failure(says(type(error_for(slug)).status, body), URL)

    assert type(error) is type(error_for(slug))
    assert error.detail == "The case in words."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (413, ImageTooLarge),
        (429, Overloaded),
        (500, InternalError),
        (502, Unreachable),
        (404, UnexpectedResponse),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"<html>nginx</html>",
        b'{"type": "about:blank"}',
        b'{"type": "https://example.org/"}',
        b"\xff\xfe",
        b'{"type": 5}',
    ],
)
def test_a_refusal_in_other_words_goes_by_its_status(
    status: int, kind: type[IraasError], body: bytes
) -> None:
    """A proxy's own page is understood by its status, and shown in part."""
    error, _ = failure(says(status, body), URL)

    assert type(error) is kind
    assert f"HTTP {status}" in str(error)


def test_a_redirect_names_the_address_to_use() -> None:
    """Redirects are not followed; the error says where to go."""
    error, again = failure(says(308, b"", location="https://iraas.test/"), URL)

    assert isinstance(error, UnexpectedResponse)
    assert "https://iraas.test/" in str(error)
    assert not again


def test_an_answer_that_is_none_says_so() -> None:
    """A 200 that is not an answer is an error in words, not a traceback of the decoder."""
    with pytest.raises(UnexpectedResponse, match="Sign in to the hotel"):
        decoded(Accepted, says(200, b"<html>Sign in to the hotel's network</html>"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), (" 120 ", 120.0), ("0", 0.0)]
    + [(bad, None) for bad in ["", "soon", "-3", "1e9", "nan", "\uff19", "9" * 5_000, "Sun, 99 Foo 2020"]],
)
def test_seconds_or_nothing(value: str, seconds: float | None) -> None:
    """Whole seconds are taken; nonsense is passed over."""
    assert retry_after({"retry-after": value}) == seconds


def test_a_date_counts_from_the_servers_own_clock() -> None:
    """An HTTP date is a pause even when our clock is years away from the server's."""
    headers = {"date": "Wed, 21 Oct 2015 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}

    assert retry_after(headers) == 30


def test_a_date_in_the_past_is_now() -> None:
    """A date that is over asks for no pause, also without a `Date` to count from."""
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}) == 0


@given(st.text(), st.text())
def test_no_header_breaks_it(value: str, date: str) -> None:
    """Whatever the headers hold, there is a number that is not negative, or None."""
    seconds = retry_after({"retry-after": value, "date": date})

    assert seconds is None or seconds >= 0
