package kvm

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Flavour is an implementation of KVM.
type Flavour int

// The flavours.
const (
	FlavourUnknown Flavour = iota
	FlavourVMX             // Intel VT-x
	FlavourSVM             // AMD-V
	FlavourPVM             // no hardware virtualisation: a cloud host without nested virtualisation
)

// String names the flavour.
func (f Flavour) String() string {
	switch f {
	case FlavourVMX:
		return "VMX"
	case FlavourSVM:
		return "SVM"
	case FlavourPVM:
		return "PVM"
	case FlavourUnknown:
	}
	return "unknown"
}

// hostFiles is the file system that describes the host.
func hostFiles() fs.FS { return os.DirFS("/") }

// detectFlavour looks which of the modules is there; a module that is built
// into the kernel is listed as well.
func detectFlavour(root fs.FS) Flavour {
	for _, m := range []struct {
		name    string
		flavour Flavour
	}{
		{"kvm_pvm", FlavourPVM}, // first: it may stand beside an unusable other one
		{"kvm_intel", FlavourVMX},
		{"kvm_amd", FlavourSVM},
	} {
		if _, err := fs.Stat(root, "sys/module/"+m.name); err == nil {
			return m.flavour
		}
	}
	return FlavourUnknown
}

// detectNestedPaging reports whether KVM lets the processor walk the guest's page
// tables, and so keeps no copy of them. Where that can't be told it reports false.
func detectNestedPaging(root fs.FS) bool {
	var file string
	switch detectFlavour(root) {
	case FlavourVMX:
		file = "sys/module/kvm_intel/parameters/ept"
	case FlavourSVM:
		file = "sys/module/kvm_amd/parameters/npt"
	case FlavourPVM, FlavourUnknown:
		return false
	}
	text, err := fs.ReadFile(root, file)
	return err == nil && slices.Contains([]string{"Y", "1"}, strings.TrimSpace(string(text)))
}

// cpuFlags returns the flags of the first processor in /proc/cpuinfo.
func cpuFlags(root fs.FS) []string {
	f, err := root.Open("proc/cpuinfo")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "flags" {
			return strings.Fields(value)
		}
	}
	return nil
}

// Version is the version of a kernel.
type Version struct{ Major, Minor int }

// String returns the version as in "6.13".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is the given version or later.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// parseVersion reads what uname calls the release, as in "6.12.3-arch1-1".
func parseVersion(release string) (Version, error) {
	var v Version
	if _, err := fmt.Sscanf(release, "%d.%d", &v.Major, &v.Minor); err != nil {
		return Version{}, fmt.Errorf("kvm: kernel release %q: %w", release, err)
	}
	return v, nil
}

func hostKernelVersion() (Version, error) {
	release, err := kernelRelease()
	if err != nil {
		return Version{}, err
	}
	return parseVersion(release)
}

// Host describes what this machine has for running virtual machines, for a
// person who wants to know why it does or doesn't.
type Host struct {
	Release string // of the kernel
	Flavour Flavour
	// Hardware reports whether the processor shows VMX or SVM.
	Hardware bool
	// Nested reports whether this host is itself a virtual machine.
	Nested bool
	// Err is what opening the device gave: nil, or ErrNotAvailable with the reason.
	Err error
	// Capabilities are what the device offers; empty with an Err.
	Capabilities []HostCapability
}

// HostCapability is one capability of a host.
type HostCapability struct {
	Capability Capability
	Value      int // 0 when missing
	Required   bool
}

// Probe looks at this host. It changes nothing.
func Probe(device string) Host {
	var h Host
	root := hostFiles()
	h.Release, _ = kernelRelease() // empty says enough
	h.Flavour = detectFlavour(root)
	flags := cpuFlags(root)
	h.Hardware = slices.Contains(flags, "vmx") || slices.Contains(flags, "svm")
	h.Nested = slices.Contains(flags, "hypervisor")

	s, err := Open(device)
	if err != nil {
		h.Err = err
		return h
	}
	defer func() { _ = s.Close() }()
	for i, list := range [][]Capability{requiredCapabilities, optionalCapabilities} {
		for _, c := range list {
			n, err := s.CheckExtension(c)
			if err != nil {
				h.Err = err
				return h
			}
			h.Capabilities = append(h.Capabilities, HostCapability{c, n, i == 0})
		}
	}
	return h
}
