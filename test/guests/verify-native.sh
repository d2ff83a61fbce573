#!/bin/bash
# Runs the guests natively and compares with what their first comments want, to
# prove that the expectations are true of Linux itself: verify-native.sh FOLDER [NAME...]
#
# FOLDER is what build.sh filled. Left out are programs marked "native: no" and
# hostile ones, except for hostile ones that only fault or exit: those show that
# the fault is the one that the processor gives. All runs are on one CPU.
set -uo pipefail

if [[ $# -lt 1 ]]; then
	echo "usage: $0 FOLDER [NAME...]" >&2
	exit 2
fi
out=$(cd "$1" && pwd) || exit 2
shift
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
ulimit -c 0
limit=${VERIFY_TIMEOUT:-20}
pin=()
if command -v taskset >/dev/null; then
	pin=(taskset -c "${VERIFY_CPU:-0}")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# values FILE KEY: all values of a key in the first comment, one a line.
values() {
	sed -n -e '/^\/\//!q' -e "s|^// $2: *||p" "$1"
}

# native_status WANT: the exit status that bash sees for a want, or nothing for any.
native_status() {
	case $1 in
	"exit "*) echo "${1#exit }" ;;
	timeout) echo 124 ;;
	"signal "*) echo $((128 + $(kill -l "${1#signal SIG}"))) ;;
	"fault divide" | "fault float") echo $((128 + 8)) ;;
	"fault debug") echo $((128 + 5)) ;;
	"fault alignment") echo $((128 + 7)) ;;
	"fault invalid-opcode") echo $((128 + 4)) ;;
	"fault "*) echo $((128 + 11)) ;;
	esac
}

source_of() {
	case $1 in
	go-*) echo "go/${1#go-}/main.go" ;;
	c-*) echo "c/${1#c-*-}.c" ;;
	rust-*) echo "rust/${1#rust-}.rs" ;;
	hostile-*) echo "hostile/${1#hostile-}.c" ;;
	esac
}

# run NAME SOURCE WANT ARGS: one run; prints and counts the outcome.
run() {
	local name=$1 source=$2 want=$3 args env=() feed repeat status expected line seconds=$limit
	read -ra args <<<"$4"
	for word in $(values "$source" env); do
		env+=("$(printf '%b' "${word//\\s/ }")")
	done
	feed=$(printf '%b' "$(values "$source" stdin)" && echo x)
	feed=${feed%x}
	repeat=$(values "$source" stdin-repeat)
	[[ $want != timeout ]] || seconds=1
	{
		for ((i = 0; i < ${repeat:-1}; i++)); do printf '%s' "$feed"; done |
			timeout --foreground "$seconds" "${pin[@]}" env -i "${env[@]}" "$out/$name" "${args[@]}" 2>"$work/err" |
			tail -c 4096 >"$work/out"
		status=${PIPESTATUS[1]}
	} 2>/dev/null
	expected=$(native_status "$want")
	if [[ -n $expected && $status -ne $expected ]]; then
		printf 'FAIL %s %s: status %d, want %d (%s)\n' "$name" "$4" "$status" "$expected" "$want"
		tail -n 5 "$work/err"
		return 1
	fi
	line=$(values "$source" stdout)
	if [[ -n $line && $(tail -n 1 "$work/out") != "$line" ]]; then
		printf 'FAIL %s %s: last line %q, want %q\n' "$name" "$4" "$(tail -n 1 "$work/out")" "$line"
		tail -n 5 "$work/err"
		return 1
	fi
}

if [[ $# -eq 0 ]]; then
	mapfile -t names < <(find "$out" -maxdepth 1 -type f -perm -u+x -printf '%f\n' | sort)
	set -- "${names[@]}"
fi
passed=0 failed=0 left=0
for name in "$@"; do
	source=$(source_of "$name")
	if [[ ! -f $source ]]; then
		echo "skipped: $name: it has no source here"
		continue
	fi
	want=$(values "$source" want)
	if [[ -z $want ]]; then
		echo "FAIL $name: $source has no want"
		failed=$((failed + 1))
		continue
	fi
	if [[ $(values "$source" native) == no || -n $(values "$source" call) || ($name == hostile-* && $want == any) ]]; then
		left=$((left + 1))
		continue
	fi
	mapfile -t runs < <(values "$source" args)
	[[ ${#runs[@]} -gt 0 ]] || runs=("")
	for args in "${runs[@]}"; do
		start=${EPOCHREALTIME/./}
		if run "$name" "$source" "$want" "$args"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
		[[ -z ${VERIFY_TIMES-} ]] || echo "$(((${EPOCHREALTIME/./} - start) / 1000)) ms $name $args"
	done
done
echo "$passed passed, $failed failed, $left are not for native runs"
[[ $failed -eq 0 ]]
