"""The right answer, end to end."""

from __future__ import annotations

import io

import pytest
from PIL import Image

CATS = {"n02123045", "n02123159", "n02124075"}  # tabby, tiger cat, Egyptian cat


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cat_is_a_cat(api, cat, kind):
    """A photograph of a cat gets a cat's label, in each of the three formats."""
    file = io.BytesIO()
    Image.open(cat).save(file, kind)
    answer = api.post("/v1/images", files={"file": (f"cat.{kind.lower()}", file.getvalue())}).json()

    assert answer["predictions"][0]["wnid"] in CATS
    assert answer["image"]["format"] == kind.lower()


def test_gives_the_same_answer_again(api, cat):
    """Posted twice, a picture has two ids and the same labels with the same scores."""
    first, second = (api.post("/v1/images", content=cat.read_bytes()).json() for _ in range(2))

    assert first["id"] != second["id"]
    assert first["predictions"] == second["predictions"]
