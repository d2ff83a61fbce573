#!/bin/bash
# Runs every fuzz target of the repository for a while: fuzz.sh [TIME]
set -euo pipefail

time=${1:-10s}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	echo "$file: $target"
	go test -C "$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x .
done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/func //' | LC_ALL=C sort)
if [[ $found -eq 0 ]]; then
	echo "fuzz: no target found" >&2
	exit 1
fi
