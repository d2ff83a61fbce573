package kvm

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/airlockvm/airlock/internal/leak"
)

// System is the open KVM device. Its methods may be called concurrently.
type System struct {
	fd       int
	runSize  int // bytes of a virtual CPU's run page, with its extensions
	flavour  Flavour
	version  Version
	nested   bool
	resource *leak.Resource

	tscKHz atomic.Uint64 // 0 when not asked for yet

	closeOnce sync.Once
	closeErr  error

	cpuidOnce sync.Once
	cpuid     *CPUIDTable
	cpuidErr  error
}

// Open opens the device, as a rule DefaultDevice, and checks that it is one.
// The error is ErrNotAvailable, with the reason.
func Open(path string) (*System, error) {
	fd, err := openDevice(path)
	if err != nil {
		return nil, openError(path, err)
	}
	s := &System{fd: fd, resource: leak.Open("KVM device")}
	if err := s.setup(path); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, errPermission):
		return notAvailable("no permission to open "+path+" (add the user to the group that owns it, mostly kvm, and log in again, "+
			"or start the container with --device "+DefaultDevice+")", err)
	case errors.Is(err, errNoEntry), errors.Is(err, errWrongSystem):
		return notAvailable(path+" does not exist (enable virtualisation in the firmware and load the module kvm_intel or kvm_amd; "+
			"in a container add --device "+DefaultDevice+"; in a cloud choose a machine with nested virtualisation)", err)
	}
	return notAvailable("can't open "+path, err)
}

func (s *System) setup(path string) error {
	version, err := ioctl(s.fd, reqGetAPIVersion, 0)
	if err != nil {
		return notAvailable(path+" is not a KVM device", &Error{"KVM_GET_API_VERSION", err})
	}
	if version != APIVersion {
		return notAvailable("KVM has API version "+strconv.Itoa(version)+" instead of "+strconv.Itoa(APIVersion), errWrongSystem)
	}
	if s.runSize, err = ioctl(s.fd, reqGetVCPUMmapSize, 0); err != nil {
		return &Error{"KVM_GET_VCPU_MMAP_SIZE", err}
	}
	for _, c := range requiredCapabilities {
		if n, err := s.CheckExtension(c); err != nil {
			return err
		} else if n == 0 {
			return notAvailable("it needs Linux 5.16 or later and a processor with XSAVE", fmt.Errorf("this KVM lacks %v", c))
		}
	}
	s.flavour = detectFlavour(hostFiles())
	s.nested = detectNestedPaging(hostFiles())
	s.version, err = hostKernelVersion()
	return err
}

// Close closes the device. Machines that exist live on.
func (s *System) Close() error {
	s.closeOnce.Do(func() {
		s.closeErr = closeFD(s.fd)
		s.resource.Close()
	})
	return s.closeErr
}

// Flavour returns which implementation of KVM this is.
func (s *System) Flavour() Flavour { return s.flavour }

// NestedPaging reports whether the processor walks the guest's page tables, so that
// KVM keeps no copy of them.
func (s *System) NestedPaging() bool { return s.nested }

// KernelVersion returns the version of the host's kernel.
func (s *System) KernelVersion() Version { return s.version }

// CheckExtension returns what KVM_CHECK_EXTENSION says about a capability: 0
// when it is missing.
func (s *System) CheckExtension(c Capability) (int, error) {
	n, err := ioctl(s.fd, reqCheckExtension, uintptr(c))
	if err != nil {
		return 0, &Error{"KVM_CHECK_EXTENSION", err}
	}
	return n, nil
}

// SupportedCPUID returns what CPUID may answer at most in a guest of this host.
func (s *System) SupportedCPUID() ([]CPUIDEntry, error) {
	t := &CPUIDTable{count: MaxCPUID}
	if _, err := ioctlPtr(s.fd, reqGetSupportedCPUID, unsafe.Pointer(t)); err != nil {
		return nil, &Error{"KVM_GET_SUPPORTED_CPUID", err}
	}
	return t.entries[:min(t.count, MaxCPUID)], nil
}

// GuestCPUID returns what filter makes of SupportedCPUID. Both are done at the
// first call only, because asking the kernel takes as long as making a machine:
// use the same filter always.
func (s *System) GuestCPUID(filter func([]CPUIDEntry) ([]CPUIDEntry, error)) (*CPUIDTable, error) {
	s.cpuidOnce.Do(func() {
		supported, err := s.SupportedCPUID()
		if err != nil {
			s.cpuidErr = err
			return
		}
		entries, err := filter(supported)
		if err != nil {
			s.cpuidErr = err
			return
		}
		s.cpuid = NewCPUIDTable(entries)
	})
	return s.cpuid, s.cpuidErr
}

// CreateVM makes a virtual machine without memory and CPUs.
func (s *System) CreateVM() (*VM, error) {
	fd, err := ioctl(s.fd, reqCreateVM, 0)
	if err != nil {
		return nil, &Error{"KVM_CREATE_VM", err}
	}
	return &VM{sys: s, fd: fd, resource: leak.Open("virtual machine")}, nil
}
