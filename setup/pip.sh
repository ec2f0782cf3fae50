# Sourced: pip_install VENV ARGUMENT… installs into a virtual environment; on failure it names the package that could not
# be had and stops. Nothing is half-installed for good: the caller marks an environment as whole only at its end.
pip_install() {
	local venv=$1 log
	shift
	log=$(mktemp)
	if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@" >"$log" 2>&1; then
		printf 'gomosaic: pip could not install into %s:\n' "$venv" >&2
		grep -E '^ *(ERROR|error)|No space left|Could not|Connection|Timeout' "$log" | tail -n 5 >&2 || tail -n 5 "$log" >&2
		printf 'Check the network and the disk (%s free), then run the same make again.\n' "$(df -h --output=avail "$venv" | tail -n 1 | tr -d ' ')" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# fingerprint FILE… prints a short hash of the files' contents.
fingerprint() { cat "$@" | sha256sum | cut -c1-16; }

# prune STORE KEEP removes the folders of STORE but KEEP that have not been asked for in two weeks: whoever asks touches
# gomosaic-complete in it.
prune() {
	local old
	for old in "$1"/*/; do
		old=${old%/}
		[ "$old" = "$2" ] && continue
		[ -n "$(find "$old/gomosaic-complete" -mtime -14 2>/dev/null)" ] || rm -rf "$old"
	done
}
