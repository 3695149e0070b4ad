"""pins -> a folder with one wheel for each, built for Debian 12 on an architecture, whatever this machine is.

pip fetches what is not there yet, from the index that it is set up for, and holds each file against its hashes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from tempfile import TemporaryDirectory

from iraas.deploy.locked import Architecture, Pin
from iraas.errors import BackendUnavailable, ConfigurationError, IraasError

GLIBC = 36  # Debian 12 has 2.36; a wheel for an older one will do, which pip has to be told (PEP 600)
OLDEST_GLIBC = {"x86_64": 5, "arm64": 17}
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}  # EC2's word -> that of wheels
LEGACY = {"x86_64": ("manylinux2014", "manylinux2010", "manylinux1"), "arm64": ("manylinux2014",)}
DOWNLOAD = (
    *("download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--progress-bar", "off"),
    *("--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"),
)
LINES_KEPT = 40  # of what pip said last

Report = Callable[[int, str], None]  # packages that are there, and which comes next

_COLLECTING = re.compile(
    r"^(?:Collecting (?P<name>[A-Za-z0-9._-]+)==|Processing .*/(?P<file>[^/]+)-\d[^/]*\.whl)"
)
_NO_NETWORK = re.compile(
    r"Retrying \(|NewConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|Connection(?: broken|ResetError)"
    r"|ProxyError|SSLError"
)
_NOT_FOUND = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)==([^\s(]+)")
_WRONG_HASH = re.compile(r"^\s+([A-Za-z0-9._-]+)==\S+ from ", re.MULTILINE)


def gather(
    folder: Path, pins: Sequence[Pin], architecture: Architecture, report: Report, *, scratch: Path
) -> list[Path]:
    """The wheel of each pin, in their order. What of them lies in `folder` already is not fetched again.

    `scratch` is on the same disk: a file comes into `folder` whole or not at all.

    Raises `ConfigurationError` where a package has no wheel for the architecture, or another content than was
    locked; `BackendUnavailable` where the index is out of reach.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = dict(_by_hash(folder))
    lacking = [pin for pin in pins if not pin.hashes & there.keys()]
    if lacking:
        with TemporaryDirectory(dir=scratch) as fetched:
            _fetch(
                Path(fetched),
                lacking,
                architecture,
                lambda n, name: report(len(pins) - len(lacking) + n, name),
            )
            for digest, wheel in _by_hash(Path(fetched)):
                there[digest] = wheel.replace(folder / wheel.name)
    return [there[_only(pin, there.keys() & pin.hashes)] for pin in pins]


def _only(pin: Pin, found: set[str]) -> str:
    if not found:
        raise ConfigurationError(f"{pin.name}=={pin.version} was fetched, but is no file that the lock knows")
    return min(found)


def _by_hash(folder: Path) -> Iterator[tuple[str, Path]]:
    for wheel in sorted(folder.glob("*.whl")):
        with wheel.open("rb") as file:
            yield hashlib.file_digest(file, "sha256").hexdigest(), wheel


def _fetch(into: Path, pins: Sequence[Pin], architecture: Architecture, report: Report) -> None:
    wanted = into / "requirements.txt"
    wanted.write_text("".join(pin.text for pin in pins))
    platforms = (word for tag in tags(architecture) for word in ("--platform", tag))
    said = run_pip(
        [*DOWNLOAD, "--dest", str(into), "--requirement", str(wanted), *platforms],
        on_line=_counting(report),
    )
    if said is not None:
        raise in_words(said, architecture)


def tags(architecture: Architecture) -> list[str]:
    """The platforms whose wheels run on Debian 12, newest first."""
    machine = MACHINES[architecture]
    numbered = [f"manylinux_2_{minor}" for minor in range(GLIBC, OLDEST_GLIBC[architecture] - 1, -1)]
    return [f"{tag}_{machine}" for tag in (*numbered, *LEGACY[architecture])]


def _counting(report: Report) -> Callable[[str], None]:
    begun = 0

    def on_line(line: str) -> None:
        nonlocal begun
        if match := _COLLECTING.match(line):
            report(begun, match["name"] or match["file"])
            begun += 1

    return on_line


def run_pip(words: list[str], *, on_line: Callable[[str], None]) -> str | None:
    """Run pip; None, or the end of what it said when it failed. It ends with whoever called this."""
    always = ["--no-input", "--disable-pip-version-check"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "LC_ALL": "C.UTF-8"}
    last: list[str] = []
    command = [*_pip(), *words, *always]
    with Popen(command, stdout=PIPE, stderr=STDOUT, text=True, env=environment) as process:  # noqa: S603 - pip
        try:
            assert process.stdout is not None
            for line in process.stdout:
                on_line(line)
                last = [*last, line][-LINES_KEPT:]
        except BaseException:
            process.kill()
            raise
    return "".join(last) if process.returncode else None


def _pip() -> list[str]:
    """The command of pip: this environment's, or, where uv made it without one, a copy that uv runs."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    try:
        import uv
    except ImportError as error:
        raise ConfigurationError(
            "building a release needs pip: pip install 'iraas[aws]' brings it"
        ) from error
    return [uv.find_uv_bin(), "tool", "run", "pip"]


def in_words(said: str, architecture: Architecture) -> IraasError:
    """What pip's last lines mean."""
    if _NO_NETWORK.search(said):
        return BackendUnavailable(
            "the package index is out of reach: mend the network, or set up pip for an index that you reach "
            "(PIP_INDEX_URL), and run this again"
        )
    if "DO NOT MATCH THE HASHES" in said:
        names = ", ".join(_WRONG_HASH.findall(said)) or "a package"
        return ConfigurationError(
            f"{names}: the index has other files than those that this version of iraas was locked with. "
            "Nothing was installed; use an index that you trust (PIP_INDEX_URL)"
        )
    if match := _NOT_FOUND.search(said):
        return ConfigurationError(
            f"no wheel of {match[1]} {match[2]} for {architecture} was found: your package index lacks it or does "
            "not answer; use one that has it (PIP_INDEX_URL), and run this again"
        )
    words = [line.removeprefix("ERROR: ").strip() for line in said.splitlines() if line.startswith("ERROR: ")]
    return ConfigurationError(
        "pip failed: " + (words[-1] if words else said.strip()[-200:] or "it said nothing")
    )
