package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/machine/cpuid"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// A raw machine is what KVM gives, and nothing of Airlock: no kernel, no
// runner, a few instructions as its program. They run as Airlock's guests do, in
// ring 3 of 64-bit mode, because the price of an exit depends on that. Airlock
// can't be faster.

// Where things are in its memory. The first large page is mapped to its own
// address page by page; all of it is at rawVirtual, in large pages as in
// Airlock's guests.
const (
	rawMemory  = airlock.DefaultMemory
	rawCode    = 0x1000
	rawTSS     = 0x2000 // with a bitmap that allows all ports
	rawTables  = 0x8000
	rawFresh   = 0x200000 // what nobody has touched
	rawPing    = 0x5000   // words that pass between host and guest, on pages of their own
	rawPong    = 0x6000
	rawVirtual = 1 << 39
	rawPort    = abi.PortExit

	tssSize   = 104
	tssBitmap = 102 // where it says where the bitmap is
	portCount = 1 << 16
)

// rawProgram counts RCX down, writing to as many pages from RDI on, then leaves
// the machine again and again. Its second part writes each new word at RDI to
// RSI, until all bits of one are set: then it leaves too.
//
//nolint:gochecknoglobals // a constant
var rawProgram = []byte{
	0x88, 0x07, //                               touch: mov %al, (%rdi)
	0x48, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, //        add $4096, %rdi
	0x48, 0xff, 0xc9, //                                dec %rcx
	0x75, 0xf2, //                                      jnz touch
	0x48, 0xff, 0xc3, //                         leave: inc %rbx
	0xef,       //                                      out %eax, (%dx)
	0xeb, 0xfa, //                                      jmp leave
	0x8b, 0x07, //                               answer: mov (%rdi), %eax
	0x39, 0xd8, //                                       cmp %ebx, %eax
	0x74, 0xfa, //                                       je answer
	0x89, 0xc3, //                                       mov %eax, %ebx
	0x89, 0x06, //                                       mov %eax, (%rsi)
	0x83, 0xf8, 0xff, //                                 cmp $-1, %eax
	0x75, 0xf1, //                                       jne answer
	0xeb, 0xe9, //                                       jmp leave
}

// rawLeave is the address of the three instructions that only leave.
const rawLeave = rawCode + 14

// rawAnswer is the address of the second part.
const rawAnswer = rawCode + 20

// rawKit is what raw machines share.
type rawKit struct {
	sys   *kvm.System
	cpuid *kvm.CPUIDTable
	image *guestmem.File
	state bootstate.State
}

func newRawKit() (k *rawKit, err error) {
	k = &rawKit{}
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
	content, root, err := rawImage()
	if err != nil {
		return nil, err
	}
	if k.image, err = guestmem.NewFile("airlock-bench", uint64(len(content)), []guestmem.Piece{{Data: content}}); err != nil {
		return nil, err
	}
	k.state = bootstate.New(bootstate.Params{
		Kernel:         abi.KernelInfo{TSS: rawTSS, TSSLimit: tssSize + portCount/8},
		Entry:          rawLeave,
		PageTable:      root,
		XCR0:           cpuid.GuestXCR0(k.cpuid),
		KeepInterrupts: k.sys.Flavour() == kvm.FlavourPVM,
	})
	k.state.Regs.RDX = rawPort
	return k, nil
}

func (k *rawKit) close() {
	if k.image != nil {
		_ = k.image.Close()
	}
	if k.sys != nil {
		_ = k.sys.Close()
	}
}

// rawImage lays out the start of memory and returns it with the address of its
// top page table.
func rawImage() (content []byte, root uint64, err error) {
	content = make([]byte, rawTables)
	copy(content[rawCode:], rawProgram)
	content[rawTSS+tssBitmap] = tssSize
	content[rawTSS+tssSize+portCount/8] = 0xff // ends the bitmap

	page := func(gpa uint64) []byte { return content[gpa:][:abi.PageSize] }
	alloc := func() uint64 {
		gpa := uint64(len(content))
		content = slices.Concat(content, make([]byte, abi.PageSize))
		return gpa
	}
	tables := pagetable.New(page, alloc)
	err = tables.Map(rawCode, rawCode, pagetable.Perm{Exec: true})
	for gpa := uint64(rawTSS); err == nil && gpa < rawTables; gpa += abi.PageSize {
		err = tables.Map(gpa, gpa, pagetable.Perm{Write: true})
	}
	if err != nil {
		return nil, 0, err
	}
	third, err := tables.Table(rawVirtual)
	if err != nil {
		return nil, 0, err
	}
	linear := alloc()
	copy(page(third), pagetable.Links(linear, 1))
	copy(page(linear), pagetable.Linear(rawMemory))
	return content, tables.Root(), nil
}

// rawVM is one raw machine.
type rawVM struct {
	memory *guestmem.Memory
	vm     *kvm.VM
	vcpu   *kvm.VCPU
}

// step is one of the calls that make a machine.
type step struct {
	name string
	do   func(*rawVM) error
}

// steps are those calls, the same as Airlock makes.
func (k *rawKit) steps() []step {
	return []step{
		{"map 64 MiB of memory", func(m *rawVM) (err error) {
			m.memory, err = guestmem.New(rawMemory, k.image)
			return err
		}},
		{"KVM_CREATE_VM", func(m *rawVM) (err error) {
			m.vm, err = k.sys.CreateVM()
			return err
		}},
		{"MSR filter", func(m *rawVM) error {
			if k.sys.Flavour() == kvm.FlavourVMX {
				const tssAddr = 0xfeffd000 // as internal/machine has it
				if err := m.vm.SetTSSAddr(tssAddr); err != nil {
					return err
				}
			}
			return m.vm.DenyMSRs()
		}},
		{"memory slot", func(m *rawVM) error {
			return m.vm.SetMemoryRegion(&kvm.MemoryRegion{Size: m.memory.Size(), HostAddr: m.memory.HostAddr()})
		}},
		{"KVM_CREATE_VCPU", func(m *rawVM) (err error) {
			m.vcpu, err = m.vm.CreateVCPU(0)
			return err
		}},
		{"CPUID", func(m *rawVM) error { return m.vcpu.SetCPUID(k.cpuid) }},
		{"TSC offset, XCR0, MSRs", func(m *rawVM) error {
			return errors.Join(m.vcpu.SetTSCOffset(0), m.vcpu.SetXCR0(k.state.XCR0), m.vcpu.SetMSRs(k.state.MSRs))
		}},
	}
}

// registers is the step that Airlock spares itself: it hands the registers over
// at the first run.
func (k *rawKit) registers() step {
	return step{"general and special registers", func(m *rawVM) error {
		return errors.Join(m.vcpu.SetSregs(&k.state.Sregs), m.vcpu.SetRegs(&k.state.Regs))
	}}
}

func (m *rawVM) close() error {
	var errs []error
	if m.vcpu != nil {
		errs = append(errs, m.vcpu.Close())
	}
	if m.vm != nil {
		errs = append(errs, m.vm.Close())
	}
	if m.memory != nil {
		errs = append(errs, m.memory.Close())
	}
	return errors.Join(errs...)
}

// leave runs the machine to its next exit, which must be that of its program.
func (m *rawVM) leave() error {
	for {
		reason, err := m.vcpu.Run()
		switch {
		case err != nil:
			return err
		case reason == kvm.ExitIO:
			return nil
		case reason != kvm.ExitIntr:
			return fmt.Errorf("the raw machine ended with %v", reason)
		}
	}
}

// touch makes the program write to fresh pages, and leave.
func (k *rawKit) touch(m *rawVM, pages uint64) error {
	regs := k.state.Regs
	regs.RIP, regs.RDI, regs.RCX = rawCode, rawVirtual+rawFresh, pages
	if err := m.vcpu.SetRegs(&regs); err != nil {
		return err
	}
	return m.leave()
}

// with makes a machine that has left its program once and can do so again, with
// all that takes in place, for the length of a call.
func (k *rawKit) with(use func(*rawVM) error) (err error) {
	m := &rawVM{}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, s := range append(k.steps(), k.registers()) {
		if err := s.do(m); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := m.leave(); err != nil {
		return err
	}
	return use(m)
}
