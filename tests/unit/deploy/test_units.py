from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.systemd import SERVICES, UNITS, systemd_analyze, verify

from iraas.settings import Settings

MOST_EXPOSURE = 1.5  # of 10; "OK" begins at 4
RUNNING = [name for name in SERVICES if name != "iraas-leave.service"]
REFUSED_TO_GAIN = """
import ctypes, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN: linux/prctl.h, from Linux 6.3
    sys.exit(77)
from iraas.models.catalog import load_model
load_model("fast")
"""


def values(name: str, key: str) -> list[str]:
    """What a unit says about `key`, line by line."""
    return re.findall(rf"^{key}=(.*)$", (UNITS / name).read_text(), re.MULTILINE)


def test_systemd_has_nothing_to_say_about_them(tmp_path: Path) -> None:
    """Every key is one that Debian 12's systemd knows, and every program is where the installation puts it."""
    installed, programs = tmp_path / "etc/systemd/system", tmp_path / "opt/iraas/bin"
    installed.mkdir(parents=True)
    programs.mkdir(parents=True)
    for unit in UNITS.iterdir():
        (installed / unit.name).write_text(unit.read_text())
    for name in ("iraas", "back-off"):
        (programs / name).touch(mode=0o755)

    assert verify(tmp_path) == ""


def test_a_key_that_systemd_does_not_know_is_told(tmp_path: Path) -> None:
    """The check above sees what it is for: RestartSteps= came with systemd 254, nonsense never."""
    installed = tmp_path / "etc/systemd/system"
    installed.mkdir(parents=True)
    for unit in UNITS.iterdir():
        (installed / unit.name).write_text(unit.read_text().replace("[Service]", "[Service]\nNonsense=1"))

    said = verify(tmp_path)

    assert "Unknown key" in said
    assert "/opt/iraas/bin/iraas" in said


@pytest.mark.parametrize("name", SERVICES)
def test_hardly_exposed(name: str) -> None:
    """What a service could do to its machine, were it taken over, is as little as systemd can make it."""
    said = systemd_analyze("security", "--offline=true", "--no-pager", str(UNITS / name))

    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)

    assert found, said
    assert float(found[1]) <= MOST_EXPOSURE, said


@pytest.mark.parametrize("name", SERVICES)
def test_a_refused_call_is_an_error_and_no_death(name: str) -> None:
    """A system call that is not allowed gives EPERM, which programs are ready for; without this, SIGSYS."""
    assert values(name, "SystemCallErrorNumber") == ["EPERM"]
    assert values(name, "SystemCallFilter") == ["@system-service", "~@privileged @resources"]


@pytest.mark.parametrize("name", RUNNING)
def test_machine_code_may_be_made(name: str) -> None:
    """MemoryDenyWriteExecute= is absent, and the unit says why."""
    assert not values(name, "MemoryDenyWriteExecute")
    assert "# No MemoryDenyWriteExecute=: OpenVINO compiles" in (UNITS / name).read_text()


def test_openvino_cannot_run_where_memory_may_not_become_code() -> None:
    """The reason for the line that is absent: the same refusal, by the kernel's own switch, stops OpenVINO."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSED_TO_GAIN], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode == 77:
        missing("a kernel with PR_SET_MDWE (Linux 6.3)")

    assert done.returncode == 1
    assert "OpenVINO cannot run it" in done.stderr


@pytest.mark.parametrize("name", RUNNING)
def test_whoever_ends_is_started_again_and_again(name: str) -> None:
    """No number of failed starts is the last one, and each waits longer than the one before."""
    assert values(name, "Restart") == ["always"]
    assert values(name, "StartLimitIntervalSec") == ["0"]
    assert values(name, "ExecStartPre") == ["-/opt/iraas/bin/back-off /run/iraas/%N.starts"]


@pytest.mark.parametrize("name", ["iraas-web.service", "iraas-worker@.service"])
def test_a_drain_is_waited_for(name: str) -> None:
    """The time to stop is longer than the longest poll of SQS, and shorter than what the instance is given."""
    [longest_poll] = [
        limit.le for limit in Settings.model_fields["sqs_wait_seconds"].metadata if hasattr(limit, "le")
    ]
    [seconds] = map(int, values(name, "TimeoutStopSec"))

    assert longest_poll + 5 <= seconds
    assert seconds <= Settings.model_fields["instance_drain"].default / 2


def test_the_instances_service_outlives_the_others() -> None:
    """The target's end ends the tiers' services, and leaves the one that reports it to Auto Scaling."""
    for name in ("iraas-web.service", "iraas-worker@.service"):
        assert values(name, "PartOf") == ["iraas.target"]
        assert values(name, "After") == ["network-online.target", "iraas.target"]
    assert not values("iraas-instance.service", "PartOf")
    assert values("iraas-instance.service", "Wants") == ["network-online.target", "iraas-leave.path"]


@pytest.mark.parametrize("name", RUNNING)
def test_nothing_starts_without_its_environment(name: str) -> None:
    """Before user data has written the file nothing is tried, not even again and again."""
    assert values(name, "ConditionPathExists") == ["/etc/iraas/iraas.env"]
    assert values(name, "EnvironmentFile") == ["/etc/iraas/iraas.env", "-/etc/iraas/endpoints.env"]


def test_nobody_waits_for_cloud_init() -> None:
    """User data starts the services from within cloud-init: who waited for its end would wait forever."""
    for unit in UNITS.iterdir():
        lines = [line for line in unit.read_text().splitlines() if not line.startswith("#")]

        assert "cloud" not in "\n".join(lines), unit.name


def test_a_worker_has_numbers_at_a_port_of_its_own() -> None:
    """Worker 07 says its numbers at 127.0.0.1:9107."""
    assert "IRAAS_METRICS_PORT=91%i" in values("iraas-worker@.service", "Environment")


def test_the_journals_reader_is_the_instances_service_alone() -> None:
    """Only who sends the journal away may read it."""
    assert {name for name in SERVICES if values(name, "SupplementaryGroups")} == {"iraas-instance.service"}
