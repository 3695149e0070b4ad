"""The timed double keeps the promises of a model, so that tests which use it prove something."""

import pytest

from iraas.testing.model_contract import ModelContract
from iraas.testing.timed_model import TimedModel


class TestTimedModel(ModelContract):
    @pytest.fixture
    def model(self):
        return TimedModel()

    @pytest.fixture
    def alike(self):
        return [TimedModel(), TimedModel(2.0)]

    @pytest.fixture
    def different(self):
        return [TimedModel(size=32)]
