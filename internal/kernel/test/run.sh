#!/bin/sh
# Runs the kernel's pure parts on the host, under the address and undefined
# behaviour sanitizers, with each C compiler that is there.
#
# usage: [CC=compiler] run.sh [NAME...]      NAME as in test_NAME.c; default all
#
# Prints a line "ok NAME (COMPILER)" for each test that passes, or what is wrong.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
src=$here/../src
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
failed=0

# What a test links besides itself, relative to src.
sources() {
	case $1 in
	random) echo lib/random.c ;;
	timerheap) echo lib/timerheap.c ;;
	pool) echo mm/pool.c ;;
	around) echo mm/around.c mm/pagetable.c mm/pool.c mm/regions.c mm/regions_tree.c mm/regions_gap.c ;;
	prepare) echo mm/prepare.c mm/pagetable.c mm/pool.c mm/regions.c mm/regions_tree.c mm/regions_gap.c ;;
	slab) echo mm/slab.c mm/pool.c ;;
	regions) echo mm/regions.c mm/regions_tree.c mm/regions_gap.c ;;
	signal_state) echo signal/state.c ;;
	signal_frame | signal_return | signal_fault)
		echo signal/state.c signal/frame.c signal/deliver.c signal/fault.c signal/return.c signal/altstack.c
		;;
	signal_calls) echo signal/state.c signal/mask.c signal/altstack.c signal/send.c ;;
	signal_wait)
		echo signal/state.c signal/frame.c signal/altstack.c signal/deliver.c signal/wait.c signal/send.c sys/time.c
		;;
	time) echo signal/state.c signal/send.c sys/time.c sys/sleep.c ;;
	signal_timer)
		echo signal/state.c signal/timer.c signal/itimer.c signal/posix_timer.c sys/time.c lib/timerheap.c
		;;
	file_pipe) echo "$files_core" file/ioctl.c ;;
	file_table) echo "$files_core" file/ioctl.c file/eventfd.c ;;
	file_events) echo "$files_core" file/eventfd.c file/timerfd.c ;;
	file_epoll) echo "$files_core" file/epoll_calls.c file/timeout.c file/eventfd.c ;;
	file_poll) echo "$files_core" file/poll.c file/select.c file/timeout.c file/eventfd.c ;;
	file_chaos)
		echo "$files_core" file/epoll_calls.c file/poll.c file/select.c file/timeout.c
		echo file/eventfd.c file/timerfd.c file/socket.c file/socket_calls.c
		;;
	file_console) echo "$files_core" file/ioctl.c file/poll.c file/timeout.c file/epoll_calls.c ;;
	file_paths)
		echo "$files_core" file/path.c file/open.c file/stat.c file/readonly.c file/pseudo.c file/device.c
		echo file/text.c file/proc.c file/proc_system.c file/socket.c file/socket_calls.c file/eventfd.c
		echo mm/regions.c mm/regions_tree.c mm/regions_gap.c
		;;
	esac
}

# What every test of file/ needs.
files_core="file/file.c file/rw.c file/transfer.c file/epoll.c file/epoll_depth.c file/pipe.c file/ring.c
	sched/wait.c lib/timerheap.c"

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
# For #include "..." only: src/sys/time.h is not <sys/time.h>.
includes="-iquote $here/../src -iquote $here/../../../abi -iquote $here"
warnings="-Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wsign-compare -Wwrite-strings -Wstrict-prototypes -Werror"

# Builds the string test around an object as the kernel links it, but without
# -ffreestanding, so that the compiler is free to do its worst.
build_linked_string() {
	# shellcheck disable=SC2086 # lists of words
	"$1" -std=gnu11 -O2 -fpie -mgeneral-regs-only -fno-stack-protector $includes \
		-c -o "$build/string.o" "$src/lib/string.c" &&
		"$1" -std=gnu11 -O1 -fno-builtin $warnings -DAIRLOCK_HOST_TEST -DSTRING_LINKED $includes \
			-o "$build/string" "$here/test_string.c" "$build/string.o"
}

# Builds what a test needs and runs it; the first failing step decides.
run() {
	objects=
	# Freestanding, as in the kernel: some of Linux's headers leave out what a libc has.
	for file in $(sources "$1"); do
		object=$build/$(echo "$file" | tr / _).o
		# shellcheck disable=SC2086 # lists of words
		"$2" -std=gnu11 -g -O1 -ffreestanding $sanitizers $warnings -DAIRLOCK_HOST_TEST $includes \
			-c -o "$object" "$src/$file" || return 1
		objects="$objects $object"
	done
	# shellcheck disable=SC2086 # lists of words
	"$2" -std=gnu11 -g -O1 $sanitizers $warnings -DAIRLOCK_HOST_TEST $includes \
		-o "$build/$1" "$here/test_$1.c" $objects -pthread -ldl || return 1
	case $1 in
	vdso)
		CC=$2 "$src/vdso/build.sh" "$build/vdso.so" && "$build/vdso" "$build/vdso.so"
		;;
	string)
		"$build/string" && build_linked_string "$2" && "$build/string"
		;;
	*)
		"$build/$1"
		;;
	esac
}

# True if a compiler is there and can link with the sanitizers.
usable() {
	echo 'int main(void) { return 0; }' >"$build/usable.c"
	# shellcheck disable=SC2086 # a list of words
	command -v "$1" >"$build/log" && "$1" $sanitizers -o "$build/usable" "$build/usable.c" >"$build/log" 2>&1
}

compilers=
for compiler in ${CC:-gcc clang}; do
	if usable "$compiler"; then
		compilers="$compilers $compiler"
	else
		echo "without $compiler: it is not there, or has no sanitizers"
	fi
done
[ -n "$compilers" ] || { echo "no usable C compiler: install gcc or clang" >&2; exit 1; }

names=$*
if [ -z "$names" ]; then
	for file in "$here"/test_*.c; do
		name=${file##*/test_}
		names="$names ${name%.c}"
	done
fi

for compiler in $compilers; do
	for name in $names; do
		if run "$name" "$compiler"; then
			echo "ok $name ($compiler)"
		else
			echo "FAIL $name ($compiler)"
			failed=1
		fi
	done
done
exit $failed
