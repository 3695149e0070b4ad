#!/bin/sh
# Debian's programs that tests run: the browser that the page is tested in, with a font so that screenshots have text;
# systemd, which judges the units; Debian's own Python, in which an instance's release is installed.
# Does nothing where they are there already; says how, and succeeds, where it may not install.
set -eu

packages=
command -v chromium >/dev/null 2>&1 || packages="$packages chromium fonts-dejavu-core"
command -v systemd-analyze >/dev/null 2>&1 || packages="$packages systemd"
[ -x /usr/bin/python3 ] || packages="$packages python3"
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root=no
fi

if [ "$as_root" = no ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Some tests need programs that are not here; install with your system's packages (Debian: apt install$packages)."
    exit 0
fi

echo "Installing$packages for the tests ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # words of their own
if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 5 "$log"
    echo "They could not be installed; install them by hand and run this again:$packages"
fi
