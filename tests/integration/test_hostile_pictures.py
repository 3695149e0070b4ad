"""The whole hostile set through one decoding process: the right outcomes, and memory within its bound."""

import json
import subprocess
import sys

import pytest

DECODE_ALL = """
import json, resource, sys
from iraas.errors import IraasError
from iraas.testing.hostile import ANSWERED, hostile_pictures
from iraas.testing.specimen import whole_png, written_by_pillow
from iraas.worker.decode import decode

def peak_mb():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

for data in (whole_png(), written_by_pillow("JPEG"), written_by_pillow("WEBP")):
    decode(data, size=240)
before, count, wrong = peak_mb(), 0, []
for specimen in hostile_pictures():
    try:
        decode(specimen.data, size=240)
        outcome = ANSWERED
    except IraasError as error:
        outcome = error.slug
    count += 1
    if outcome not in specimen.outcomes:
        wrong.append([specimen.name, outcome])
print(json.dumps({"count": count, "wrong": wrong, "grown_mb": peak_mb() - before}))
"""


@pytest.fixture(scope="module")
def told() -> dict:
    """What a process said that decoded all of it."""
    done = subprocess.run([sys.executable, "-c", DECODE_ALL], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_every_outcome_is_right(told):
    """Nothing crashes the process, and each picture gets labels or an error that is meant for it."""
    assert told["count"] > 1700
    assert told["wrong"] == []


def test_memory_stays_within_its_bound(told):
    """The worst that the limits allow, 25 megapixels of 16 bits, costs less than 300 MB over an idle worker."""
    assert told["grown_mb"] < 300
