"""Where the label is in an answer."""

from __future__ import annotations

import pytest

from iraas.errors import ConfigurationError
from iraas.load.label import label_finder


@pytest.mark.parametrize(
    ("match", "body", "label"),
    [
        ("label", b'{"label": "cat"}', "cat"),
        ("predictions.0.label", b'{"predictions": [{"label": "cat"}]}', "cat"),
        ("$.outputs[0].data[1]", b'{"outputs": [{"data": [1, 285]}]}', "285"),
        ("label", b'{"label": null}', None),
        ("label", b'{"state": "pending"}', None),
        ("label", b"cat", None),
        ("label", b"[1]", None),
        ("0.label", b"[]", None),
        ("label", b"[" * 100_000, None),
        ("^[^:]+:(.*)$", b"test_00:Paul\n", "Paul"),
        ("<b>(.*?)</b>", b"<p><b> cat </b></p>", "cat"),
        ("^(.*)$", b"caf\xe9", "caf\ufffd"),
        ("a(b)?", b"a", None),
    ],
)
def test_a_path_or_an_expression_finds_the_label(match, body, label):
    """A path leads through JSON, an expression gives its first group; None where there is no label."""
    assert label_finder(match)(body) == label


@pytest.mark.parametrize(
    ("match", "words"),
    [("(", "no regular expression"), (r"\(x", "has no group"), ("a b", "neither a path"), ("", "path")],
)
def test_what_is_neither_is_refused(match, words):
    """The message says what is wrong with it, before any request is sent."""
    with pytest.raises(ConfigurationError, match=words):
        label_finder(match)
