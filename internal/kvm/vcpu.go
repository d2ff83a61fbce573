package kvm

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/airlockvm/airlock/internal/leak"
)

// VCPU is one virtual CPU. Except for RequestExit, its methods are for one
// goroutine at a time, and none may be called after Close.
type VCPU struct {
	sys      *System
	fd       int
	page     []byte
	run      *runPage
	resource *leak.Resource

	closeOnce sync.Once
	closeErr  error
}

// Close gives the CPU up.
func (c *VCPU) Close() error {
	c.closeOnce.Do(func() {
		c.closeErr = errors.Join(unmap(c.page), closeFD(c.fd))
		c.run = nil
		c.resource.Close()
	})
	return c.closeErr
}

// GetRegs reads the general registers.
func (c *VCPU) GetRegs(r *Regs) error {
	return c.ioctl("KVM_GET_REGS", reqGetRegs, unsafe.Pointer(r))
}

// SetRegs writes the general registers.
func (c *VCPU) SetRegs(r *Regs) error {
	return c.ioctl("KVM_SET_REGS", reqSetRegs, unsafe.Pointer(r))
}

// GetSregs reads the special registers.
func (c *VCPU) GetSregs(r *Sregs) error {
	return c.ioctl("KVM_GET_SREGS", reqGetSregs, unsafe.Pointer(r))
}

// SetSregs writes the special registers.
func (c *VCPU) SetSregs(r *Sregs) error {
	return c.ioctl("KVM_SET_SREGS", reqSetSregs, unsafe.Pointer(r))
}

// GetXSave reads the extended state.
func (c *VCPU) GetXSave(x *XSave) error {
	return c.ioctl("KVM_GET_XSAVE", reqGetXSave, unsafe.Pointer(x))
}

// SetXSave writes the extended state.
func (c *VCPU) SetXSave(x *XSave) error {
	return c.ioctl("KVM_SET_XSAVE", reqSetXSave, unsafe.Pointer(x))
}

// GetDebugRegs reads the debug registers.
func (c *VCPU) GetDebugRegs(d *DebugRegs) error {
	return c.ioctl("KVM_GET_DEBUGREGS", reqGetDebugRegs, unsafe.Pointer(d))
}

// SetDebugRegs writes the debug registers.
func (c *VCPU) SetDebugRegs(d *DebugRegs) error {
	return c.ioctl("KVM_SET_DEBUGREGS", reqSetDebugRegs, unsafe.Pointer(d))
}

// GetEvents reads the pending exceptions and interrupts.
func (c *VCPU) GetEvents(e *VCPUEvents) error {
	return c.ioctl("KVM_GET_VCPU_EVENTS", reqGetVCPUEvents, unsafe.Pointer(e))
}

// SetEvents writes the pending exceptions and interrupts.
func (c *VCPU) SetEvents(e *VCPUEvents) error {
	return c.ioctl("KVM_SET_VCPU_EVENTS", reqSetVCPUEvents, unsafe.Pointer(e))
}

// SetCPUID sets what CPUID answers in the guest.
func (c *VCPU) SetCPUID(t *CPUIDTable) error {
	return c.ioctl("KVM_SET_CPUID2", reqSetCPUID2, unsafe.Pointer(t))
}

// XCR0 reads the extended control register 0.
func (c *VCPU) XCR0() (uint64, error) {
	var x xcrs
	if err := c.ioctl("KVM_GET_XCRS", reqGetXCRS, unsafe.Pointer(&x)); err != nil {
		return 0, err
	}
	for i := range min(x.count, uint32(len(x.xcrs))) {
		if x.xcrs[i].xcr == 0 {
			return x.xcrs[i].value, nil
		}
	}
	return 0, &Error{"KVM_GET_XCRS", errors.New("there is no XCR0")}
}

// SetXCR0 writes the extended control register 0: which parts of the extended
// state the guest may use.
func (c *VCPU) SetXCR0(value uint64) error {
	x := xcrs{count: 1}
	x.xcrs[0].value = value
	return c.ioctl("KVM_SET_XCRS", reqSetXCRS, unsafe.Pointer(&x))
}

// SetMSRs writes at most MaxMSRs model-specific registers.
func (c *VCPU) SetMSRs(list []MSR) error {
	_, err := c.msrs("KVM_SET_MSRS", reqSetMSRs, list)
	return err
}

// GetMSRs reads the registers whose numbers are in the list into it.
func (c *VCPU) GetMSRs(list []MSR) error {
	m, err := c.msrs("KVM_GET_MSRS", reqGetMSRs, list)
	if err != nil {
		return err
	}
	copy(list, m.entries[:])
	return nil
}

func (c *VCPU) msrs(op string, request uintptr, list []MSR) (*msrs, error) {
	if len(list) > MaxMSRs {
		return nil, &Error{op, errors.New("too many registers")}
	}
	m := msrs{count: uint32(len(list))} //nolint:gosec // G115: at most MaxMSRs
	copy(m.entries[:], list)
	n, err := ioctlPtr(c.fd, request, unsafe.Pointer(&m))
	if err != nil {
		return nil, &Error{op, err}
	}
	// The kernel stops without an error at the first register it refuses.
	if n < len(list) {
		return nil, &Error{op, fmt.Errorf("the kernel refuses register %#x", list[n].Index)}
	}
	return &m, nil
}

// TSCKHz returns the frequency of the guest's time stamp counter. It is the same
// for all virtual CPUs, since this package has no way to change it, and hence
// asked for once.
func (c *VCPU) TSCKHz() (uint64, error) {
	if khz := c.sys.tscKHz.Load(); khz != 0 {
		return khz, nil
	}
	n, err := ioctl(c.fd, reqGetTSCKHz, 0)
	if err != nil {
		return 0, &Error{"KVM_GET_TSC_KHZ", err}
	}
	khz := uint64(n) //nolint:gosec // G115: not negative without an error
	c.sys.tscKHz.Store(khz)
	return khz, nil
}

// SetTSCOffset sets what is added to the host's time stamp counter to make the
// guest's. KVM's default starts the guest's at about 0.
func (c *VCPU) SetTSCOffset(offset uint64) error {
	a := deviceAttr{group: attrGroupTSC, attr: attrTSCOffset, addr: &offset}
	return c.ioctl("KVM_SET_DEVICE_ATTR", reqSetDeviceAttr, unsafe.Pointer(&a))
}

// TSCOffset returns what is added to the host's time stamp counter to make the
// guest's.
func (c *VCPU) TSCOffset() (uint64, error) {
	var offset uint64
	a := deviceAttr{group: attrGroupTSC, attr: attrTSCOffset, addr: &offset}
	err := c.ioctl("KVM_GET_DEVICE_ATTR", reqGetDeviceAttr, unsafe.Pointer(&a))
	return offset, err
}

func (c *VCPU) ioctl(op string, request uintptr, arg unsafe.Pointer) error {
	if _, err := ioctlPtr(c.fd, request, arg); err != nil {
		return &Error{op, err}
	}
	return nil
}
