#!/usr/bin/env bash
# Prints the path of an OpenSSH server for the tests: $SSHD, an installed one, or Debian's package, unpacked to a cache and not
# installed. Root's is where all may read it, for root's tests run the server as nobody.
set -euo pipefail
for candidate in "${SSHD:-}" sshd /usr/sbin/sshd; do
	if [ -n "$candidate" ] && command -v "$candidate" 2>/dev/null; then
		exit 0
	fi
done
dir=${XDG_CACHE_HOME:-$HOME/.cache}/gomosaic/sshd
[ "$(id -u)" -ne 0 ] || dir=/var/cache/gomosaic/sshd
if [ ! -x "$dir/sshd" ]; then
	temp=$(mktemp -d)
	trap 'rm -rf "$temp"' EXIT
	download() { # with new lists of packages where there are none, or old ones, and root asks
		apt-get download openssh-server libwrap0 || { [ "$(id -u)" -eq 0 ] && apt-get update && apt-get download openssh-server libwrap0; }
	}
	if ! (cd "$temp" && download && for p in *.deb; do dpkg-deb -x "$p" files; done) >"$temp/log" 2>&1; then
		printf 'The SFTP tests need an OpenSSH server.\nInstall one: sudo apt-get install -y openssh-server\nor name one: SSHD=/path/to/sshd\n' >&2
		tail -n 3 "$temp/log" >&2
		exit 1
	fi
	# shellcheck disable=SC2016
	printf '#!/bin/sh\ndir=$(dirname "$0")\nLD_LIBRARY_PATH=$(echo "$dir"/files/usr/lib/*-linux-gnu) exec "$dir"/files/usr/sbin/sshd "$@"\n' >"$temp/sshd"
	chmod +x "$temp/sshd"
	mkdir -p "$(dirname "$dir")"
	rm -rf "$dir"
	mkdir "$dir"
	chmod -R go+rX "$temp/files" "$temp/sshd"
	mv "$temp/files" "$temp/sshd" "$dir"
fi
echo "$dir/sshd"
