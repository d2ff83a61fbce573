#!/bin/bash
# Runs tests on KVM's code for AMD processors with nested paging, in a virtual
# machine that QEMU emulates in software: run.sh
#
# It needs no KVM at all. What is tested is what differs between flavours: who
# advances RIP at an exit, how registers are checked at entry, what a restore has
# to flush. A Debian kernel is taken out of its package; the root file system is
# a busybox, KVM's modules, static test binaries and their guests. See README.md
# for machines with Intel processors.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

limit=${LIMIT:-360} # seconds for the whole guest
build=$PWD/build/nested
root=$build/root
mkdir -p "$build"

need=()
for pair in qemu-system-x86_64:qemu-system-x86 cpio:cpio busybox:busybox-static dpkg:dpkg gcc:build-essential; do
	command -v "${pair%%:*}" >/dev/null || need+=("${pair##*:}")
done
if [[ ${#need[@]} -gt 0 ]]; then
	if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
		{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${need[@]}"; } >"$build/apt.log" 2>&1 ||
			{ tail -n 20 "$build/apt.log" >&2; exit 1; }
	else
		echo "nested: missing: apt-get install ${need[*]}" >&2
		exit 1
	fi
fi

# kernel: the newest one that Debian's cloud images have.
if [[ ! -e $build/kernel/boot ]]; then
	package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)$/\1/p' | head -n 1)
	[[ -n $package ]] || { echo "nested: apt knows no package linux-image-cloud-amd64" >&2; exit 1; }
	(cd "$build" && rm -f ./linux-image-*.deb && apt-get download "$package" >/dev/null)
	rm -rf "$build/kernel"
	dpkg -x "$build"/linux-image-*.deb "$build/kernel"
fi
vmlinuz=$(echo "$build"/kernel/boot/vmlinuz-*)
modules=$(dirname "$(find "$build/kernel" -path '*/x86/kvm/kvm.ko*' | head -n 1)")/../../..

rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys,tmp,t,guests}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$modules"/virt/lib/irqbypass.ko* "$modules"/arch/x86/kvm/kvm.ko* "$modules"/arch/x86/kvm/kvm-amd.ko* "$root/"
find "$root" -maxdepth 1 -name '*.xz' -exec unxz {} +

export CGO_ENABLED=0 GOOS=linux GOARCH=amd64
for guest in callguest snapguest liarguest; do
	go build -o "$root/guests/$guest" "./testdata/$guest"
done
gcc @testdata/callguest-c/gcc.opts -o "$root/guests/callguest-c"
go test -c -o "$root/t/kvm.test" ./internal/kvm
go test -c -o "$root/t/guestmem.test" ./internal/guestmem
go test -c -o "$root/t/machine.test" ./internal/machine
go test -c -o "$root/t/airlock.test" .

cat >"$root/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
insmod /irqbypass.ko; insmod /kvm.ko; insmod /kvm-amd.ko
echo "nested paging: $(cat /sys/module/kvm_amd/parameters/npt)"
export PATH=/bin HOME=/tmp AIRLOCK_GUESTS=/guests
cd /t
status=0
run() { echo "== $*"; "$@" || status=1; }
run ./kvm.test -test.short
run ./guestmem.test -test.short
run ./machine.test -test.short
# All of calls and snapshots but what is about time, which passes slowly here.
run ./airlock.test -test.short -test.parallel 1 -test.run 'TestCall|TestBind|TestSnapshot|TestRestore|TestClones|TestPoolUses|TestPoolCall|TestPoolSnapshots|TestHostFunction|TestHotSnapshot|TestHotRestore' \
	-test.skip 'Example|Random|Race|Cancel|Parallel|TestRestoreTime'
echo "nested: status $status"
poweroff -f
EOF
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$build/initrd.gz"

# One thread for both processors: with one for each, QEMU 7.2 stopped for good once
# in 30 to 45 runs of kvm.test, both processors in the kernel with interrupts
# blocked. It is no slower.
timeout "$limit" qemu-system-x86_64 -accel tcg,thread=single -cpu max,+svm,+npt -smp 2 -m 3072 -nographic -no-reboot \
	-kernel "$vmlinuz" -initrd "$build/initrd.gz" -append 'console=ttyS0 quiet panic=-1' </dev/null 2>&1 |
	tr -d '\r' >"$build/output.log" || true # it says itself how it ended
sed -n '/nested paging/,$s/^/  /p' "$build/output.log"
grep -q '^nested: status 0$' "$build/output.log" || { echo "nested: failed; the output is in build/nested/output.log" >&2; exit 1; }
