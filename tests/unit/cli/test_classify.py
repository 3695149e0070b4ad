"""`iraas classify` without a server: what it takes, prints and exits with."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.classify_stand_ins import BAD, StandIn, fill, run

from iraas.cli import main
from iraas.cli.classify import classify
from iraas.errors import ConfigurationError


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The stand-in, in the model's place."""
    stand_in = StandIn()
    monkeypatch.setattr("iraas.wiring.model.load_classifier", lambda settings: stand_in)
    return stand_in


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_table_says_what_is_in_each_picture(folder: Path, model: StandIn) -> None:
    """A row has the path, the best label, its score and the time; everything answered is exit code 0."""
    fill(folder, cat=b"Egyptian cat", cup=b"espresso")
    result = run("cat.png", "cup.png")

    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["cat.png", "Egyptian", "cat", "0.831", "7.2"] in lines
    assert ["cup.png", "espresso", "0.831", "7.2"] in lines
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_bad_picture_fails_alone(folder: Path, model: StandIn) -> None:
    """The picture that has no label gets a row with slug and words, the others their labels; exit code 1."""
    fill(folder, a=b"espresso", b=BAD, c=b"teapot")
    result = run("a.png", "b.png", "gone.png", "c.png")

    assert result.exit_code == 1
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert "undecodable-image: the file ends in the middle" in rows["b.png"]
    assert "unreadable-file: No such file or directory" in rows["gone.png"]
    assert "teapot" in rows["c.png"]
    assert "2 of 4 pictures have no answer" in result.stderr


def test_folders_are_searched_by_suffix(folder: Path, model: StandIn) -> None:
    """Below a folder, pictures are found by suffix at any depth and sorted; a named file is always tried."""
    for name in ["z.PNG", "b/a.webp", "b/c/x.jpeg", "a.jpg", "notes.txt", "b/png", "b/.hidden.png"]:
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"cat")
    (folder / "in" / "d.png").mkdir()
    os.mkfifo(folder / "in" / "pipe.png")
    (folder / "extra.txt").write_bytes(b"cat")
    result = run("extra.txt", "in", "in/a.jpg", "--json")

    expected = ["extra.txt", "in/a.jpg", "in/b/.hidden.png", "in/b/a.webp", "in/b/c/x.jpeg", "in/z.PNG"]
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == expected
    assert result.exit_code == 0


def test_json_is_one_object_a_line(folder: Path, model: StandIn) -> None:
    """A line holds the path and the answer as HTTP gives it, or the slug and words of the error."""
    fill(folder, cat=b"Egyptian cat", hole=BAD)
    result = run("cat.png", "hole.png", "--json", "--top", "3")

    good, bad = (json.loads(line) for line in result.stdout.splitlines())
    assert good["path"] == "cat.png"
    assert (good["state"], good["label"], good["predictions"][0]["wnid"]) == (
        "done",
        "Egyptian cat",
        "n02124075",
    )
    assert bad == {
        "path": "hole.png",
        "state": "failed",
        "slug": "undecodable-image",
        "detail": "the file ends in the middle",
    }
    assert model.asked == [("cat.png", 3), ("hole.png", 3)]


def test_csv_holds_no_formula(folder: Path, model: StandIn) -> None:
    """A name or label that a spreadsheet would calculate gets a quote in front; commas and quotes are kept."""
    fill(folder, **{"=1+1": b"@SUM(A1)", 'a,"b': b"cat", "-x": BAD})
    result = run("=1+1.png", 'a,"b.png', "./-x.png", "--csv")

    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["path"], row["state"], row["label"]) for row in rows] == [
        ("'=1+1.png", "done", "'@SUM(A1)"),
        ('a,"b.png', "done", "cat"),
        ("'-x.png", "failed", ""),
    ]
    assert (rows[0]["score"], rows[0]["ms"], rows[0]["class_id"]) == ("0.8312", "7.2", "285")
    assert (rows[2]["slug"], rows[2]["detail"]) == ("undecodable-image", "the file ends in the middle")
    assert result.exit_code == 1


@pytest.mark.parametrize("output", ["--json", "--csv", None])
def test_odd_names_harm_nobody(folder: Path, model: StandIn, output: str | None) -> None:
    """Names that are no UTF-8, steer terminals or hold markup are printed without their effect."""
    for name in [b"\xff.png", b"\x1b[2J.png", b"[red]x.png", "\u202egnp.png".encode()]:
        Path(os.fsdecode(name)).write_bytes(b"cat")
    result = run(".", *([output] if output else []))

    assert result.exit_code == 0
    if output is None:
        assert "\x1b" not in result.stdout
        assert "\u202e" not in result.stdout
        assert r"\x1b[2J.png" in result.stdout
        assert r"\udcff.png" in result.stdout
        assert "[red]x.png" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["cat.png", "--json", "--csv"],
        ["cat.png", "--url", "http://127.0.0.1:1", "--model", "fast"],
        ["cat.png", "--top", "101"],
        ["cat.png", "--concurrency", "0"],
        [],
    ],
)
def test_wrong_usage_exits_2(folder: Path, model: StandIn, arguments: list[str]) -> None:
    """What the command cannot make sense of is said on standard error, and nothing is classified."""
    fill(folder, cat=b"cat")
    result = run(*arguments)

    assert (result.exit_code, result.stdout, model.asked) == (2, "", [])
    assert result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["."], "no picture"), (["cat.txt", "--url", "127.0.0.1:8080"], "http://127.0.0.1:8080")],
)
def test_what_can_never_work_is_a_configuration_error(folder: Path, arguments: list[str], words: str) -> None:
    """A folder without pictures or an address that is none ends the command (exit code 2 by `iraas`)."""
    (folder / "cat.txt").write_bytes(b"cat")
    result = run(*arguments)

    assert isinstance(result.exception, ConfigurationError)
    assert words in str(result.exception)


def test_a_wrong_model_is_one_line_and_exit_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with the model ends the command before a picture is read, without a traceback."""

    def refuse(settings: Any) -> None:
        raise ConfigurationError(f"there is no model {settings.model!r}")

    monkeypatch.setattr("iraas.wiring.model.load_classifier", refuse)
    monkeypatch.setattr("sys.argv", ["iraas", "classify", "cat.png", "--model", "nonesuch"])
    fill(folder, cat=b"cat")
    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "iraas: there is no model 'nonesuch'\n")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


@pytest.mark.parametrize("output", ["--json", None])
def test_the_bar_goes_to_the_terminal_and_the_rows_into_the_pipe(
    folder: Path, model: StandIn, monkeypatch: pytest.MonkeyPatch, output: str | None
) -> None:
    """With standard output in a pipe, a bar moves on the terminal, and not a byte of either is in the other."""
    fill(folder, cat=b"Egyptian cat")
    monkeypatch.setattr("sys.stdout", piped := io.StringIO())
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    classify([Path("cat.png")], as_json=output == "--json")

    assert "1/1" in terminal.getvalue()
    assert "Egyptian" not in terminal.getvalue()
    assert "Egyptian cat" in piped.getvalue()
    assert "1/1" not in piped.getvalue()


def test_no_bar_among_rows_on_one_terminal(
    folder: Path, model: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that appear one by one on a terminal are progress enough."""
    fill(folder, cat=b"Egyptian cat")
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    classify([Path("cat.png")], as_csv=True)

    assert terminal.getvalue() == ""
