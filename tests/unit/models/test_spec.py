"""What model.toml may say, and what a user is told when it says something else."""

import pytest

from iraas.models.spec import ModelSpec, parse_spec

GOOD = {"name": '"mine"', "size": "224", "layout": '"NCHW"', "mean": "127", "deviation": "[58, 57, 57.5]"}


def toml(**changes) -> bytes:
    """A good model.toml with some fields replaced or (None) dropped."""
    fields = {**GOOD, **changes}
    return "".join(f"{name} = {value}\n" for name, value in fields.items() if value is not None).encode()


def test_one_figure_stands_for_all_three_channels():
    """A mean or deviation is one number, or one each for red, green and blue."""
    spec = parse_spec(toml())

    assert spec.means == (127, 127, 127)
    assert spec.deviations == (58, 57, 57.5)


def test_what_may_be_left_out():
    """The crop is the usual one, nothing is mirrored, and the output is taken for probabilities."""
    spec = parse_spec(toml())

    assert (spec.crop_margin, spec.mirror, spec.output, spec.sha256) == (32, False, "probabilities", None)


@pytest.mark.parametrize(
    ("mean", "deviation", "as_they_are"), [("0", "1", True), ("0", "255", False), ("1", "1", False)]
)
def test_pixels_stay_as_they_are_without_mean_and_deviation(mean, deviation, as_they_are):
    """Only a mean of 0 and a deviation of 1 leave pixels alone."""
    assert parse_spec(toml(mean=mean, deviation=deviation)).takes_pixels_as_they_are is as_they_are


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"mean": None},
            "mean is missing: it takes one number or [red, green, blue], in pixel values, 0 to 255",
        ),
        ({"mean": "[1, 2]"}, "mean is [1, 2], but takes one number or [red, green, blue]"),
        ({"mean": "[1, 2, 300]"}, "mean is [1, 2, 300], but"),
        ({"mean": "nan"}, "mean is nan, but takes one number"),
        (
            {"deviation": "0.229"},
            "deviation is 0.229, but takes one number or [red, green, blue], in pixel values",
        ),
        ({"deviation": "0"}, "deviation is 0, but"),
        ({"layout": '"NHCW"'}, 'layout is \'NHCW\', but takes "NHWC" or "NCHW"'),
        ({"size": "8"}, "size is 8, but takes pixels a side, 16 to 1024"),
        ({"size": "100000"}, "size is 100000, but"),
        ({"size": '"224"'}, "size is '224', but"),
        ({"crop_margin": "-1"}, "crop_margin is -1, but takes pixels"),
        ({"mirror": "1"}, "mirror is 1, but takes true"),
        ({"output": '"softmax"'}, 'output is \'softmax\', but takes "probabilities" or "logits"'),
        ({"name": '"a/b"'}, "name is 'a/b', but takes letters"),
        ({"sha256": '"abc"'}, "sha256 is 'abc', but takes 64 hexadecimal digits"),
        ({"crop": "32"}, "crop: there is no such field; the fields are name, size, layout"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_takes(changes, words):
    """One line says which field is wrong, what it is, and what it takes."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        parse_spec(toml(**changes))

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_wrong_fields_are_named_at_once():
    """Nobody has to mend a file field by field."""
    with pytest.raises(ValueError, match=r"size is 1, but .*; layout is missing: "):
        parse_spec(toml(size="1", layout=None))


@pytest.mark.parametrize("data", [b"size 224", b"\xff\xfe", b'size = "'])
def test_a_file_that_is_not_toml_is_called_so(data):
    """Syntax errors and other encodings are told from wrong fields."""
    with pytest.raises(ValueError, match="this is not TOML: "):
        parse_spec(data)


def test_every_field_says_what_it_takes():
    """The words of the error messages are there for each field."""
    assert all(field.description for field in ModelSpec.model_fields.values())
