#!/bin/bash
# Brings a machine to where "make bench" can measure WebAssembly runtimes beside
# Airlock: setup-bench.sh
#
# As setup.sh does, it installs with apt what is missing when it runs as root,
# and else names it together with the command that installs it. Nothing but
# "make bench" without -short needs any of this.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

# A program that uses the C library and the compiler's own.
builds_wasm() {
	have clang && printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' |
		clang --target=wasm32-wasi -O2 -x c -o /dev/null - 2>/dev/null
}

packages=() reasons=()
want() { # want PACKAGE WHAT-FOR COMMAND...: ask for the package unless the command succeeds
	local package=$1 reason=$2
	shift 2
	if ! "$@"; then
		packages+=("$package")
		reasons+=("$package: $reason")
	fi
}

look() {
	packages=() reasons=()
	want gcc "builds C programs, and links the runtime that is not written in Go" have gcc
	want libc6-dev "the same" test -e /usr/include/stdio.h
	if ! builds_wasm; then
		want clang "compiles C to WebAssembly" have clang
		want lld "links WebAssembly" have wasm-ld
		want wasi-libc "is WebAssembly's C library" test -e /usr/include/wasm32-wasi/stdio.h
		want libclang-rt-dev-wasm32 "is the compiler's library for WebAssembly" false
	fi
}

if ! have go; then
	echo "setup-bench: there is no go command: install Go 1.26 or later, https://go.dev/doc/install" >&2
	exit 1
fi

look
if [[ ${#packages[@]} -gt 0 && $(id -u) -eq 0 ]] && have apt-get; then
	echo "setup-bench: installing ${packages[*]}"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "setup-bench: apt-get failed" >&2
	fi
	look
fi

if [[ ${#packages[@]} -gt 0 ]]; then
	{
		echo "setup-bench: not here, and what needs them is not measured:"
		printf '  %s\n' "${reasons[@]}"
		echo "Debian and Ubuntu have them: sudo apt-get install ${packages[*]}"
	} >&2
	exit 1
fi
