"""Whether an answer is right."""

from __future__ import annotations

import pytest

from iraas.errors import ConfigurationError
from iraas.load.verdict import SHOWN, Verdicts, read_labels

NAMES = ["a/one.png", "two.jpg"]


def test_without_a_table_the_first_answer_is_the_measure():
    """Each picture must get the label that it got first."""
    verdicts = Verdicts(NAMES, {})
    assert [verdicts.is_right(*said) for said in [(0, "cat"), (1, "dog"), (0, "cat"), (0, "dog")]] == [
        True, True, True, False,
    ]  # fmt: skip
    [wrong] = verdicts.first_wrong
    assert (wrong.file, wrong.expected, wrong.label) == ("a/one.png", "cat", "dog")


@pytest.mark.parametrize("key", ["a/one.png", "one.png", "one"])
def test_a_table_names_pictures_by_path_file_or_stem(key):
    """The first answer counts for nothing then; a picture that the table lacks is judged by its first."""
    verdicts = Verdicts(NAMES, {key: "cat"})
    assert not verdicts.is_right(0, "dog")
    assert verdicts.is_right(0, "cat")
    assert verdicts.is_right(1, "anything")


def test_a_table_for_other_pictures_is_refused():
    """Nothing would be checked: the message shows a name of each side."""
    with pytest.raises(ConfigurationError, match=r"'three\.png'.*'a/one\.png'"):
        Verdicts(NAMES, {"three.png": "cat"})


def test_only_the_first_wrong_answers_are_kept():
    """A million of them must not fill the memory."""
    verdicts = Verdicts(NAMES, {"two": "cat"})
    for _ in range(100):
        verdicts.is_right(1, "dog")
    assert len(verdicts.first_wrong) == SHOWN


def test_labels_are_read_with_spaces_quotes_and_marks():
    """As spreadsheets and people write them."""
    assert read_labels(["\ufeffone.png, Egyptian cat\n", "\n", 'two.png,"bee, wasp"\n']) == {
        "one.png": "Egyptian cat",
        "two.png": "bee, wasp",
    }


@pytest.mark.parametrize(
    ("lines", "words"), [([], "no rows"), (["a,b", "c"], "line 2 has 1 values"), (["a,b,c"], "quoted")]
)
def test_bad_rows_are_named(lines, words):
    """The message has the line and what it ought to hold."""
    with pytest.raises(ConfigurationError, match=words):
        read_labels(lines)
