package snapfile

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/airlockvm/airlock/internal/kvm"
)

// The layout of the XSAVE area (SDM volume 1, "XSAVE Area").
const (
	xsaveMXCSR   = 24
	xsaveMask    = 28 // MXCSR_MASK
	xsaveMaskEnd = 32
	xsaveUnused  = 464 // for software: Linux puts sizes here that are the host's
	xsaveHeader  = 512 // XSTATE_BV, XCOMP_BV, reserved
	xsaveRest    = 576

	// fixedComponents are x87 and SSE, which have their places before the header.
	fixedComponents = 2

	// Bits of MXCSR that are not reserved. The second is AMD's, and has a feature.
	mxcsrBits     = 0xffff
	mxcsrMM       = 1 << 17
	mxcsrMMOnlyIf = "misalignsse"
)

// checkXSave refuses what XRSTOR would fail on, and anything where there is
// nothing. Preconditions: the registers were checked.
func (c *Config) checkXSave() error {
	x, xcr0 := c.Registers.XSave, uint64(c.Registers.XCR0)
	if err := c.CPU.checkComponents(xcr0); err != nil {
		return err
	}
	allowed := uint32(mxcsrBits)
	if slices.Contains(c.CPU.Features, mxcsrMMOnlyIf) {
		allowed |= mxcsrMM
	}
	if mxcsr := binary.LittleEndian.Uint32(x[xsaveMXCSR:]); mxcsr&^allowed != 0 {
		return malformed("registers.xsave", "MXCSR is %#x, which has reserved bits", mxcsr)
	}
	if state := binary.LittleEndian.Uint64(x[xsaveHeader:]); state&^xcr0 != 0 {
		return malformed("registers.xsave", "XSTATE_BV is %#x, which is more than XCR0, %#x", state, xcr0)
	}
	if binary.LittleEndian.Uint64(x[xsaveHeader+8:]) != 0 {
		return malformed("registers.xsave", "XCOMP_BV is not zero")
	}
	used := append([]Component{{Offset: 0, Size: xsaveMask}, {Offset: xsaveMaskEnd, Size: xsaveUnused - xsaveMaskEnd}, {Offset: xsaveHeader, Size: 16}}, c.CPU.XSave...)
	end := uint32(0)
	for _, u := range append(used, Component{Offset: uint32(len(x))}) { //nolint:gosec // G115: the size of kvm.XSave
		if slices.ContainsFunc(x[end:u.Offset], func(b byte) bool { return b != 0 }) {
			return malformed("registers.xsave", "bytes between %d and %d, where nothing is, are not zero", end, u.Offset)
		}
		end = u.Offset + u.Size
	}
	return nil
}

// checkComponents demands a place for each component that has no fixed one, one
// behind the other.
func (c *CPU) checkComponents(xcr0 uint64) error {
	if want := bits.OnesCount64(xcr0 >> fixedComponents); len(c.XSave) != want {
		return malformed("cpu.xsave", "there are %d components, XCR0 has %d", len(c.XSave), want)
	}
	end, last := uint32(xsaveRest), uint32(fixedComponents-1)
	for _, p := range c.XSave {
		switch most := uint32(len(kvm.XSave{})); {
		case p.Number <= last || p.Number > 63 || xcr0>>p.Number&1 == 0:
			return malformed("cpu.xsave", "component %d is not one of XCR0, or out of order", p.Number)
		case p.Offset < end || p.Offset > most || p.Size == 0 || p.Size > most-p.Offset:
			return malformed("cpu.xsave", "component %d, %d bytes at %d, overlaps another or the end", p.Number, p.Size, p.Offset)
		}
		end, last = p.Offset+p.Size, p.Number
	}
	return nil
}
