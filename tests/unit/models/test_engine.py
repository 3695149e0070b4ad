"""What both engines share, with an engine that answers from a list."""

import numpy as np
import pytest
from tests.model_folders import write_model_folder

from iraas.errors import ConfigurationError
from iraas.models.engine import EngineModel
from iraas.models.folder import read_folder

BLACK = np.zeros((1, 32, 32, 3), np.uint8)


class ScriptedModel(EngineModel):
    """An engine that remembers the pictures, and answers whatever `answer` makes of one."""

    def __init__(self, folder, answer):
        self.answer = answer
        self.pictures = []
        super().__init__(folder)
        self.pictures.clear()

    engine = "Script"

    def _load(self, folder):
        if folder.spec.name == "broken":
            raise RuntimeError("Check failed at some/file.cpp:12:\n\n- no kernel for Nonsense\n")

    def _raw(self, picture):
        self.pictures.append(picture.copy())
        return np.asarray(self.answer(picture), np.float32)


@pytest.fixture
def scripted(tmp_path):
    """Make an engine for a folder with these changes."""

    def make(answer, **changes) -> ScriptedModel:
        return ScriptedModel(read_folder(write_model_folder(tmp_path, **changes)), answer)

    return make


def test_logits_become_probabilities(scripted):
    """Softmax, of numbers so large that their exponentials overflow."""
    model = scripted(lambda _: [1000, 1000, 0, 0, -1000], output="logits")

    [row] = model.classify(BLACK)

    np.testing.assert_allclose(row, [0.5, 0.5, 0, 0, 0], atol=1e-7)


def test_probabilities_that_were_rounded_sum_to_one_again(scripted):
    """Engines that compute in half precision leave a sum a little beside 1."""
    model = scripted(lambda _: [0.5, 0.25, 0.25, 0.008, 0], output="probabilities")

    [row] = model.classify(BLACK)

    assert abs(row.sum() - 1) < 1e-6
    assert row[0] < 0.5


def test_a_mirrored_model_averages_with_the_mirror_image(scripted):
    """The picture is asked about, then its mirror image, and each counts half."""
    half = BLACK.copy()
    half[0, :, :16] = 255  # white on the left
    answer = lambda picture: np.eye(5)[1 if picture[0, 0, 0] else 2]  # noqa: E731
    model = scripted(answer, output="probabilities", mirror=True)

    [row] = model.classify(half)

    np.testing.assert_array_equal(row, [0, 0.5, 0.5, 0, 0])
    np.testing.assert_array_equal(model.pictures, [half[0], half[0, :, ::-1]])


def test_without_mirror_each_picture_is_asked_about_once(scripted):
    """N pictures cost N inferences."""
    model = scripted(lambda _: np.eye(5)[0], output="probabilities")

    model.classify(np.zeros((3, 32, 32, 3), np.uint8))

    assert len(model.pictures) == 3


@pytest.mark.parametrize(
    "pixels",
    [BLACK[0], BLACK[:, :31], BLACK[..., :1], BLACK.astype(np.float32), BLACK.transpose(0, 3, 1, 2)],
    ids=["one picture", "not square", "grey", "floats", "planes"],
)
def test_other_arrays_are_refused(scripted, pixels):
    """An array of another shape or type is a mistake of the caller's, and named."""
    model = scripted(lambda _: np.eye(5)[0], output="probabilities")

    with pytest.raises(ValueError, match=r"mean-colour takes uint8\[N, 32, 32, 3\], not "):
        model.classify(pixels)


@pytest.mark.parametrize(
    ("says", "answer", "words"),
    [
        (
            "probabilities",
            [3, 1, 0, -2, 1],
            'model.onnx gives what looks like logits: write output = "logits"',
        ),
        (
            "logits",
            [0.5, 0.5, 0, 0, 0],
            'gives what looks like probabilities: write output = "probabilities"',
        ),
        ("logits", [np.nan] * 5, "it gives numbers that are not finite: export it again"),
        ("logits", [1, 2, 3], "labels.txt has 5 labels, but model.onnx has 3 classes"),
    ],
)
def test_what_only_an_answer_shows_is_refused_at_the_start(scripted, says, answer, words):
    """A model that would answer nonsense does not start."""
    with pytest.raises(ConfigurationError) as caught:
        scripted(lambda _: answer, output=says)

    assert words in caught.value.detail


def test_whatever_an_engine_raises_becomes_one_line(scripted):
    """Engines explain themselves over many lines; the last one says what it is."""
    with pytest.raises(
        ConfigurationError, match=r"model\.onnx: Script cannot run it: no kernel for Nonsense$"
    ):
        scripted(lambda _: [0] * 5, name="broken")


def test_a_model_that_loads_and_does_not_run_is_refused(scripted):
    """Some mistakes show at the first inference only, which is part of the start."""
    with pytest.raises(ConfigurationError, match="Script cannot run it: division by zero"):
        scripted(lambda _: 1 / 0)
