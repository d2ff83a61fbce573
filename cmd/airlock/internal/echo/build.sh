#!/bin/sh
# Builds the guest: build.sh. It is committed, so that "airlock bench" needs no
# compiler.
set -eu
cd -- "$(dirname -- "$0")"
sdk=../../../../sdk/c
${CC:-gcc} -std=c99 -Os -static -ffreestanding -nostdlib -DAIRLOCK_FREESTANDING -fno-asynchronous-unwind-tables \
	-Wall -Wextra -Werror -Wl,--build-id=none -Wl,-z,noexecstack -s -I"$sdk" -o echo.elf guest/echo.c "$sdk/airlock_guest.c"
sha256sum echo.elf guest/echo.c "$sdk/airlock_guest.c" "$sdk/airlock_guest.h" >echo.sum
