#!/bin/bash
# debian + this checkout -> .rig/tree (Debian 12, for booted instances) and .rig/release.tar (for this machine's kind).
# What the booted rig of the tests stands on. Does nothing where all is there; run it again after a change.
set -euo pipefail
cd "$(dirname "$0")/.."

# What a stock Debian 12 image on AWS has, as far as an instance of iraas uses it.
packages=systemd,systemd-sysv,dbus,cloud-init,curl,ca-certificates,python3,iproute2
packages=$packages,python3-cffi-backend # cloud-init needs it by a virtual name, which debootstrap does not follow

make_tree() {
    local recipe="bookworm $packages"
    [ "$(cat .rig/tree.made 2>/dev/null)" = "$recipe" ] && return

    if [ "$(id -u)" != 0 ]; then
        echo "A tree of Debian is made as root only: without it the rig's instances are plain processes."
        return
    fi
    if ! command -v debootstrap >/dev/null 2>&1; then
        echo "Installing debootstrap ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
    fi

    # From where this machine takes Debian; where that is no Debian 12, debootstrap has its own.
    local mirror
    # shellcheck disable=SC2016  # apt fills these in, not the shell
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "bookworm" && $3 == "main" { print $1; exit }') || true

    echo "Making .rig/tree, Debian 12: about a minute ..."
    rm -rf .rig/tree.new .rig/tree.made
    mkdir -p .rig/debs
    if ! debootstrap --cache-dir="$PWD/.rig/debs" --variant=minbase --include="$packages" bookworm .rig/tree.new ${mirror:+"$mirror"} >.rig/tree.log 2>&1; then
        tail -n 5 .rig/tree.log >&2
        echo "The tree could not be made; all of what was said is in .rig/tree.log." >&2
        exit 1
    fi
    rm -rf .rig/tree.new/var/cache/apt/archives/*.deb .rig/tree.new/var/lib/apt/lists/*
    : >.rig/tree.new/etc/machine-id # an instance makes its own
    rm -rf .rig/tree
    mv .rig/tree.new .rig/tree
    echo "$recipe" >.rig/tree.made
}

make_release() {
    local changed architecture
    if [ -e .rig/release.tar.sha256 ]; then
        changed=$(find src pyproject.toml -newer .rig/release.tar.sha256 -not -path '*/__pycache__*' -print -quit)
        [ -n "$changed" ] || return 0
    fi
    case $(uname -m) in
        x86_64) architecture=x86_64 ;;
        aarch64) architecture=arm64 ;;
        *)
            echo "There is no release for $(uname -m): without it the rig's instances are plain processes."
            return
            ;;
    esac
    echo "Building .rig/release.tar ..."
    .venv/bin/python - "$architecture" <<'END'
import os, sys
from pathlib import Path

from iraas.deploy.release import build_release
from iraas.errors import IraasError

try:
    release = build_release(Path(".rig/releases"), architecture=sys.argv[1])
except IraasError as error:
    sys.exit(f"The release could not be built: {error}")
for name, make in {
    "release.tar": lambda path: os.link(release.path, path),
    "release.tar.sha256": lambda path: path.write_text(f"{release.sha256}  release.tar\n"),
}.items():
    new = Path(".rig", f"{name}.new")
    new.unlink(missing_ok=True)
    make(new)
    new.replace(Path(".rig", name))
END
}

mkdir -p .rig
exec 9>.rig/lock
flock 9 # two at once would build into the same folder
make_tree
make_release
