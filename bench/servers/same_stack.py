"""form -> our decoder -> our model -> JSON, in one process: everything of iraas but its queue and its stores.

    /classify         FastAPI's own UploadFile
    /classify-pushed  our upload reader as well: then only durability is left as the difference

It computes in the event loop: that blocks uploads meanwhile, but a thread would cost half a core-ms more.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import uuid_utils
from fastapi import FastAPI, Request, Response, UploadFile

from iraas.intake.inspect import Limits
from iraas.models.catalog import load_model
from iraas.web.limits import BodyBudget, BodyLimits
from iraas.web.upload import UploadReader
from iraas.worker.infer import Classifier, top

classifier = Classifier(load_model("fast"), Limits())
budget = BodyBudget(256_000_000)
app = FastAPI()


@app.post("/classify")
async def classify(file: UploadFile) -> Response:
    """The five best labels."""
    return _labels(await file.read(), file.filename)


@app.post("/classify-pushed")
async def classify_pushed(request: Request) -> Response:
    """The same, read from the form as iraas reads it."""
    with UploadReader(request, budget=budget, limits=BodyLimits(), max_image_bytes=10_000_000) as reader:
        upload = await reader.read()
    return _labels(upload.data, upload.filename)


def _labels(data: bytes, filename: str | None) -> Response:
    begun = time.perf_counter()
    pixels = classifier.decode(data)
    [row] = classifier.model.classify(pixels[None])
    answer: dict[str, Any] = {
        "id": str(uuid_utils.uuid7()),
        "filename": filename,
        "predictions": top(row, classifier.model, 5),
        "model": classifier.name,
        "total_ms": (time.perf_counter() - begun) * 1000,
    }
    return Response(msgspec.json.encode(answer), media_type="application/json")
