#!/bin/sh
# Builds the vDSO image and checks that it can be mapped as it is.
# usage: [CC=gcc] build.sh OUTPUT.so
set -eu

output=$1
here=$(cd "$(dirname "$0")" && pwd)
abi=$(cd "$here/../../../../abi" && pwd)

"${CC:-cc}" -std=gnu11 -O2 -fPIC -ffreestanding -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
	-fasynchronous-unwind-tables -fvisibility=hidden -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wsign-compare \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Werror -I"$abi" \
	-shared -nostdlib -s -Wl,-T,"$here/vdso.lds" -Wl,-soname,linux-vdso.so.1 -Wl,-Bsymbolic -Wl,--hash-style=both \
	-Wl,--eh-frame-hdr -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	-o "$output" "$here/vdso.c"

fail() {
	echo "vdso: $*" >&2
	exit 1
}

relocations=$(readelf --relocs --wide "$output")
case $relocations in
*"no relocations"*) ;;
*) fail "has relocations: $relocations" ;;
esac

segments=$(readelf --segments --wide "$output" | grep -c '^  LOAD ')
[ "$segments" -eq 1 ] || fail "has $segments loadable segments, want 1"
readelf --segments --wide "$output" | grep -q '^  LOAD .* R E ' || fail "is not read-only and executable"

size=$(wc -c <"$output")
[ "$size" -le 8192 ] || fail "has $size bytes, more than two pages"
