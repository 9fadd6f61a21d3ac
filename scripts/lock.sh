#!/bin/sh
# Writes requirements.lock: every package pyproject.toml asks for, directly or not, with its hashes, for each
# platform and each Python from 3.11 on. uv lives in a throw-away environment, for it is needed nowhere else.
set -eu
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
.venv/bin/python -m venv "$tools"
"$tools/bin/pip" install --quiet uv==0.13.9
UV_CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/uv" pip compile pyproject.toml --output-file requirements.lock \
    --universal --python-version 3.11 --extra dev --extra production \
    --generate-hashes --no-emit-index-url --no-strip-extras --no-annotate --quiet "$@"
