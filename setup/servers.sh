#!/usr/bin/env bash
# servers.sh prints a folder of programs that only the tests use: the servers that stand in for cloud stores, as pinned in
# setup/servers/go.mod. It lives in the user's cache under a hash of the pins, so that clones share it; folders that nobody
# has asked for in two weeks are removed.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/pip.sh
export GOTOOLCHAIN=local GOFLAGS= GOWORK=off

store="${XDG_CACHE_HOME:-$HOME/.cache}/gomosaic/servers"
folder="$store/$(fingerprint setup/servers/go.mod setup/servers/go.sum setup/servers.sh)"
mkdir -p "$store"

exec 9>"$store/lock"
flock 9 # two tests ask at once: the second waits and finds it made
if [ ! -e "$folder/gomosaic-complete" ]; then
	rm -rf "$folder"
	echo "Building the servers that the store tests need, about a minute …" >&2
	fast='-N -l -dwarf=false' # unoptimised: they are built once and used little
	go -C setup/servers build -gcflags="github.com/...=$fast" -gcflags="google.golang.org/...=$fast" -gcflags="cloud.google.com/...=$fast" \
		-gcflags="go.opentelemetry.io/...=$fast" -gcflags="golang.org/...=$fast" -ldflags "-s -w" -o "$folder/" tool >&2
fi
touch "$folder/gomosaic-complete"
prune "$store" "$folder"
echo "$folder"
