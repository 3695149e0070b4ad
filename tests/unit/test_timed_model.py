"""The timed double answers what can be told beforehand, after the time it was given."""

import numpy as np

from iraas.testing.timed_model import TimedModel


def grey(*values: int) -> np.ndarray:
    """uint8[N, 64, 64, 3]: pictures of one grey each."""
    return np.stack([np.full((64, 64, 3), value, np.uint8) for value in values])


def test_the_label_is_the_mean_of_the_pixels():
    """A picture of one grey is labelled with it; half black, half white is the middle."""
    model = TimedModel()
    half = grey(0)
    half[:, 32:] = 255

    rows = model.classify(np.concatenate([grey(0, 7, 255), half]))

    assert [model.labels[index].name for index in rows.argmax(axis=1)] == [
        "grey 0",
        "grey 7",
        "grey 255",
        "grey 128",
    ]


def test_each_picture_takes_its_time():
    """N pictures take N times the time of one."""
    waits = []
    model = TimedModel(0.01, wait=waits.append)

    model.classify(grey(1))
    model.classify(grey(1, 2, 3))

    np.testing.assert_allclose(waits, [0.01, 0.03])
