"""The timed double keeps the promises of a model, so that tests which use it prove something."""

import pytest

from iraas.testing.model_contract import ModelContract
from iraas.testing.timed_model import TimedModel


class TestTimedModel(ModelContract):
    """The double, without its delay."""

    @pytest.fixture
    def model(self):
        """A model that takes no time."""
        return TimedModel()

    @pytest.fixture
    def alike(self):
        """Time does not count."""
        return [TimedModel(), TimedModel(2.0)]

    @pytest.fixture
    def different(self):
        """Its size does."""
        return [TimedModel(size=32)]
