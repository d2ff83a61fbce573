package machine

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// BenchmarkCreate measures a machine from New to Close beside the floor: the
// ioctls and mappings alone, with the same arguments.
func BenchmarkCreate(b *testing.B) {
	sys := kvmtest.Require(b)
	im := tkImage(b, tkCode{entry: asm(func(c *code) { c.out(abi.PortExit).spin() })})
	config := tkConfig
	config.Memory = 32 << 20
	model, err := New(sys, im, config)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = model.Close() }()

	b.Run("machine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m, err := New(sys, im, config)
			if err != nil {
				b.Fatal(err)
			}
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ioctls", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			floor(b, sys, model)
		}
	})
}

// floor makes the kernel do what New and Close make it do, and nothing else.
func floor(b *testing.B, sys *kvm.System, model *Machine) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	memory, err := guestmem.New(model.config.Memory, model.image.file)
	must(err)
	vm, err := sys.CreateVM()
	must(err)
	must(vm.DenyMSRs())
	must(vm.SetMemoryRegion(&kvm.MemoryRegion{Size: model.config.Memory, HostAddr: memory.HostAddr()}))
	vcpu, err := vm.CreateVCPU(0)
	must(err)
	table, err := sys.GuestCPUID(nil)
	must(err)
	must(vcpu.SetCPUID(table))
	must(vcpu.SetTSCOffset(0))
	_, err = vcpu.TSCKHz()
	must(err)
	must(vcpu.SetXCR0(model.state.XCR0))
	must(vcpu.SetMSRs(model.state.MSRs))
	must(vcpu.Close())
	must(vm.Close())
	must(memory.Close())
}

// BenchmarkExit measures a hypercall and back on the two kinds of thread.
func BenchmarkExit(b *testing.B) {
	sys := kvmtest.Require(b)
	im := tkImage(b, tkCode{entry: asm(func(c *code) { c.out(abi.PortExit).loop() })})
	b.Run("ioctl", func(b *testing.B) {
		m := tkMachineOn(b, sys, im, inlineRunner{})
		for b.Loop() {
			reason, err := m.vcpu.Run()
			for reason == kvm.ExitIntr && err == nil {
				reason, err = m.vcpu.Run()
			}
			if reason != kvm.ExitIO || err != nil {
				b.Fatal(reason, err)
			}
		}
	})
	for _, bench := range []struct {
		name   string
		runner func() runner
	}{
		{"inline", func() runner { return inlineRunner{} }},
		{"thread", func() runner { return newThreadRunner() }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			m := tkMachineOn(b, sys, im, bench.runner())
			m.Begin(context.Background())
			defer m.End()
			for b.Loop() {
				if e := enter(b, m); e.Kind != ExitHypercall {
					b.Fatal(e)
				}
			}
		})
	}
}

// BenchmarkCall measures what surrounds a sequence of exits.
func BenchmarkCall(b *testing.B) {
	m := tkMachine(b, asm(func(c *code) { c.out(abi.PortExit).loop() }))
	b.ReportAllocs()
	for b.Loop() {
		m.Begin(b.Context())
		m.End()
	}
}

// BenchmarkCancel measures from the end of a context to the return of Enter, of a
// guest in a tight loop.
func BenchmarkCancel(b *testing.B) {
	for name, r := range runners {
		b.Run(name, func(b *testing.B) {
			m := tkMachineOn(b, kvmtest.Require(b), tkImage(b, tkCode{entry: asm(func(c *code) { c.spin() })}), r())
			var total, worst time.Duration
			n := 0
			for b.Loop() {
				ctx, cancel := context.WithCancel(context.Background())
				m.Begin(ctx)
				var canceled time.Time
				time.AfterFunc(2*time.Millisecond, func() {
					canceled = time.Now()
					cancel()
				})
				if e := enter(b, m); e.Kind != ExitCanceled {
					b.Fatal(e)
				}
				d := time.Since(canceled)
				total, worst = total+d, max(worst, d)
				n++
				m.End()
			}
			b.ReportMetric(float64(total.Microseconds())/float64(n), "µs/cancel")
			b.ReportMetric(float64(worst.Microseconds()), "µs-worst")
		})
	}
}

// BenchmarkReset measures a reset after a guest that wrote to 64 pages.
func BenchmarkReset(b *testing.B) {
	m := tkMachine(b, touching(64))
	for b.Loop() {
		b.StopTimer()
		touch(b, m)
		b.StartTimer()
		if err := m.Reset(); err != nil {
			b.Fatal(err)
		}
	}
}

// touching is a guest that writes to n pages in the middle of its memory.
func touching(n uint32) []byte {
	return asm(func(c *code) {
		c.movRDI(abi.Physmap + 1<<20).raw(0xb9).imm32(n) // mov ecx, n
		c.raw(0x88, 0x07)                                // 1: mov [rdi], al
		c.raw(0x48, 0x81, 0xc7).imm32(abi.PageSize)      // add rdi, 4096
		c.raw(0xff, 0xc9, 0x75, 0xf3)                    // dec ecx; jnz 1b
		c.out(abi.PortExit).spin()
	})
}

func touch(b *testing.B, m *Machine) {
	b.Helper()
	if err := m.Boot(Start{}); err != nil {
		b.Fatal(err)
	}
	m.Begin(context.Background())
	hypercall(b, m, abi.PortExit)
	m.End()
}

// BenchmarkTouch measures the guest's first write to a page, in a new machine and
// in one that was reset.
func BenchmarkTouch(b *testing.B) {
	const pages = 500
	sys := kvmtest.Require(b)
	im := tkImage(b, tkCode{entry: touching(pages)})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			m := tkMachineOn(b, sys, im, inlineRunner{})
			b.StartTimer()
			touch(b, m)
			b.StopTimer()
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pages), "ns/page")
	})
	b.Run("reset", func(b *testing.B) {
		m := tkMachineOn(b, sys, im, inlineRunner{})
		for b.Loop() {
			b.StopTimer()
			if err := m.Reset(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			touch(b, m)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pages), "ns/page")
	})
}

// BenchmarkImage measures laying out a program of 2 MiB.
func BenchmarkImage(b *testing.B) {
	kernel := tkKernel(tkCode{})
	program, err := elf.Parse(elfFile(0x400000, []elfSegment{
		{0x400000, bytes.Repeat([]byte{0x90}, 1<<20), 5},
		{0x600000, bytes.Repeat([]byte{1}, 1<<20), 6},
	}), elf.Limits{UserEnd: abi.UserEnd})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		im, err := NewImage(kernel, program)
		if err != nil {
			b.Fatal(err)
		}
		if err := im.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
