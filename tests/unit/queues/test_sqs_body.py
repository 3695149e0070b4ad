"""Any bytes go through SQS's text, and come out as they went in."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.queues.sqs_body import MAX_BYTES, from_text, size, to_text

ALLOWED = re.compile(r"[\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]+")  # by SendMessage's page


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_every_body_comes_back(body):
    """Whatever the bytes are, SQS takes their text, and it means the same bytes."""
    text = to_text(body)
    assert ALLOWED.fullmatch(text)
    assert from_text(text) == body
    assert size(text) == len(text.encode())


def test_text_goes_as_it_is():
    """JSON stays readable in the console."""
    assert to_text('{"id": "é\t\r\n"}'.encode()) == '{"id": "é\t\r\n"}'


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\x1f", b"\xff\xfe", "\ufffe".encode(), b"base64:", b"base64:AAAA"]
)
def test_the_rest_goes_as_base64(body):
    """Nothing, what SQS refuses, and what looks like base64 already."""
    assert to_text(body) == "base64:" + base64.b64encode(body).decode()


@pytest.mark.parametrize("text", ["base64:A", "base64:####", "base64:QQ==\n", "base64:é", "plain", "😀"])
def test_a_body_of_others_is_handed_on(text):
    """What only looks like ours reaches the worker as it is, to be found malformed there."""
    assert from_text(text) == text.encode()


def test_a_body_of_a_mebibyte_is_the_largest():
    """SQS counts the text, so that binary may be three quarters of it."""
    assert size(to_text(b"x" * MAX_BYTES)) == MAX_BYTES
    with pytest.raises(ValueError, match="1,048,577 bytes; SQS takes 1,048,576"):
        to_text(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ValueError, match="SQS takes"):
        to_text(b"\x00" * (MAX_BYTES * 3 // 4))
    with pytest.raises(ValueError, match="SQS takes"):
        to_text("é".encode() * (MAX_BYTES // 2 + 1))
