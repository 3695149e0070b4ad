#!/bin/sh
# The browser that the page is tested in: Debian's chromium, and one font so that screenshots have text.
# Does nothing where it is there already; says how, and succeeds, where it may not install.
set -eu

command -v chromium >/dev/null 2>&1 && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root=no
fi

if [ "$as_root" = no ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The page's tests need a browser: install chromium with your system's packages (Debian: apt install chromium)."
    exit 0
fi

echo "Installing chromium for the page's tests ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1; then
    tail -n 5 "$log"
    echo "chromium could not be installed; install it by hand and run this again."
fi
