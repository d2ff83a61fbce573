#!/bin/bash
# Fails when a generated file is not what its generator makes. Works on a copy,
# so the tree stays as it is.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --exclude=./.git --exclude=./bin --exclude=./build -cf - . | tar -C "$copy" -xf -
make -s -C "$copy" generate
if ! diff -ru --exclude=.git --exclude=bin --exclude=build . "$copy"; then
	echo "generated files are not up to date: run 'make generate'" >&2
	exit 1
fi
