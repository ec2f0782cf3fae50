#!/usr/bin/env bash
# Prints the path of a Chromium: $CHROMIUM, one on PATH, or Debian's package, which root installs here and others are told
# how to.
set -euo pipefail
for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
	if [ -n "$candidate" ] && command -v "$candidate" 2>/dev/null; then
		exit 0
	fi
done
if [ "$(id -u)" -ne 0 ]; then
	printf 'The browser test needs Chromium.\nInstall it: sudo apt-get install -y chromium\nor name one: CHROMIUM=/path/to/chromium make test\n' >&2
	exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1; then
	printf 'Chromium could not be installed:\n' >&2
	tail -n 5 "$log" >&2
	exit 1
fi
command -v chromium
