package machine

import (
	"context"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
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
			end := m.Begin(context.Background())
			defer end()
			for b.Loop() {
				if e := enter(b, m); e.Kind != ExitHypercall {
					b.Fatal(e)
				}
			}
		})
	}
}
