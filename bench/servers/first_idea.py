"""form -> Pillow -> ONNX Runtime, fp32 -> JSON: what a team would write first."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI, UploadFile
from PIL import Image

from iraas.models.catalog import find_model

folder = find_model("fast")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # two processes of one thread beat one of two
session = onnxruntime.InferenceSession(folder.onnx, options, providers=["CPUExecutionProvider"])
[pixels_input] = session.get_inputs()
app = FastAPI()


@app.post("/classify")
def classify(file: UploadFile) -> dict[str, Any]:
    """The five best labels. Not `async`: FastAPI runs it in a thread, so that inference blocks no upload."""
    size, margin = folder.spec.size, folder.spec.crop_margin
    image = Image.open(file.file).convert("RGB")
    side = min(image.size) * size / (size + margin)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
    [[row]] = session.run(None, {pixels_input.name: pixels[None]})
    best = np.argsort(row)[::-1][:5]
    return {
        "filename": file.filename,
        "predictions": [{"label": folder.labels[k].name, "score": float(row[k])} for k in best],
    }
