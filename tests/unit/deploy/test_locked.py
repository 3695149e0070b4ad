from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from iraas.deploy.locked import ARCHITECTURES, Architecture, lock_file, locked, read_pins
from iraas.errors import ConfigurationError

PYPROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
LOCK = """\
ab-c==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via iraas (pyproject.toml)
d==2.0.post1 \\
    --hash=sha256:{c}
    # via
    #   ab-c
""".format(a="a" * 64, b="b" * 64, c="c" * 64)


def test_a_lock_is_read_package_by_package() -> None:
    """Name, version and every hash; the remarks are left out of what pip is given."""
    first, second = read_pins(LOCK)

    assert (first.name, first.version, first.hashes) == ("ab-c", "1.0", {"a" * 64, "b" * 64})
    assert (second.name, second.version, second.hashes) == ("d", "2.0.post1", {"c" * 64})
    assert "via" not in first.text + second.text
    assert read_pins(first.text + second.text) == [first, second]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_that_iraas_needs_on_aws_is_locked(architecture: Architecture) -> None:
    """What pyproject.toml names stands in the lock, at a version that it allows, with hashes."""
    pins = {pin.name: pin for pin in locked(architecture)}
    project = PYPROJECT["project"]

    for wanted in [*project["dependencies"], *project["optional-dependencies"]["aws"]]:
        name, least = re.match(r"([A-Za-z0-9-]+)>=([\d.]+)", wanted).groups()  # type: ignore[union-attr]
        assert numbers(pins[name].version) >= numbers(least), f"{name}: run `make lock`"

    assert all(pin.hashes for pin in pins.values())


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def test_an_unknown_architecture_is_named() -> None:
    """EC2's names are taken, others not."""
    with pytest.raises(ConfigurationError, match="'aarch64': the architecture is x86_64 or arm64"):
        lock_file("aarch64")
