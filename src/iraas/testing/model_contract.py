"""The promises of `iraas.models.port.Model`, as tests. A backend's own file inherits them and makes the models."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from iraas.models.port import Model, Pixels


def noise(model: Model, count: int) -> Pixels:
    """uint8[count, S, S, 3]: pictures of which no two are the same."""
    shape = (count, model.size, model.size, 3)
    return np.random.default_rng(7).integers(0, 256, shape, np.uint8)


class ModelContract:
    """Give `model`, and for promise 3 models that were made of nearly the same."""

    @pytest.fixture
    def model(self) -> Model:
        """The model to be tested."""
        raise NotImplementedError

    @pytest.fixture
    def alike(self) -> Sequence[Model]:
        """Models that differ in their words at most."""
        raise NotImplementedError

    @pytest.fixture
    def different(self) -> Sequence[Model]:
        """Models of which no two have the same weights and preprocessing, nor those of `alike`."""
        raise NotImplementedError

    def test_a_picture_gets_its_row_whatever_else_is_in_the_batch(self, model: Model) -> None:
        """Promise 1: alone, in a full batch and in a batch turned round, a picture has the same row."""
        pictures = noise(model, model.max_batch)

        together = model.classify(pictures)
        alone = np.concatenate([model.classify(picture[None]) for picture in pictures])
        turned = model.classify(pictures[::-1])

        np.testing.assert_allclose(together, alone, atol=1e-6)
        np.testing.assert_allclose(together, turned[::-1], atol=1e-6)

    def test_a_row_holds_one_probability_for_each_label(self, model: Model) -> None:
        """Promise 2: rows have as many probabilities as there are labels, and sum to 1."""
        rows = model.classify(noise(model, 2))

        assert rows.dtype == np.float32
        assert rows.shape == (2, len(model.labels))
        assert rows.min() >= 0
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-3)

    def test_the_fingerprint_stays_while_weights_and_preprocessing_do(self, alike: Sequence[Model]) -> None:
        """Promise 3: models of the same weights and preprocessing have one fingerprint, of eight hex digits."""
        fingerprints = {model.fingerprint for model in alike}

        assert len(fingerprints) == 1
        assert re.fullmatch("[0-9a-f]{8}", fingerprints.pop())

    def test_the_fingerprint_changes_with_weights_and_preprocessing(
        self, alike: Sequence[Model], different: Sequence[Model]
    ) -> None:
        """Promise 3: no two models that answer differently have the same fingerprint."""
        fingerprints = {model.fingerprint for model in [alike[0], *different]}

        assert len(fingerprints) == 1 + len(different)

    def test_takes_up_to_max_batch_pictures_and_leaves_them_alone(self, model: Model) -> None:
        """Promise 4: the array is not changed, and may be changed afterwards without changing the rows."""
        pictures = noise(model, model.max_batch)
        before = pictures.copy()

        rows = model.classify(pictures)
        kept = rows.copy()
        np.testing.assert_array_equal(pictures, before)
        pictures[:] = 0
        model.classify(pictures[:1])

        np.testing.assert_array_equal(rows, kept)

    def test_takes_pictures_that_nobody_may_write_to(self, model: Model) -> None:
        """Promise 4: a read-only array is as good as any."""
        pictures = noise(model, 1)
        pictures.flags.writeable = False

        assert len(model.classify(pictures)) == 1
