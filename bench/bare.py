"""PNG files -> decode, resize, infer, in a loop: no HTTP, no queue, no store, no ranking of the labels.

    python -m bench.bare MODEL FOLDER

Stays, so that its model is warm: for each line `SECONDS` on its input it works that long and answers with one
line of JSON.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

from iraas.intake.inspect import Limits
from iraas.models.catalog import load_model
from iraas.worker.infer import Classifier


def run(classifier: Classifier, pngs: itertools.cycle[bytes], seconds: float) -> dict[str, object]:
    """Work for `seconds`."""
    decode_seconds = infer_seconds = 0.0
    latencies = []
    cpu, end = time.process_time(), time.monotonic() + seconds
    begun = time.monotonic()
    while (now := time.monotonic()) < end:
        data = next(pngs)
        before = time.thread_time()
        pixels = classifier.decode(data)
        decoded = time.thread_time()
        classifier.model.classify(pixels[None])
        infer_seconds += time.thread_time() - decoded
        decode_seconds += decoded - before
        latencies.append(time.monotonic() - now)
    return {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": time.process_time() - cpu,
        "decode_cpu_seconds": decode_seconds,
        "infer_cpu_seconds": infer_seconds,
        "latencies": latencies,
    }


def main(model: str, folder: Path) -> None:
    """Say `ready`; then work as told."""
    classifier = Classifier(load_model(model), Limits())
    pngs = itertools.cycle([path.read_bytes() for path in sorted(folder.iterdir())])
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(run(classifier, pngs, float(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
