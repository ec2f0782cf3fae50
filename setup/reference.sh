#!/usr/bin/env bash
# Fills .venv-reference, the Python packages that gomosaic is compared with (requirements-reference.txt; some 8 GB). It
# lives in the user's cache under a hash of the pins and is linked in, so that a new clone reuses it; environments of other
# pins that nobody has asked for in two weeks are removed.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/pip.sh

python=$(setup/prerequisites.sh)
version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
store="${XDG_CACHE_HOME:-$HOME/.cache}/gomosaic/reference"
venv="$store/$(fingerprint requirements-reference.txt)-$version"
mkdir -p "$store"

exec 9>"$store/lock"
flock 9 # two clones ask at once: the second waits and finds it made
if [ ! -e "$venv/gomosaic-complete" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
	echo "Making the reference environment: mosaicml-streaming, torch, torchvision, litdata, webdataset, pyspark; minutes and 8 GB …"
	rm -rf "$venv"
	"$python" -m venv "$venv"
	pip_install "$venv" -r requirements-reference.txt
fi
touch "$venv/gomosaic-complete"
prune "$store" "$venv"
ln -sfn "$venv" .venv-reference
