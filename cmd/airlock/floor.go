package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/cpuid"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// The floor is what KVM itself costs on this machine, measured with as little
// around it as possible: Airlock can't be faster. Its machine has no kernel,
// only a few instructions that run as Airlock's guests do, in ring 3 of 64-bit
// mode, because what an exit costs depends on that.

// Where things are in the memory of a floor machine. Addresses below floorFresh
// are the same for guest and machine.
const (
	floorCode   = 0x1000
	floorTSS    = 0x2000 // with a bitmap that allows all ports
	floorTables = 0x8000
	floorFresh  = 0x200000 // pages that nobody has touched
	floorPages  = 1024     // of them
	floorMemory = floorFresh + floorPages*abi.PageSize

	floorVirtual = 0x40000000 // where the program sees the fresh pages
	floorPort    = abi.PortExit
)

const (
	tssSize   = 104
	tssBitmap = 102 // offset of the bitmap's offset
	portCount = 1 << 16
)

// floorTouch writes to RCX pages from RDI on, then falls through to floorExit,
// which leaves the machine again and again.
var floorTouch = []byte{
	0x88, 0x07, //                               touch: mov %al, (%rdi)
	0x48, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, //        add $4096, %rdi
	0x48, 0xff, 0xc9, //                                dec %rcx
	0x75, 0xf2, //                                      jnz touch
	0xef,       //                               exit:  out %eax, (%dx)
	0xeb, 0xfd, //                                      jmp exit
}

// floorExit is the address of the part that only leaves the machine.
const floorExit = floorCode + 14

// floorKit is what all floor machines share.
type floorKit struct {
	sys    *kvm.System
	cpuid  *kvm.CPUIDTable
	state  bootstate.State
	image  *guestmem.File
	memory *guestmem.Memory // for machines that don't run
}

func newFloorKit() (kit *floorKit, err error) {
	k := &floorKit{}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if k.sys, err = kvm.Open(kvm.DefaultDevice); err != nil {
		return nil, err
	}
	k.cpuid, err = k.sys.GuestCPUID(func(supported []kvm.CPUIDEntry) ([]kvm.CPUIDEntry, error) {
		if k.sys.Flavour() == kvm.FlavourPVM {
			supported = cpuid.Native(supported, kvm.HostCPUID)
		}
		return cpuid.Filter(supported)
	})
	if err != nil {
		return nil, err
	}
	content, root, err := floorImage()
	if err != nil {
		return nil, err
	}
	if k.image, err = guestmem.NewFile("airlock-floor", uint64(len(content)), []guestmem.Piece{{Data: content}}); err != nil {
		return nil, err
	}
	if k.memory, err = guestmem.New(benchMemory, nil); err != nil {
		return nil, err
	}
	k.state = bootstate.New(bootstate.Params{
		Kernel:    abi.KernelInfo{TSS: floorTSS, TSSLimit: tssSize + portCount/8},
		Entry:     floorExit,
		PageTable: root,
		XCR0:      cpuid.GuestXCR0(k.cpuid),
	})
	return k, nil
}

func (k *floorKit) close() {
	if k.memory != nil {
		_ = k.memory.Close()
	}
	if k.image != nil {
		_ = k.image.Close()
	}
	if k.sys != nil {
		_ = k.sys.Close()
	}
}

// floorImage lays out the start of memory and returns it with the address of
// its top page table.
func floorImage() (content []byte, root uint64, err error) {
	content = make([]byte, floorTables)
	copy(content[floorCode:], floorTouch)
	content[floorTSS+tssBitmap] = tssSize
	content[floorTSS+tssSize+portCount/8] = 0xff // ends the bitmap

	tables := pagetable.New(
		func(gpa uint64) []byte { return content[gpa:][:abi.PageSize] },
		func() uint64 {
			gpa := uint64(len(content))
			content = slices.Concat(content, make([]byte, abi.PageSize))
			return gpa
		})
	err = tables.Map(floorCode, floorCode, pagetable.Perm{Exec: true})
	for gpa := uint64(floorTSS); err == nil && gpa < floorTables; gpa += abi.PageSize {
		err = tables.Map(gpa, gpa, pagetable.Perm{Write: true})
	}
	for i := uint64(0); err == nil && i < floorPages*abi.PageSize; i += abi.PageSize {
		err = tables.Map(floorVirtual+i, floorFresh+i, pagetable.Perm{Write: true})
	}
	if err == nil && len(content) > floorFresh {
		err = errors.New("the page tables of the floor machine are too large")
	}
	return content, tables.Root(), err
}

// floorMachine is a virtual machine with nothing around it.
type floorMachine struct {
	vm   *kvm.VM
	vcpu *kvm.VCPU
}

// create makes a machine with the same calls as Airlock does.
func (k *floorKit) create(memory *guestmem.Memory) (m *floorMachine, err error) {
	m = &floorMachine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	if m.vm, err = k.sys.CreateVM(); err != nil {
		return m, err
	}
	if k.sys.Flavour() == kvm.FlavourVMX {
		const tssAddr = 0xfeffd000 // as internal/machine has it
		if err := m.vm.SetTSSAddr(tssAddr); err != nil {
			return m, err
		}
	}
	if err := m.vm.DenyMSRs(); err != nil {
		return m, err
	}
	region := kvm.MemoryRegion{Size: memory.Size(), HostAddr: memory.HostAddr()}
	if err := m.vm.SetMemoryRegion(&region); err != nil {
		return m, err
	}
	if m.vcpu, err = m.vm.CreateVCPU(0); err != nil {
		return m, err
	}
	return m, k.setState(m.vcpu)
}

func (k *floorKit) setState(vcpu *kvm.VCPU) error {
	if err := vcpu.SetCPUID(k.cpuid); err != nil {
		return err
	}
	if err := vcpu.SetTSCOffset(0); err != nil {
		return err
	}
	if err := vcpu.SetXCR0(k.state.XCR0); err != nil {
		return err
	}
	if err := vcpu.SetSregs(&k.state.Sregs); err != nil {
		return err
	}
	if err := vcpu.SetMSRs(k.state.MSRs); err != nil {
		return err
	}
	regs := k.state.Regs
	regs.RDX = floorPort
	return vcpu.SetRegs(&regs)
}

func (m *floorMachine) close() error {
	var errs []error
	if m.vcpu != nil {
		errs = append(errs, m.vcpu.Close())
	}
	if m.vm != nil {
		errs = append(errs, m.vm.Close())
	}
	return errors.Join(errs...)
}

// exit runs the machine to its next exit, which must be that of the program.
func (m *floorMachine) exit() error {
	for {
		reason, err := m.vcpu.Run()
		switch {
		case err != nil:
			return err
		case reason == kvm.ExitIO:
			return nil
		case reason != kvm.ExitIntr:
			return fmt.Errorf("the floor machine ended with %v", reason)
		}
	}
}

// settle completes the last exit, so that registers can be set.
func (m *floorMachine) settle() error {
	m.vcpu.RequestExit()
	defer m.vcpu.ClearExitRequest()
	_, err := m.vcpu.Run()
	return err
}

// withMachine calls f with a machine that has its own fresh memory and is ready
// to exit.
func (k *floorKit) withMachine(f func(*floorMachine) error) (err error) {
	size := (uint64(floorMemory) + guestmem.Alignment - 1) &^ (guestmem.Alignment - 1)
	memory, err := guestmem.New(size, k.image)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, memory.Close()) }()
	m, err := k.create(memory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.exit(); err != nil { // brings in the code and what else it needs
		return err
	}
	return f(m)
}

// floorBatch is how many exits are timed together.
const floorBatch = 64

// measureCreate times the making and closing of a machine as large as a sandbox
// is by default.
func (k *floorKit) measureCreate() (time.Duration, error) {
	start := time.Now()
	m, err := k.create(k.memory)
	if err != nil {
		return 0, err
	}
	err = m.close()
	return time.Since(start), err
}

// measureExit times the way from the program to the host and back.
func (k *floorKit) measureExit() (time.Duration, error) {
	var taken time.Duration
	err := k.withMachine(func(m *floorMachine) error {
		start := time.Now()
		for range floorBatch {
			if err := m.exit(); err != nil {
				return err
			}
		}
		taken = time.Since(start) / floorBatch
		return nil
	})
	return taken, err
}

// measureTouch times the first write of a program to a page, for which the host
// has to find memory.
func (k *floorKit) measureTouch() (time.Duration, error) {
	var taken time.Duration
	err := k.withMachine(func(m *floorMachine) error {
		if err := m.settle(); err != nil {
			return err
		}
		regs := k.state.Regs
		regs.RIP, regs.RDX, regs.RDI, regs.RCX = floorCode, floorPort, floorVirtual, floorPages
		if err := m.vcpu.SetRegs(&regs); err != nil {
			return err
		}
		start := time.Now()
		if err := m.exit(); err != nil {
			return err
		}
		taken = time.Since(start) / floorPages
		return nil
	})
	return taken, err
}

// median returns the middle of some durations. It sorts them.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
