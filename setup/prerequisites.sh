#!/usr/bin/env bash
# Checks what must be on the machine before anything is made: Go, g++, make and Python with venv. Stops at the first that
# is missing or too old, naming it and the command that installs it. Prints the Python to use on standard output.
set -euo pipefail

sudo=""
[ "$(id -u)" -eq 0 ] || sudo="sudo "

stop() { # what, command
	printf 'gomosaic needs %s.\nInstall it: %s\n' "$1" "$2" >&2
	exit 1
}

at_least() { # have, want: true when have >= want, both as 1.26
	[ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
get_go="curl -fL https://go.dev/dl/go1.26.8.linux-$arch.tar.gz | ${sudo}tar -C /usr/local -xz && export PATH=/usr/local/go/bin:\$PATH"
command -v go >/dev/null || stop "Go 1.26 or newer (no go on PATH)" "$get_go"
go_version=$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//; s/[-+ ].*//')
at_least "$go_version" 1.26 || stop "Go 1.26 or newer (found $go_version at $(command -v go))" "$get_go"

command -v g++ >/dev/null || stop "g++ (not on PATH): it builds the libtorch shim and links cells" "${sudo}apt-get install -y g++"
command -v make >/dev/null || stop "make (not on PATH)" "${sudo}apt-get install -y make"

python=""
found=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
	version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
	found="$found $candidate is $version;"
	if at_least "$version" 3.11; then
		python=$(command -v "$candidate")
		break
	fi
done
[ -n "$python" ] || stop "Python 3.11 or newer (${found:-none of ${PYTHON:-python3 on PATH};} torch 2.15 asks for 3.11)" "${sudo}apt-get install -y python3 python3-venv"
"$python" -c 'import venv, ensurepip' 2>/dev/null || stop "Python's venv module (missing from $python)" "${sudo}apt-get install -y python3-venv"
echo "$python"
