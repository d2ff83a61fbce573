#!/bin/bash
# Brings a machine to where every test can run: setup.sh
#
# What is missing is installed with apt when this runs as root, and else named
# together with the command that installs it. Does nothing where all is there.
#
# Go is not installed: see https://go.dev/doc/install. The library and the
# command need nothing else; what is installed here is for the guest kernel and
# for the tests' guests. In CI (CI=true) more compilers are wanted, and whatever
# still is missing in the end, a usable /dev/kvm among it, is an error.
set -euo pipefail

ci=${CI-}
have() { command -v "$1" >/dev/null 2>&1; }

# A busybox that needs no shared library, as the tests run it in a sandbox.
static_busybox() { have busybox && have readelf && ! readelf -l "$(command -v busybox)" | grep -q INTERP; }

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
	want make "runs everything" have make
	want gcc "builds the guest kernel and the tests' C programs" have gcc
	want libc6-dev "the same" test -e /usr/include/stdio.h
	want musl-tools "builds the tests' C programs against another libc" have musl-gcc
	want busybox-static "is a guest of the tests" static_busybox
	if [[ $ci == true ]]; then
		want clang "builds the kernel's host tests a second time" have clang
		want flatbuffers-compiler "generates code from the message schemas" have flatc
	fi
}

if ! have go; then
	echo "setup: there is no go command: install Go 1.26 or later, https://go.dev/doc/install" >&2
	exit 1
fi

look
if [[ ${#packages[@]} -gt 0 && $(id -u) -eq 0 ]] && have apt-get; then
	echo "setup: installing ${packages[*]}"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		echo "setup: apt-get failed" >&2
	fi
	look
fi

status=0
if [[ ${#packages[@]} -gt 0 ]]; then
	{
		echo "setup: not here, and tests that need them are skipped:"
		printf '  %s\n' "${reasons[@]}"
		echo "Debian and Ubuntu have them: sudo apt-get install ${packages[*]}"
	} >&2
	status=1
fi
if ! [[ -r /dev/kvm && -w /dev/kvm ]]; then
	echo "setup: $(id -un) can't use /dev/kvm, and tests that need it are skipped; 'airlock doctor' says what to do" >&2
	status=1
fi
if [[ $status -ne 0 && $ci == true ]]; then
	echo "setup: in CI nothing is skipped" >&2
	exit 1
fi
