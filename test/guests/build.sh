#!/bin/bash
# Builds every test guest into one folder: build.sh OUTPUT-FOLDER
#
# Names: go-NAME, c-glibc-NAME, c-musl-NAME, c-pie-NAME (static PIE), rust-NAME,
# hostile-NAME. Only what is older than its sources is built again. What cannot
# be built here is listed as skipped, with the reason; a failing compiler, and
# under CI=true a missing C compiler, makes the exit code 1. CFLAGS adds C options.
set -euo pipefail

if [[ $# -ne 1 ]]; then
	echo "usage: $0 OUTPUT-FOLDER" >&2
	exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOWORK=off GOFLAGS=
read -ra cflags <<<"${CFLAGS-}"
tasks=$(mktemp)
trap 'rm -f "$tasks"' EXIT

have() { command -v "$1" >/dev/null 2>&1; }

# skip KIND REASON [REQUIRED]: report what is left out; fatal in CI if required.
skip() {
	echo "skipped: $1: $2"
	if [[ ${3-} == required && ${CI-} == true ]]; then
		echo "$0: with CI=true nothing required may be skipped" >&2
		exit 1
	fi
}

# header FILE KEY: the value of a "// KEY: value" line of the first comment.
header() {
	sed -n -e '/^\/\//!q' -e "s|^// $2: *||p" "$1" | head -n 1
}

# add TARGET SOURCES-OF-TARGET... -- COMMAND...: queue a build if TARGET is out of
# date. The word OUT in the command becomes the target's path.
add() {
	local target=$out/$1 stale= source
	shift
	while [[ $1 != -- ]]; do
		source=$1
		[[ $target -nt $source ]] || stale=yes
		shift
	done
	shift
	[[ -z $stale ]] || printf '%s\0' "$(printf '%q ' "${@/#OUT/$target}")" >>"$tasks"
}

# add_c COMPILER PREFIX FILE [OPTION...]
add_c() {
	local compiler=$1 prefix=$2 file=$3 extra sources=()
	shift 3
	[[ ${2-} != *.o ]] || sources=("$2" ../../abi/airlock_abi.h)
	read -ra extra <<<"$(header "$file" flags)"
	add "$prefix-$(basename "$file" .c)" "$file" "${file%/*}"/*.h c/check.h build.sh "${sources[@]}" -- \
		"$compiler" -O2 -g "-ffile-prefix-map=$PWD=." -Wall -Wextra -pthread "${cflags[@]}" "$@" "${extra[@]}" -o OUT "$file" -lm
}

if have go; then
	for dir in go/*/; do
		dir=${dir%/}
		add "go-${dir#go/}" "$dir"/*.go internal/check/*.go go.mod -- \
			go build -trimpath -p 1 -o OUT "./$dir"
	done
else
	skip "go-*" "there is no go" required
fi

if have gcc; then
	for file in c/*.c; do
		add_c gcc c-glibc "$file" -static
		[[ -z $(header "$file" pie) ]] || add_c gcc c-pie "$file" -static-pie -fPIE
	done
	sdk=$out/airlock_guest.o
	if [[ ! $sdk -nt ../../sdk/c/airlock_guest.c || ! $sdk -nt ../../sdk/c/airlock_guest.h ]]; then
		gcc -O2 -c -o "$sdk" ../../sdk/c/airlock_guest.c
	fi
	for file in hostile/*.c; do
		if [[ -n $(header "$file" call) ]]; then
			add_c gcc hostile "$file" -static "$sdk"
		else
			add_c gcc hostile "$file" -static
		fi
	done
else
	skip "c-glibc-*, c-pie-*, hostile-*" "there is no gcc" required
fi

if have musl-gcc; then
	for file in c/*.c; do
		libc=$(header "$file" libc)
		if [[ -n $libc && $libc != musl* ]]; then
			skip "c-musl-$(basename "$file" .c)" "the program is for $libc"
			continue
		fi
		add_c musl-gcc c-musl "$file" -static
	done
else
	skip "c-musl-*" "there is no musl-gcc (Debian package musl-tools)" required
fi

if have rustc; then
	for file in rust/*.rs; do
		add "rust-$(basename "$file" .rs)" "$file" -- \
			rustc --edition 2021 -C opt-level=2 -C target-feature=+crt-static \
			--target x86_64-unknown-linux-gnu --remap-path-prefix "$PWD=" \
			-o OUT "$file"
	done
else
	skip "rust-*" "there is no rustc"
fi

xargs -0 -r -n 1 -P 2 bash -c <"$tasks"
echo "built: $(tr -cd '\0' <"$tasks" | wc -c) of $(find "$out" -type f -perm -u+x | wc -l) guests"
