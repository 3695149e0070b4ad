from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import uv
from tests.conftest import missing
from tests.systemd import verify

from iraas import __version__
from iraas.deploy.locked import ARCHITECTURES, Architecture, lock_file, locked, read_pins
from iraas.deploy.own_wheel import pack
from iraas.deploy.release import Release, build_release
from iraas.errors import BackendUnavailable

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".rig/releases"  # also `make rig`'s: wheels are fetched once
OLDEST, OLDER = "iraas-000000000000", "iraas-111111111111"
SERVICES = ("iraas-web.service", "iraas-worker@.service", "iraas-instance.service")


@pytest.fixture(scope="session")
def architecture() -> Architecture:
    """This machine's."""
    return "arm64" if platform.machine() == "aarch64" else "x86_64"


@pytest.fixture(scope="session")
def release(architecture: Architecture) -> Release:
    """The release of this checkout for this machine; fetches 200 MB the first time."""
    try:
        return build_release(CACHE, architecture=architecture)
    except BackendUnavailable:
        missing("the package index")
        raise


@pytest.fixture(scope="session")
def unpacked(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    subprocess.run(["tar", "-xf", release.path, "-C", folder], check=True)  # as an instance does
    return folder


@pytest.fixture(scope="session")
def own(unpacked: Path) -> Path:
    """The wheel of iraas."""
    [wheel] = unpacked.glob("wheels/iraas-*.whl")
    return wheel


def install(unpacked: Path, root: Path, sha256: str) -> subprocess.CompletedProcess[str]:
    """Run install.sh for a folder of ours, without a network where this user may make such a place."""
    if subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"]
    ).returncode:
        missing("the Python 3.11 of Debian 12")
    offline = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*offline, "true"], capture_output=True, check=False).returncode:
        offline = []
    return subprocess.run(
        [*offline, unpacked / "install.sh", sha256],
        env={"DESTDIR": str(root), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="session")
def installed(unpacked: Path, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root in which this release was installed, after two others."""
    root = tmp_path_factory.mktemp("root")
    for older in (OLDEST, OLDER):
        (root / "opt" / older).mkdir(parents=True)
    (root / "opt/iraas").symlink_to(OLDER)
    done = install(unpacked, root, release.sha256)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    yield root
    shutil.rmtree(root)  # 0.6 GB


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_in_it(release: Release, unpacked: Path, architecture: Architecture) -> None:
    """Programs, units, a wheel of each locked package and of uv and iraas, and a manifest that names each file."""
    files = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    manifest = json.loads((unpacked / "manifest.json").read_text())
    wheels = {path.name.split("-")[0].replace("_", "-").lower() for path in unpacked.glob("wheels/*.whl")}

    assert {"install.sh", "back-off.sh", "requirements.txt", *(f"units/{name}" for name in SERVICES)} < files
    assert manifest["files"].keys() == files - {"manifest.json"}
    assert all(digest(unpacked / name) == sha256 for name, sha256 in manifest["files"].items())
    assert (manifest["iraas"], manifest["architecture"]) == (__version__, architecture)
    assert wheels == {pin.name for pin in locked(architecture)} | {"iraas"}
    assert release.sha256 == digest(release.path)


def test_nothing_of_this_machine_is_in_it(release: Release) -> None:
    """No time, no owner, and no mode but those that an installation needs."""
    with tarfile.open(release.path) as tar:
        members = tar.getmembers()

    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in members} == {
        (0, 0, 0, "root", "root")
    }
    assert {each.name for each in members if each.mode == 0o755} == {"install.sh", "back-off.sh"}
    assert {each.mode for each in members} == {0o755, 0o644}
    assert [each.name for each in members] == sorted(each.name for each in members)


def test_an_instance_installs_what_was_locked_and_hashed(unpacked: Path, own: Path) -> None:
    """All that is locked but uv, which installs the others; and this very iraas."""
    pins = {pin.name: pin for pin in read_pins((unpacked / "requirements.txt").read_text())}
    wheels = {digest(path) for path in unpacked.glob("wheels/*.whl")}

    assert "uv" not in pins
    assert (pins["iraas"].version, pins["iraas"].hashes) == (__version__, {digest(own)})
    assert all(pin.hashes & wheels for pin in pins.values())


def test_the_package_carries_what_it_deploys(own: Path) -> None:
    """Units, programs, locks, templates and models lie in the wheel as they do in the checkout."""
    inside = set(zipfile.ZipFile(own).namelist())
    wanted = {
        str(path.relative_to(ROOT / "src"))
        for folder in ("deploy", "models")
        for path in (ROOT / "src/iraas" / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert {"iraas/deploy/install.sh", "iraas/deploy/units/iraas-worker@.service"} < wanted
    assert wanted <= inside


def test_the_same_content_has_the_same_name(
    release: Release, architecture: Architecture, tmp_path: Path
) -> None:
    """Built again elsewhere: the same bytes and the same key, which is the content's; so nothing is uploaded twice."""
    (tmp_path / "wheels").symlink_to(CACHE / "wheels")
    said: list[float] = []

    again = build_release(tmp_path, architecture=architecture, on_progress=lambda done, _: said.append(done))

    with tarfile.open(again.path) as tar:
        content = hashlib.sha256(tar.extractfile("manifest.json").read()).hexdigest()  # type: ignore[union-attr]
    assert (again.key, again.sha256) == (release.key, release.sha256)
    assert release.key == f"releases/iraas-{__version__}-{architecture}-{content[:12]}.tar"
    assert said[0] == 0.0
    assert said[-1] == 1.0


def test_it_installs_on_a_bare_machine(installed: Path, release: Release) -> None:
    """Without a network, in silence: the command, the units, and at last the name of the release."""
    home = installed / "opt/iraas"
    key = subprocess.run(
        [home / "bin/iraas", "keys", "new", "ann"], capture_output=True, text=True, check=False
    )
    units = {path.name for path in (installed / "etc/systemd/system").iterdir()}

    assert (home / "RELEASE").read_text().strip() == release.sha256
    assert "ann:" in key.stdout, key.stderr
    assert {*SERVICES, "iraas.target", "iraas-leave.path", "iraas-leave.service"} == units
    assert not [path for path in (installed / "opt").iterdir() if path.name.startswith(".")]


def test_nobody_else_may_write_to_it(installed: Path) -> None:
    """Neither the service's user nor another can change what runs."""
    loose = [path for path in installed.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o022]

    assert not loose


def test_what_the_services_load_is_compiled(installed: Path) -> None:
    """A service may not write beside its modules, so their bytecode is there before its first start."""
    [packages] = installed.glob("opt/iraas/lib/python3.11/site-packages")

    for module in (
        "iraas/worker/loop",
        "iraas/web/app",
        "iraas/fleet/ec2",
        "botocore/session",
        "openvino/__init__",
    ):
        path = packages / module
        assert (path.parent / "__pycache__" / f"{path.name}.cpython-311.pyc").exists(), module


def test_systemd_has_nothing_to_say_about_what_was_installed(installed: Path) -> None:
    """Units and the programs they start, as installed."""
    assert verify(installed) == ""


def test_installing_again_does_nothing(installed: Path, unpacked: Path, release: Release) -> None:
    """The same release a second time is left as it is."""
    marker = installed / "opt/iraas/RELEASE"
    before = marker.stat().st_mtime_ns

    assert install(unpacked, installed, release.sha256).returncode == 0

    assert marker.stat().st_mtime_ns == before


def test_an_installation_that_fails_changes_nothing(
    installed: Path, unpacked: Path, release: Release, tmp_path: Path
) -> None:
    """A wheel that was damaged stops it; what was installed before goes on."""
    shutil.copytree(
        unpacked, tmp_path / "damaged", copy_function=lambda from_, to: Path(to).hardlink_to(from_)
    )
    [wheel] = tmp_path.glob("damaged/wheels/rich-*.whl")
    data = wheel.read_bytes()
    wheel.unlink()
    wheel.write_bytes(data[:-1])
    before = {path.name for path in (installed / "opt").iterdir()}

    done = install(tmp_path / "damaged", installed, "f" * 64)

    assert done.returncode != 0
    assert "rich" in done.stderr
    assert (installed / "opt/iraas/RELEASE").read_text().strip() == release.sha256
    assert {path.name for path in (installed / "opt").iterdir()} - before <= {"iraas-ffffffffffff"}


def test_a_newer_release_takes_its_place(installed: Path, release: Release) -> None:
    """The link is turned; the one before stays for what still runs from it, older ones go."""
    assert (installed / "opt/iraas").readlink() == Path(f"iraas-{release.sha256[:12]}")
    assert (installed / "opt" / OLDER).exists()
    assert not (installed / "opt" / OLDEST).exists()


def test_whoever_has_no_checkout_packs_what_is_installed(installed: Path, own: Path, tmp_path: Path) -> None:
    """From an installed iraas comes the wheel that it was installed from, file by file."""
    [info] = installed.glob("opt/iraas/lib/python3.11/site-packages/iraas-*.dist-info")
    (tmp_path / "again").mkdir()

    packed = pack(PathDistribution(info), tmp_path)
    again = pack(PathDistribution(info), tmp_path / "again")

    with zipfile.ZipFile(own) as built, zipfile.ZipFile(packed) as ours:
        assert sorted(ours.namelist()) == sorted(built.namelist())
        assert all(
            ours.read(name) == built.read(name) for name in built.namelist() if not name.endswith("/RECORD")
        )
    assert digest(packed) == digest(again)
    check = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        tmp_path / "there",
        packed,
    ]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_lock_is_what_resolves(architecture: Architecture, tmp_path: Path) -> None:
    """What pyproject.toml asks for has wheels for Debian 12's glibc 2.36 and Python 3.11: those of the lock."""
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]
    command = [
        *(
            uv.find_uv_bin(),
            "pip",
            "compile",
            ROOT / "pyproject.toml",
            "--extra",
            "aws",
            "--only-binary",
            ":all:",
        ),
        *(
            "--python-platform",
            f"{machine}-manylinux_2_36",
            "--python-version",
            "3.11",
            "--no-header",
            "--quiet",
        ),
        *("--constraint", lock_file(architecture), "--output-file", tmp_path / "resolved.txt"),
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if "client error" in done.stderr or "error sending request" in done.stderr:
        missing("the package index")

    assert done.returncode == 0, done.stderr
    resolved = {pin.name: pin.version for pin in read_pins((tmp_path / "resolved.txt").read_text())}
    assert resolved == {pin.name: pin.version for pin in locked(architecture)}
