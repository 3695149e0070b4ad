"""How often the bundled models are right on real photographs, and that both engines say the same of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from iraas.models.catalog import BUNDLED, load_model
from iraas.models.port import Model
from iraas.worker.decode import decode

# Right of the 96 photographs: the same with weights in full precision (tools/export_models.py --full-precision)
# and in half, decoded at full size and computed in fp32. Shrinking a JPEG while it is decoded, or bfloat16,
# may turn one or two that were close.
RIGHT = {"fast": 87, "default": 88, "accurate": 87}
SLACK = 2  # photographs
SAMPLE = 12  # photographs that both engines see


def pictures(model: Model, files: list[Path]) -> Iterator[np.ndarray]:
    """Each photograph as the model wants it: uint8[1, S, S, 3]."""
    for path in files:
        yield decode(path.read_bytes(), size=model.size, crop_margin=model.crop_margin)[None]


@pytest.fixture
def files(photos) -> list[Path]:
    """The photographs; each is named after its class: `WNID_label.JPEG`."""
    return sorted(photos.glob("n*.JPEG"))


@pytest.mark.parametrize("name", BUNDLED)
def test_the_models_are_as_often_right_as_they_were(files, name):
    """Export, preprocessing and engine together lose nothing of a model's accuracy."""
    model = load_model(name)
    answers = [model.labels[int(model.classify(one)[0].argmax())].wnid for one in pictures(model, files)]

    right = sum(wnid == path.name.split("_")[0] for wnid, path in zip(answers, files, strict=True))

    assert abs(right - RIGHT[name]) <= SLACK


@pytest.mark.parametrize("name", BUNDLED)
def test_both_engines_say_the_same(files, name):
    """The best class is the same, and probabilities differ by rounding only."""
    openvino, onnxruntime = load_model(name), load_model(name, engine="onnxruntime")

    for picture in pictures(openvino, files[::8][:SAMPLE]):
        ours, theirs = openvino.classify(picture), onnxruntime.classify(picture)
        assert ours.argmax() == theirs.argmax()
        np.testing.assert_allclose(ours, theirs, atol=0.05)  # bfloat16's, where the processor has it
