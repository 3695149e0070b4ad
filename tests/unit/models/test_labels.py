"""labels.txt: one class a line."""

import pytest

from iraas.models.labels import parse_labels
from iraas.models.port import Label


def test_a_line_is_a_wordnet_id_and_a_name():
    """The id is split off, the name may have spaces."""
    assert parse_labels(b"n02124075 Egyptian Mau\nn07920052 espresso\n") == (
        Label("n02124075", "Egyptian Mau"),
        Label("n07920052", "espresso"),
    )


def test_a_line_without_an_id_is_a_name():
    """Models of other worlds have no WordNet ids."""
    text = "ripe tomato\nn123 is no id\nn02124075\nGrüße\n".encode()

    assert [label.wnid for label in parse_labels(text)] == ["", "", "", ""]
    assert [label.name for label in parse_labels(text)] == [
        "ripe tomato",
        "n123 is no id",
        "n02124075",
        "Grüße",
    ]


@pytest.mark.parametrize(
    "text", [b"a\nb", b"a\nb\n", b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb\n\n\n", b" a \nb\t\n"]
)
def test_how_lines_end_does_not_count(text):
    """Windows line ends, a byte order mark, blank ends and a last line without end are all the same."""
    assert [label.name for label in parse_labels(text)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "it is empty: give each class one line"),
        (b"\n\n", "it is empty: give each class one line"),
        (b"a\n\nb\n", "line 2 is empty: give each class one line"),
        (b"a\nb\xff\n", "byte 3 is not UTF-8: save the file as UTF-8"),
    ],
)
def test_what_would_shift_the_classes_is_refused(text, words):
    """A blank line between labels would give every later class the name of another."""
    with pytest.raises(ValueError, match=words):
        parse_labels(text)
