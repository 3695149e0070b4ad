from __future__ import annotations

from pathlib import Path

import pytest

from iraas.deploy import release
from iraas.deploy.release import KEPT, build_release
from iraas.errors import ConfigurationError

# The real ones take seconds: tests/integration/test_release.py has them.


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release of an iraas that needs nothing."""

    def own_wheel(folder: Path) -> Path:
        wheel = folder / "iraas-0.0-py3-none-any.whl"
        wheel.write_bytes(b"iraas")
        return wheel

    monkeypatch.setattr(release, "locked", lambda _architecture: [])
    monkeypatch.setattr(release, "own_wheel", own_wheel)


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C before the end: no tar, nothing half-made."""

    def interrupt(done: float, _now: str) -> None:
        if done == 1.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_release(tmp_path, architecture="arm64", on_progress=interrupt)

    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def test_the_folder_does_not_grow(tmp_path: Path) -> None:
    """Of older releases the newest stay, of other architectures all; of a build that was killed nothing does."""
    (tmp_path / ".building-killed").mkdir()
    for age in range(5):
        (tmp_path / f"iraas-0.0.{age}-arm64-0123456789ab.tar").touch()
    other = tmp_path / "iraas-0.0.1-x86_64-0123456789ab.tar"
    other.touch()

    built = build_release(tmp_path, architecture="arm64")

    tars = set(tmp_path.glob("*.tar"))
    assert {built.path, other} < tars
    assert len(tars) == KEPT + 1
    assert not (tmp_path / ".building-killed").exists()


def test_other_content_has_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit that says something else makes another release; for another architecture it is another, too."""
    first = build_release(tmp_path, architecture="arm64")
    same = build_release(tmp_path, architecture="arm64")
    elsewhere = build_release(tmp_path, architecture="x86_64")
    (tmp_path / "units").mkdir()
    for name in ("install.sh", "back-off.sh", "units/iraas.target"):
        (tmp_path / name).write_text("another")
    monkeypatch.setattr(release, "_FOLDER", tmp_path)
    changed = build_release(tmp_path, architecture="arm64")

    assert same == first
    assert len({first.key, elsewhere.key, changed.key}) == 3


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """It is named, with what the system says about it."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match=f"{tmp_path}/file/cache: Not a directory"):
        build_release(tmp_path / "file/cache", architecture="arm64")


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError, match="there is no release for 'riscv64'"):
        build_release(tmp_path, architecture="riscv64")  # type: ignore[arg-type]
