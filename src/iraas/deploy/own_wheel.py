"""This very iraas -> its wheel: built where there is a checkout, else put together again from what pip installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

from iraas.deploy.wheels import run_pip
from iraas.errors import ConfigurationError

# Who installed it, and how.
LOCAL = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "RECORD"})
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP can say: the same content gives the same bytes


def own_wheel(folder: Path) -> Path:
    """Make the wheel in `folder`. Raises `ConfigurationError` where it cannot be made."""
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "src/iraas").is_dir():
        return _built(checkout, folder)
    return pack(distribution("iraas"), folder)


def _built(checkout: Path, folder: Path) -> Path:
    words = ["wheel", "--no-deps", "--wheel-dir", str(folder), str(checkout)]
    if importlib.util.find_spec("hatchling"):
        words.append("--no-build-isolation")  # else pip fetches it
    said = run_pip(words, on_line=lambda _: None)
    wheels = list(folder.glob("iraas-*.whl"))
    if said is not None or len(wheels) != 1:
        raise ConfigurationError(f"the wheel of {checkout} could not be built: {(said or '').strip()[-300:]}")
    return wheels[0]


def pack(installed: Distribution, folder: Path) -> Path:
    """The wheel that `installed` was installed from, without what the installation added.

    Not fetched by its name: what an index calls iraas may be another's.
    """
    files = sorted(
        str(path)
        for path in installed.files or ()
        if ".." not in path.parts and path.suffix != ".pyc" and path.name not in LOCAL
    )
    [record] = {f"{PurePosixPath(name).parent}/RECORD" for name in files if name.endswith(".dist-info/WHEEL")}
    target = folder / f"iraas-{installed.version}-py3-none-any.whl"
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name in files:
            data = Path(str(installed.locate_file(name))).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            writer.writerow([name, f"sha256={digest}", len(data)])
            wheel.writestr(_entry(name), data)
        writer.writerow([record, "", ""])
        wheel.writestr(_entry(record), rows.getvalue())
    return target


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    return entry
