#!/bin/bash
# Runs every fuzz target of the repository for a while, and prints what each has
# done: fuzz.sh [TIME [NAME]]. NAME is a regular expression for the targets. A
# target that fails ends it, after the table of those before.
set -euo pipefail

time=${1:-10s}
only=${2:-.}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
log=$(mktemp)
table=$(mktemp)
trap 'rm -f "$log" "$table"' EXIT

# row PACKAGE TARGET RESULT: a row of the table, from the last line that the
# fuzzer has printed about its progress.
row() {
	local progress execs=0 new=0
	progress=$(grep -E '^fuzz: elapsed: .*, execs: ' "$log" | tail -n 1 || true)
	[[ ! $progress =~ execs:\ ([0-9]+) ]] || execs=${BASH_REMATCH[1]}
	[[ ! $progress =~ new\ interesting:\ ([0-9]+) ]] || new=${BASH_REMATCH[1]}
	printf '%-26s %-34s %12d %12d  %s\n' "$2" "$1" "$execs" "$new" "$3" >>"$table"
	[[ $3 != ok || $execs -gt 0 ]]
}

print_table() {
	printf '\n%-26s %-34s %12s %12s  %s\n' TARGET PACKAGE EXECUTIONS "NEW INPUTS" RESULT
	cat "$table"
}

found=0
while IFS=: read -r file target; do
	[[ $target =~ $only ]] || continue
	found=$((found + 1))
	package=$(dirname "$file")
	echo "$file: $target"
	if ! go test -C "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x . 2>&1 | tee "$log"; then
		row "$package" "$target" failed || true
		print_table
		exit 1
	fi
	if ! row "$package" "$target" ok; then
		echo "fuzz: $target has tried nothing" >&2
		print_table
		exit 1
	fi
done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/func //' | LC_ALL=C sort)
if [[ $found -eq 0 ]]; then
	echo "fuzz: no target found" >&2
	exit 1
fi
print_table
