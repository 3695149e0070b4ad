"""model.toml -> ModelSpec: what a picture must become before the model sees it, and what comes out."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Mean = Annotated[float, Field(ge=0, le=255)]
Deviation = Annotated[float, Field(ge=1, le=255)]  # below 1 somebody wrote a figure for pixels of 0 to 1


class ModelSpec(BaseModel):
    """What `model.toml` says. The model is given (pixel - mean) / deviation of pixels from 0 to 255."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="letters, digits, '.', '_' and '-', at most 64",
    )
    size: int = Field(ge=16, le=1024, strict=True, description="pixels a side, 16 to 1024")
    layout: Literal["NHWC", "NCHW"] = Field(description='"NHWC" or "NCHW"')
    mean: Mean | tuple[Mean, Mean, Mean] = Field(
        description="one number or [red, green, blue], in pixel values, 0 to 255"
    )
    deviation: Deviation | tuple[Deviation, Deviation, Deviation] = Field(
        description="one number or [red, green, blue], in pixel values, 1 to 255 (those for 0 to 1 times 255)"
    )
    crop_margin: int = Field(
        32,
        ge=0,
        le=1024,
        strict=True,
        description="pixels: the crop is min(w, h) * size / (size + crop_margin)",
    )
    mirror: bool = Field(
        False, strict=True, description="true averages with the mirror image's answer, at twice the cost"
    )
    output: Literal["probabilities", "logits"] = Field(
        "probabilities", description='"probabilities" or "logits"'
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits in small letters, of model.onnx"
    )
    provenance: str = Field("", description="where the weights come from, in words")
    licence: str = Field("", description="of the weights, in words")

    @property
    def means(self) -> tuple[float, float, float]:
        """Of red, green and blue."""
        return _three(self.mean)

    @property
    def deviations(self) -> tuple[float, float, float]:
        """Of red, green and blue."""
        return _three(self.deviation)

    @property
    def takes_pixels_as_they_are(self) -> bool:
        """Whether nothing is subtracted or divided."""
        return {*self.means} == {0} and {*self.deviations} == {1}


def parse_spec(toml: bytes) -> ModelSpec:
    """The bytes of model.toml -> ModelSpec. Raises `ValueError` that names each wrong field and its mend."""
    try:
        given = tomllib.loads(toml.decode())
    except ValueError as error:  # also of bytes that are not even text
        raise ValueError(f"this is not TOML: {error}") from error
    try:
        return ModelSpec.model_validate(given)
    except ValidationError as error:
        wrong = dict.fromkeys(str(line["loc"][0]) for line in error.errors())  # mean has a line for each form
        raise ValueError("; ".join(_in_words(name, given) for name in wrong)) from error


def _in_words(name: str, given: dict[str, Any]) -> str:
    field = ModelSpec.model_fields.get(name)
    if field is None:
        return f"{name}: there is no such field; the fields are {', '.join(ModelSpec.model_fields)}"
    what = f"is {given[name]!r}, but" if name in given else "is missing: it"
    return f"{name} {what} takes {field.description}"


def _three(value: float | tuple[float, float, float]) -> tuple[float, float, float]:
    return value if isinstance(value, tuple) else (value, value, value)
