"""Stand-ins for the model and the client, which read in a picture what comes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

import typer
from typer.testing import CliRunner, Result

from iraas.cli.classify import classify
from iraas.client import Unreachable
from iraas.errors import BackendUnavailable, IraasError, Unauthorized, UndecodableImage
from iraas.messages import Answer, ImageFacts, Prediction, Timing

BAD, DOWN, REFUSED, SICK = b"bad", b"down", b"refused", b"sick"  # what the stand-ins fail on


def answer(filename: str, label: str = "Egyptian cat") -> Answer:
    """An answer about a picture of that name."""
    return Answer(
        id="0198c6a4-0000-7000-8000-000000000001",
        filename=filename,
        label=label,
        score=0.8312,
        predictions=(Prediction(285, "n02124075", label, 0.8312),),
        model="efficientnet-lite1@3f9c21ab",
        image=ImageFacts("png", 500, 375, "00"),
        timing_ms=Timing(0.0, 2.0, 4.8, 7.25),
    )


class StandIn:
    """A classifier that reads its outcome in the picture: the label, or what goes wrong."""

    asked: list[tuple[str, int]]

    def __init__(self) -> None:
        self.asked = []

    def classify(self, data: bytes, filename: str, top: int) -> Answer:
        """The picture's own words as its label."""
        self.asked.append((filename, top))
        if data == BAD:
            raise UndecodableImage("the file ends in the middle")
        return answer(filename, data.decode())


def fill(folder: Path, **pictures: bytes) -> None:
    """Files called `NAME.png` that say what they hold."""
    for name, data in pictures.items():
        (folder / f"{name}.png").write_bytes(data)


def run(*arguments: str) -> Result:
    """The command, as it would be run."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(classify)
    return CliRunner().invoke(app, arguments)


def outcome_of(path: Path) -> Answer:
    """What the picture itself says: its label, or what goes wrong."""
    errors: dict[bytes, type[IraasError]] = {
        BAD: UndecodableImage,
        DOWN: Unreachable,
        REFUSED: Unauthorized,
        SICK: BackendUnavailable,
    }
    data = path.read_bytes()
    if data in errors:
        raise errors[data]("in words")
    return answer(path.name, data.decode())


class FakeClient:
    """An `AsyncClient` whose first picture is answered last, when all that go at once have been asked."""

    at_once = 0
    most_at_once = 0
    given: tuple[str, str | None] = ("", None)

    def __init__(self, url: str, *, api_key: str | None) -> None:
        FakeClient.given = (url, api_key)
        FakeClient.at_once = FakeClient.most_at_once = 0
        self._others_asked = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def classify(self, path: Path, *, top: int) -> Answer:
        """The picture's own words as its label."""
        FakeClient.at_once += 1
        FakeClient.most_at_once = max(FakeClient.most_at_once, FakeClient.at_once)
        try:
            if path.name == "a.png":
                await asyncio.wait_for(self._others_asked.wait(), timeout=10)
            elif path.name == "d.png":
                self._others_asked.set()
            await asyncio.sleep(0)  # the others' turn
            return outcome_of(path)
        finally:
            FakeClient.at_once -= 1
