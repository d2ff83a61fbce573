#!/bin/sh
# Generates the Go code of abi/schema/*.fbs with flatc: into fb, or into the
# directory given, which must be called fb too, as the package. Only tests use
# that code: doc.go says why.
#
# flatc is that of Debian 12 (package flatbuffers-compiler). Its version is
# recorded beside the code, because another version may write other code.
set -eu
cd "$(dirname "$0")"
out=${1:-fb}
if [ "$(basename "$out")" != fb ]; then
	echo "generate.sh: the directory must be called fb" >&2
	exit 2
fi
version=$(flatc --version)

mkdir -p "$out"
rm -f "$out"/*.go
# flatc makes a directory of the namespace itself.
flatc --go --go-namespace fb -o "$(dirname "$out")" ../../abi/schema/*.fbs
gofmt -w "$out"/*.go
echo "$version" >"$out/FLATC_VERSION"
