package kvm

import (
	"errors"
	"sync"
	"unsafe"

	"github.com/airlockvm/airlock/internal/leak"
)

// VM is one virtual machine.
type VM struct {
	sys      *System
	fd       int
	resource *leak.Resource

	closeOnce sync.Once
	closeErr  error
}

// Close gives the machine up. The kernel destroys it when its CPUs are closed
// too.
func (v *VM) Close() error {
	v.closeOnce.Do(func() {
		v.closeErr = closeFD(v.fd)
		v.resource.Close()
	})
	return v.closeErr
}

// SetMemoryRegion adds, moves, changes or, with Size 0, deletes a memory slot.
func (v *VM) SetMemoryRegion(r *MemoryRegion) error {
	if _, err := ioctlPtr(v.fd, reqSetUserMemoryRegion, unsafe.Pointer(r)); err != nil {
		return &Error{"KVM_SET_USER_MEMORY_REGION", err}
	}
	return nil
}

// SetTSSAddr names three pages of guest-physical space, below 4 GiB and in no
// memory slot. "This ioctl is required on Intel-based hosts": KVM uses them on
// processors that can't run real mode natively.
func (v *VM) SetTSSAddr(gpa uint32) error {
	if _, err := ioctl(v.fd, reqSetTSSAddr, uintptr(gpa)); err != nil {
		return &Error{"KVM_SET_TSS_ADDR", err}
	}
	return nil
}

// DenyMSRs makes every RDMSR and WRMSR of the guest a general protection fault.
// It holds only while KVM_CAP_X86_USER_SPACE_MSR is not enabled, which would
// report them to the host instead. What the host sets is not affected.
func (v *VM) DenyMSRs() error {
	// "Calling this ioctl with an empty set of ranges (all nmsrs == 0) disables MSR
	// filtering. In that mode, KVM_MSR_FILTER_DEFAULT_DENY is invalid": so there is
	// one range, of a single register that the bitmap denies like all others.
	var bitmap uint8
	f := msrFilter{flags: msrFilterDefaultDeny}
	f.ranges[0] = msrFilterRange{flags: msrFilterRead | msrFilterWrite, count: 1, bitmap: &bitmap}
	if _, err := ioctlPtr(v.fd, reqX86SetMSRFilter, unsafe.Pointer(&f)); err != nil {
		return &Error{"KVM_X86_SET_MSR_FILTER", err}
	}
	return nil
}

// CreateVCPU makes a virtual CPU and maps its run page.
func (v *VM) CreateVCPU(id int) (*VCPU, error) {
	fd, err := ioctl(v.fd, reqCreateVCPU, uintptr(id))
	if err != nil {
		return nil, &Error{"KVM_CREATE_VCPU", err}
	}
	page, err := mapShared(fd, v.sys.runSize)
	if err != nil {
		_ = closeFD(fd)
		return nil, &Error{"mmap of a virtual CPU", err}
	}
	return &VCPU{
		sys:  v.sys,
		fd:   fd,
		page: page,
		// Safety: the kernel's mapping is at least a page, is aligned to one, and lives
		// until Close, after which the caller must not use the VCPU.
		run:      (*runPage)(unsafe.Pointer(unsafe.SliceData(page))),
		resource: leak.Open("virtual CPU"),
	}, nil
}

// KeepTripleFaults makes a triple fault that a run has been kept from reporting a part
// of VCPUEvents. Without it, nothing but the next run can take it away. It reports
// false where KVM doesn't know that, which is before Linux 6.0.
func (v *VM) KeepTripleFaults() (bool, error) {
	c := enableCap{capability: uint32(CapTripleFaultEvent), args: [4]uint64{1}}
	switch _, err := ioctlPtr(v.fd, reqEnableCap, unsafe.Pointer(&c)); {
	case err == nil:
		return true, nil
	case errors.Is(err, errInvalid):
		return false, nil
	default:
		return false, &Error{"KVM_ENABLE_CAP", err}
	}
}
