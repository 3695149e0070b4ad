"""A folder with model.onnx, labels.txt and model.toml -> ModelFolder, or one line that says what is wrong."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from iraas.errors import ConfigurationError
from iraas.models.fit import refuse_unfit
from iraas.models.labels import parse_labels
from iraas.models.onnx_graph import GraphFacts, NotOnnx, read_graph
from iraas.models.port import Label
from iraas.models.spec import ModelSpec, parse_spec


class ModelFolder(NamedTuple):
    """A model that fits its description, ready for an engine."""

    path: Path
    spec: ModelSpec
    labels: tuple[Label, ...]
    takes_bytes: bool  # the graph takes uint8, else float32
    fingerprint: str  # eight hexadecimal digits

    @property
    def onnx(self) -> Path:
        """The weights."""
        return self.path / "model.onnx"


def read_folder(path: Path) -> ModelFolder:
    """Read and check a model folder. Raises `ConfigurationError` that names file, field and mend."""
    if not path.is_dir():
        raise ConfigurationError(
            f"{path}: there is no such folder; `iraas models list` has the bundled models"
        )
    with _blaming(path / "model.toml") as file:
        spec = parse_spec(file.read_bytes())
    with _blaming(path / "labels.txt") as file:
        labels = parse_labels(file.read_bytes())
    with _blaming(path / "model.onnx") as file:
        sha256, graph = _read_onnx(file)
    with _blaming(path):
        if spec.sha256 not in {None, sha256}:
            raise ValueError(
                f"model.onnx is not the file that model.toml means (sha256 {sha256}, not {spec.sha256}): "
                "get it again, or correct sha256"
            )
        refuse_unfit(graph, spec, labels)
    [pixels] = graph.inputs
    return ModelFolder(path, spec, labels, pixels.dtype == "uint8", _fingerprint(sha256, spec))


def _read_onnx(path: Path) -> tuple[str, GraphFacts]:
    """The file's SHA-256 and facts. Mapped, not read, so that its megabytes never are memory of ours."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise NotOnnx("it is empty")  # and nothing can be mapped
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return hashlib.sha256(data).hexdigest(), read_graph(data)


def _fingerprint(sha256: str, spec: ModelSpec) -> str:
    """Of all that makes another answer of the same picture; names and words do not count."""
    before = (spec.size, spec.crop_margin, spec.layout, spec.means, spec.deviations)
    after = (spec.mirror, spec.output)
    return hashlib.sha256(repr((sha256, before, after)).encode()).hexdigest()[:8]


@contextmanager
def _blaming(path: Path) -> Iterator[Path]:
    """What goes wrong inside is this path's fault."""
    try:
        yield path
    except OSError as error:
        mend = "a model folder holds model.onnx, labels.txt and model.toml"
        raise ConfigurationError(f"{path}: {error.strerror or error}: {mend}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from error
