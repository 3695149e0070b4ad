#!/bin/bash
# ./install.sh SHA256: a release's folder -> /opt/iraas and the units of systemd. As root, without network, as often as you like.
#
# SHA256 is the release's. The new virtual environment stands beside the old one until the link /opt/iraas is turned,
# at the very end: whoever finds SHA256 in /opt/iraas/RELEASE need not install, and what runs goes on from the old.
# With DESTDIR everything goes below that folder instead, and neither users nor systemd are touched.
set -euo pipefail

sha256=${1:-}
root=${DESTDIR:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$root/opt/iraas

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || fail "say which release this is: ./install.sh SHA256"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "be root, or set DESTDIR to a folder of yours"
/usr/bin/python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    fail "/usr/bin/python3 must be Python 3.11, as on Debian 12: the wheels are built for it"
[ "$(cat "$home/RELEASE" 2>/dev/null)" != "$sha256" ] || exit 0

# On one disk with what it makes: files are linked there, not copied.
mkdir -p "$root/opt"
scratch=$(mktemp -d "$root/opt/.iraas-install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# uv comes out of its wheel: there is no pip on a stock Debian, and no python3-venv.
/usr/bin/python3 -m zipfile -e "$here"/wheels/uv-*.whl "$scratch/uv"
uv=$(echo "$scratch"/uv/uv-*.data/scripts/uv)
chmod +x "$uv"
export UV_CACHE_DIR=$scratch/cache UV_NO_CONFIG=1 UV_NO_PROGRESS=1 UV_OFFLINE=1

new=$root/opt/iraas-${sha256:0:12}
rm -rf "$new"
"$uv" venv --quiet --no-python-downloads --python /usr/bin/python3 "$new"
"$uv" pip install --quiet --python "$new/bin/python" --no-index --find-links "$here/wheels" --no-deps \
    --require-hashes --requirement "$here/requirements.txt"
rm -f "$new/.lock" # uv's, writable by everybody

# Services may not write here, so bytecode is made now: of what they load, as all of it would take three times as long.
# Side by side, in two parts that have little in common.
compile_by_importing() {
    "$new/bin/python" -I -c "import $*" || fail "what was installed does not run here"
}
compile_by_importing cv2, openvino, iraas.models.openvino, iraas.wiring.worker, iraas.worker.child, iraas.cli.worker &
compile_by_importing botocore.session, obstore, iraas.wiring.aws, iraas.wiring.web, iraas.web.app, iraas.cli.web, \
    iraas.fleet.ec2, iraas.cli.instance
wait $!
install -m 755 "$here/back-off.sh" "$new/bin/back-off"

if [ -z "$root" ]; then
    getent passwd iraas >/dev/null ||
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin iraas
fi
install -d "$root/etc/iraas" "$root/etc/systemd/system"
install -m 644 "$here"/units/* "$root/etc/systemd/system/"
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi

echo "$sha256" >"$new/RELEASE"

# A link is replaced in one step, a folder is not.
previous=$(readlink "$home" || true)
ln -s "${new##*/}" "$scratch/iraas"
mv -T "$scratch/iraas" "$home"
for old in "$root"/opt/iraas-????????????; do
    [ "$old" = "$new" ] || [ "${old##*/}" = "$previous" ] || rm -rf "$old"
done
