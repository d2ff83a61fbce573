#!/bin/sh
# Builds the guest kernel image: build.sh OUTPUT. The same sources and the
# toolchain named in TOOLCHAIN give the same bytes in any directory.
set -eu

out=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
abi=$here/../../abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

: "${CC:=gcc}" "${LD:=ld}"

flags="-std=gnu11 -O2 -ffreestanding -fpie -mgeneral-regs-only -mno-red-zone
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
	-include lib/hidden.h -fno-strict-aliasing -fno-delete-null-pointer-checks
	-ffile-prefix-map=$here=. -ffile-prefix-map=$abi=abi
	-Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wsign-compare
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes -Werror"

cd "$here/src"

# The vDSO is a shared object of its own, which vdso/image.S then includes.
CC=$CC sh vdso/build.sh "$work/vdso.so"

objects=
for source in $(find . -name '*.c' -o -name '*.S' | LC_ALL=C sort); do
	case $source in
	./vdso/vdso.c) continue ;;
	esac
	object=$work/$(echo "${source#./}" | tr / _).o
	$CC $flags -iquote . -iquote "$abi" -Wa,-I"$work" -c "$source" -o "$object"
	objects="$objects $object"
done

$LD -T kernel.lds -nostdlib -static --build-id=none -z max-page-size=4096 -z noexecstack \
	--strip-debug -o "$work/kernel.elf" $objects
mv "$work/kernel.elf" "$out"
