#!/usr/bin/env bash
# fuzz.sh DURATION: runs each fuzz target for DURATION, one after the other; ends with 1 if one fails. What a target fails
# on is written below its package's testdata/fuzz, to be kept as a case.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
while read -r package target; do
	# Unbounded, making inputs smaller takes most of a short run.
	said=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 100x "$package" 2>&1) && ended=0 || ended=1
	line=$(grep '^fuzz: elapsed' <<<"$said" | tail -1)
	# Go now and then reports the end of its own time limit as a failure, of no input.
	if [ $ended = 1 ] && { grep -q 'Failing input written' <<<"$said" || ! grep -q 'context deadline exceeded' <<<"$said"; }; then
		echo "$said"
		failed=1
	fi
	echo "$package $target: ${line#fuzz: }"
done < <(git grep -o '^func Fuzz[A-Za-z0-9]*' -- '*_test.go' | sed 's#^\(.*\)/[^/]*:func #./\1 #')
exit $failed
