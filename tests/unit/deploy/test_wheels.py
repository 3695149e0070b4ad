from __future__ import annotations

import hashlib
import socket
import zipfile
from pathlib import Path

import pytest

from iraas.deploy.locked import Architecture, Pin
from iraas.deploy.wheels import gather, in_words, tags
from iraas.errors import BackendUnavailable, ConfigurationError

PY = "py3-none-any"
X86 = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"
ARM = "cp311-abi3-manylinux_2_28_aarch64"


class Index:
    """Where pip looks in these tests: a folder, and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def publish(self, name: str, *tagged: str, version: str = "1.0") -> Pin:
        """A package as wheels with these tags -> what a lock says about it."""
        hashes = frozenset(self._wheel(name, version, tag) for tag in tagged)
        lines = "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(hashes))
        return Pin(name, version, hashes, f"{name}=={version}{lines}\n")

    def _wheel(self, name: str, version: str, tag: str) -> str:
        path = self.folder / f"{name}-{version}-{tag}.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{info}/RECORD", "")
        return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return Index(tmp_path / "index")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def names(wheels: list[Path]) -> list[str]:
    return [wheel.name.split("-")[0] for wheel in wheels]


@pytest.mark.parametrize(("architecture", "built_for"), [("x86_64", X86), ("arm64", ARM)])
def test_a_wheel_of_each_package(
    index: Index, tmp_path: Path, scratch: Path, architecture: Architecture, built_for: str
) -> None:
    """Packages of pure Python, and those built for the architecture, whatever this machine is; in the pins' order."""
    pins = [index.publish("native", X86, ARM), index.publish("anywhere", PY)]
    said: list[tuple[int, str]] = []

    wheels = gather(tmp_path / "wheels", pins, architecture, lambda *told: said.append(told), scratch=scratch)

    assert names(wheels) == ["native", "anywhere"]
    assert wheels[0].name.endswith(f"{built_for}.whl")
    assert said == [(0, "native"), (1, "anywhere")]
    assert not list(scratch.iterdir())


def test_what_is_there_is_not_fetched_again(index: Index, tmp_path: Path, scratch: Path) -> None:
    """The second time, only what was not there is asked for; and nobody, when all is there."""
    first, second = index.publish("first", PY), index.publish("second", PY)
    folder = tmp_path / "wheels"
    gather(folder, [first], "arm64", lambda *_: None, scratch=scratch)
    said: list[tuple[int, str]] = []

    wheels = gather(folder, [first, second], "arm64", lambda *told: said.append(told), scratch=scratch)
    again = gather(folder, [second, first], "arm64", lambda *told: said.append(told), scratch=scratch)

    assert names(wheels) == ["first", "second"]
    assert again == wheels[::-1]
    assert said == [(1, "second")]


def test_a_wheel_that_was_damaged_is_fetched_again(index: Index, tmp_path: Path, scratch: Path) -> None:
    """A file counts by what is in it, not by its name."""
    pin = index.publish("anywhere", PY)
    [wheel] = gather(tmp_path / "wheels", [pin], "arm64", lambda *_: None, scratch=scratch)
    wheel.write_bytes(b"half of it")

    [again] = gather(tmp_path / "wheels", [pin], "arm64", lambda *_: None, scratch=scratch)

    assert {hashlib.sha256(again.read_bytes()).hexdigest()} == pin.hashes


def test_no_wheel_for_the_architecture(index: Index, tmp_path: Path, scratch: Path) -> None:
    """The package that is not built for it is named, and nothing is kept."""
    pin = index.publish("native", X86)

    with pytest.raises(ConfigurationError, match=r"no wheel of native 1\.0 for arm64 was found"):
        gather(tmp_path / "wheels", [pin], "arm64", lambda *_: None, scratch=scratch)

    assert not list((tmp_path / "wheels").iterdir())


def test_a_package_that_was_built_for_a_newer_debian(index: Index, tmp_path: Path, scratch: Path) -> None:
    """A wheel that asks for a newer glibc than Debian 12's is none for us."""
    pin = index.publish("native", "cp311-cp311-manylinux_2_37_x86_64")

    with pytest.raises(ConfigurationError, match="no wheel of native"):
        gather(tmp_path / "wheels", [pin], "x86_64", lambda *_: None, scratch=scratch)


def test_another_content_than_was_locked(index: Index, tmp_path: Path, scratch: Path) -> None:
    """A package that somebody has replaced is named, and not taken."""
    pin = index.publish("anywhere", PY)
    (tmp_path / "index" / f"anywhere-1.0-{PY}.whl").write_bytes(b"something else")

    with pytest.raises(ConfigurationError, match=r"^anywhere: the index has other files"):
        gather(tmp_path / "wheels", [pin], "arm64", lambda *_: None, scratch=scratch)

    assert not list((tmp_path / "wheels").iterdir())


def test_an_index_out_of_reach(
    index: Index, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network is no fault of the lock: it says so, and that another try may help."""
    pin = index.publish("anywhere", PY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    with pytest.raises(BackendUnavailable, match="the package index is out of reach"):
        gather(tmp_path / "wheels", [pin], "arm64", lambda *_: None, scratch=scratch)


def test_an_interruption_leaves_nothing(index: Index, tmp_path: Path, scratch: Path) -> None:
    """Ctrl-C in the middle ends pip, too, and leaves neither wheels nor what was fetched."""

    def interrupt(_there: int, _name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gather(tmp_path / "wheels", [index.publish("anywhere", PY)], "arm64", interrupt, scratch=scratch)

    assert not list((tmp_path / "wheels").iterdir())
    assert not list(scratch.iterdir())


def test_platforms_that_run_on_debian_12() -> None:
    """Glibc 2.36 and all before it, newest first, and the names from before there were numbers."""
    assert tags("x86_64")[:2] == ["manylinux_2_36_x86_64", "manylinux_2_35_x86_64"]
    assert tags("x86_64")[-3:] == ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    assert tags("arm64")[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]


def test_words_of_pip_that_nobody_foresaw() -> None:
    """What pip says last is handed on."""
    said = "Collecting a==1\nERROR: the moon is full\n"

    assert str(in_words(said, "arm64")) == "pip failed: the moon is full"
    assert "it said nothing" in str(in_words("", "arm64"))
