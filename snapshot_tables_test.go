package airlock_test

import (
	"bytes"
	"debug/elf"
	"slices"
	"testing"
	"unsafe"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kernel"
)

// These tests change page tables and the kernel behind its back. A program can:
// inside one virtual machine, program and kernel are one trust domain. The host
// must notice, because without nested paging KVM keeps a copy of the page tables
// that a restore has to throw away, and because what runs in ring 0 can change
// registers that are not looked at otherwise.

// entryOf finds the page-table entry of an address.
func entryOf(t *testing.T, sb *airlock.Sandbox, address uint64) (gpa uint64) {
	t.Helper()
	table := call[uint64](t, sb, "Peek", uint64(abi.ControlGPA+unsafe.Offsetof(abi.Boot{}.PageTable)))
	for level := 3; ; level-- {
		gpa = table + address>>(12+9*level)%512*8
		if level == 0 {
			return gpa
		}
		table = call[uint64](t, sb, "Peek", gpa) & 0x000ffffffffff000
	}
}

// TestRestoreSwappedPages swaps two pages in the page tables, with and without
// telling the processor and putting it right again.
func TestRestoreSwappedPages(t *testing.T) {
	t.Parallel()
	var addressA, addressB, entryA, entryB uint64
	snap := newSnapshot(t, func(sb *airlock.Sandbox) {
		addressA, addressB = call[uint64](t, sb, "Map", uint64(0xaaaa)), call[uint64](t, sb, "Map", uint64(0xbbbb))
		entryA, entryB = entryOf(t, sb, addressA), entryOf(t, sb, addressB)
	})
	if !snap.Trusted() {
		t.Error("restoring the snapshot can't be quick")
	}
	sb := clone(t, snap)
	a, b := call[uint64](t, sb, "Peek", entryA), call[uint64](t, sb, "Peek", entryB)
	for round := range 12 {
		if got := call[uint64](t, sb, "Load", addressA); got != 0xaaaa {
			t.Fatalf("round %d: A holds %#x", round, got)
		}
		call[struct{}](t, sb, "Poke", entryA, b)
		call[struct{}](t, sb, "Poke", entryB, a)
		call[struct{}](t, sb, "Flush")
		if got := call[uint64](t, sb, "Load", addressA); got != 0xbbbb {
			t.Fatalf("round %d: A is swapped and holds %#x", round, got)
		}
		if round%3 == 1 { // as if nothing had happened
			call[struct{}](t, sb, "Poke", entryA, a)
			call[struct{}](t, sb, "Poke", entryB, b)
		}
		if round%4 == 2 { // a hole
			call[struct{}](t, sb, "Poke", entryA, uint64(0))
		}
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
}

// kernelTextEnd is the end of the kernel's text, in a page whose last bytes are none
// of it.
func kernelTextEnd(t *testing.T) uint64 {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(kernel.Image))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool { return p.Flags&elf.PF_X != 0 })
	text := f.Progs[i]
	const page = 4096
	used := text.Vaddr + text.Memsz
	end := (used + page - 1) &^ (page - 1)
	if end-used < 8 {
		t.Fatal("the kernel's text fills its last page")
	}
	return end
}

// TestRestoreWrittenKernel takes snapshots of guests that have written to what
// decides over ring 0: they can't be trusted, and are restored all the same.
func TestRestoreWrittenKernel(t *testing.T) {
	t.Parallel()
	for name, offset := range map[string]func(t *testing.T, sb *airlock.Sandbox) uint64{
		"descriptor tables": func(t *testing.T, sb *airlock.Sandbox) uint64 {
			t.Helper()
			return call[uint64](t, sb, "Load", uint64(abi.KernelBase+unsafe.Offsetof(abi.KernelInfo{}.IDT))) - abi.KernelBase + 31*16 + 8 // an unused gate
		},
		"kernel text": func(t *testing.T, _ *airlock.Sandbox) uint64 {
			t.Helper()
			return kernelTextEnd(t) - abi.KernelBase - 8
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
			gpa := abi.ImageGPA + offset(t, sb)
			before := call[uint64](t, sb, "Peek", gpa)
			call[struct{}](t, sb, "Poke", gpa, before^1<<63)
			snap, err := sb.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer snap.Close() //nolint:errcheck // checked elsewhere
			if snap.Trusted() {
				t.Errorf("the snapshot is trusted, with %#x changed", gpa)
			}
			for range 3 {
				call[struct{}](t, sb, "Poke", gpa, before)
				if err := sb.Restore(t.Context(), snap); err != nil {
					t.Fatal(err)
				}
				if got := call[uint64](t, sb, "Peek", gpa); got != before^1<<63 {
					t.Errorf("%#x holds %#x after a restore", gpa, got)
				}
			}
		})
	}
}
