"""uint8[N, S, S, 3] -> float32[N, K]: what all engines share. One picture at a time, then its mirror image.

A static batch of one was the fastest shape on every CPU that we measured: batches of 4 and 8 gain nothing,
and a shape that is open costs a tenth.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from iraas.errors import ConfigurationError
from iraas.models.fit import refuse_label_count
from iraas.models.folder import ModelFolder
from iraas.models.port import Label, Pixels, Probabilities

Row = NDArray[np.float32]  # [K]: what the graph gives for one picture
_SUM_TOLERANCE = 0.02  # of a row of probabilities: half-precision engines round each of them


class EngineModel(ABC):
    """A `Model` on some engine. A subclass loads the file, and gives the raw row of one picture."""

    engine: ClassVar[str]  # its name, for people
    max_batch = 8  # pictures; it bounds only how long one call may take

    name: str
    size: int
    crop_margin: int
    labels: Sequence[Label]
    fingerprint: str

    def __init__(self, folder: ModelFolder) -> None:
        """Load the model, and prove on one picture that it gives what its folder says.

        Raises `ConfigurationError` when it does not.
        """
        spec = folder.spec
        self.name, self.size, self.crop_margin = spec.name, spec.size, spec.crop_margin
        self.labels, self.fingerprint = folder.labels, folder.fingerprint
        self._mirror, self._logits = spec.mirror, spec.output == "logits"
        noise = np.random.default_rng(0).integers(0, 256, (self.size, self.size, 3), np.uint8)
        try:
            self._load(folder)
            row = self._raw(noise)  # which also warms the engine up
        except ConfigurationError:
            raise
        except Exception as error:  # what engines raise shares no class but this
            said = (str(error).strip() or repr(error)).splitlines()[-1].lstrip("- ")
            raise ConfigurationError(f"{folder.onnx}: {self.engine} cannot run it: {said}") from error
        self._refuse_unfit(row, folder)

    @abstractmethod
    def _load(self, folder: ModelFolder) -> None:
        """Make the engine ready. Whatever it raises becomes a `ConfigurationError`."""

    @abstractmethod
    def _raw(self, picture: Pixels) -> Row:
        """uint8[S, S, 3], of any strides -> what the graph gives; valid until the next call."""

    def classify(self, pixels: Pixels) -> Probabilities:
        """uint8[N, S, S, 3] -> float32[N, K] probabilities. Blocks; call it from one thread at a time."""
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (self.size, self.size, 3):
            wanted = f"uint8[N, {self.size}, {self.size}, 3]"
            raise ValueError(f"{self.name} takes {wanted}, not {pixels.dtype}{list(pixels.shape)}")
        rows = np.empty((len(pixels), len(self.labels)), np.float32)
        for picture, row in zip(pixels, rows, strict=True):
            row[:] = self._probabilities(picture)
            if self._mirror:
                row += self._probabilities(picture[:, ::-1])
                row /= 2
        return rows

    def _probabilities(self, picture: Pixels) -> Row:
        row = self._raw(picture)
        weights = np.exp(row - row.max()) if self._logits else row
        probabilities: Row = weights / weights.sum()  # of probabilities, too: bfloat16 leaves them beside 1
        return probabilities

    def _refuse_unfit(self, row: Row, folder: ModelFolder) -> None:
        """What the file leaves open shows in an answer."""
        try:
            refuse_label_count(row.size, self.labels)
        except ValueError as error:
            raise ConfigurationError(f"{folder.path}: {error}") from error
        if not np.isfinite(row).all():
            raise ConfigurationError(f"{folder.onnx}: it gives numbers that are not finite: export it again")
        given = "probabilities" if row.min() >= 0 and abs(row.sum() - 1) < _SUM_TOLERANCE else "logits"
        if given != folder.spec.output:
            raise ConfigurationError(
                f'{folder.path / "model.toml"}: output is "{folder.spec.output}", but model.onnx gives what looks '
                f'like {given}: write output = "{given}"'
            )
