#!/usr/bin/env bash
# clients.sh PYTHON prints a folder of Jupyter clients that only the tests use (requirements-test.txt, and kernel/papermill
# as a user installs it), for PYTHONPATH beside PYTHON's own Jupyter. It lives in the user's cache under a hash of what is in
# it, so that clones share it; folders that nobody has asked for in two weeks are removed.
set -euo pipefail
python=$(realpath -s "$1")
cd "$(dirname "$0")/.."
. setup/pip.sh

venv=$(dirname "$(dirname "$python")")
store="${XDG_CACHE_HOME:-$HOME/.cache}/gomosaic/clients"
folder="$store/$(fingerprint requirements-test.txt kernel/papermill/*.*)-$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')"
mkdir -p "$store"

exec 9>"$store/lock"
flock 9 # two tests ask at once: the second waits and finds it made
if [ ! -e "$folder/gomosaic-complete" ]; then
	rm -rf "$folder"
	pip_install "$venv" --no-deps --target "$folder" -r requirements-test.txt
	PYTHONPATH="$folder" pip_install "$venv" --no-deps --no-build-isolation --target "$folder" ./kernel/papermill
fi
touch "$folder/gomosaic-complete"
prune "$store" "$folder"
echo "$folder"
