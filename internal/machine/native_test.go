package machine

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/kvm"
)

// scratch returns 64-bit words that the guest wrote from tkScratch on.
func scratch(tb testing.TB, m *Machine, n int) []uint64 {
	tb.Helper()
	b := make([]byte, 8*n)
	if err := m.memory.CopyOut(b, tkScratch-abi.KernelBase+abi.ImageGPA); err != nil {
		tb.Fatal(err)
	}
	words := make([]uint64, n)
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return words
}

// stosq stores RAX at RDI and moves on.
func (c *code) stosq() *code { return c.raw(0x48, 0xab) }

// rdtsc leaves the whole counter in RAX.
func (c *code) rdtsc() *code {
	return c.raw(0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0)
}

// TestInstructions proves that ring 3 has what programs and the kernel need.
func TestInstructions(t *testing.T) {
	m := tkMachine(t, asm(func(c *code) {
		c.movRDI(tkScratch)
		c.raw(0x48, 0xb8).imm64(0x123456789abc).raw(0xf3, 0x48, 0x0f, 0xae, 0xd0) // wrfsbase rax
		c.raw(0x31, 0xc0, 0xf3, 0x48, 0x0f, 0xae, 0xc0).stosq()                   // rdfsbase rax
		c.raw(0x31, 0xc9, 0x0f, 0x01, 0xd0).stosq()                               // xgetbv
		c.movEAX(1).raw(0x0f, 0xa2, 0x89, 0xc8).stosq()                           // cpuid: ecx
		c.raw(0xc5, 0xfd, 0x76, 0xc0)                                             // vpcmpeqd ymm0,ymm0,ymm0
		c.raw(0xc5, 0xfc, 0x11, 0x07)                                             // vmovups [rdi],ymm0
		c.out(abi.PortExit).spin()
	}))
	m.Begin(context.Background())
	defer m.End()
	hypercall(t, m, abi.PortExit)
	w := scratch(t, m, 7)
	if w[0] != 0x123456789abc {
		t.Errorf("FS base = %#x", w[0])
	}
	if w[1] != m.state.XCR0 {
		t.Errorf("XCR0 = %#x, want %#x", w[1], m.state.XCR0)
	}
	const osxsave = 1 << 27
	if w[2]&osxsave == 0 {
		t.Errorf("CPUID 1 ECX = %#x: without OSXSAVE", w[2])
	}
	if w[3] != ^uint64(0) || w[6] != ^uint64(0) {
		t.Errorf("AVX stored %x", w[3:])
	}
}

// TestTimeStampCounter proves that host and guest read the same counter, on
// which guest time rests. It is so where the host's counters agree, as those of
// all servers of the last ten years do; elsewhere KVM moves the guest's.
func TestTimeStampCounter(t *testing.T) {
	const invariantTSC = 1 << 8
	if kvm.HostCPUID(0x80000007, 0).EDX&invariantTSC == 0 {
		t.Skip("this processor's time stamp counter is not invariant")
	}
	m := tkMachine(t, asm(func(c *code) {
		c.movRDI(tkScratch).rdtsc().stosq().out(abi.PortExit).loop()
	}))
	m.Begin(context.Background())
	defer m.End()
	for range 100 {
		before := cpu.Ticks()
		hypercall(t, m, abi.PortExit)
		guest, after := scratch(t, m, 1)[0], cpu.Ticks()
		if guest < before || guest > after {
			t.Fatalf("guest counter %d is not between the host's %d and %d", guest, before, after)
		}
	}
	offset, err := m.vcpu.TSCOffset()
	if err != nil || offset != 0 {
		t.Errorf("TSCOffset() = %d, %v", offset, err)
	}
}
