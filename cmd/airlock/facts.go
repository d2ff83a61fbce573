package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"runtime"
	"slices"
	"strings"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/cpuid"
)

// facts are what the doctor knows of a machine before it runs a guest.
type facts struct {
	platform  string // such as "linux/amd64"
	host      kvm.Host
	device    deviceFacts
	container bool
	user      string

	cpuErr     error
	cpuMissing []string // what a guest can't do without
	cpuHas     []string // what is good to have
	cpuLacks   []string
}

// deviceFacts describe /dev/kvm.
type deviceFacts struct {
	err    error // of looking at it
	mode   fs.FileMode
	group  string // its group's name, or its number if it has none, or empty
	named  bool   // the group has a name
	member bool   // the user is in that group, if perhaps not yet this process
}

// platformNeeded is where sandboxes run.
const platformNeeded = "linux/amd64"

func gatherFacts() facts {
	f := facts{
		platform:  runtime.GOOS + "/" + runtime.GOARCH,
		host:      kvm.Probe(kvm.DefaultDevice),
		container: inContainer(),
		user:      "you",
	}
	if u, err := user.Current(); err == nil {
		f.user = u.Username
	}
	f.device = lookAtDevice(kvm.DefaultDevice, f.user)
	if f.host.Err == nil {
		f.gatherCPU()
	}
	return f
}

func lookAtDevice(path, username string) deviceFacts {
	info, err := os.Stat(path)
	if err != nil {
		return deviceFacts{err: err}
	}
	d := deviceFacts{mode: info.Mode()}
	gid, ok := groupID(info)
	if !ok {
		return d
	}
	d.group = gid
	if g, err := user.LookupGroupId(gid); err == nil {
		d.group, d.named = g.Name, true
	}
	if u, err := user.Lookup(username); err == nil {
		groups, _ := u.GroupIds() // none is an answer too
		d.member = slices.Contains(groups, gid)
	}
	return d
}

// inContainer looks for what container engines leave behind.
func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return os.Getenv("container") != ""
}

// cpuFeatures are the bits of CPUID that the doctor reports beside those that
// cpuid.Missing knows.
var cpuFeatures = []struct {
	name            string
	function, index uint32
	register        func(kvm.CPUIDEntry) uint32
	bit             int
	required        bool
}{
	{"NX", 0x80000001, 0, edx, 20, true},
	{"SSE4.2", 1, 0, ecx, 20, false},
	{"AVX", 1, 0, ecx, 28, false},
	{"AVX2", 7, 0, ebx, 5, false},
	{"AVX-512", 7, 0, ebx, 16, false},
	{"RDRAND", 1, 0, ecx, 30, false},
	{"invariant TSC", 0x80000007, 0, edx, 8, false},
}

func ebx(e kvm.CPUIDEntry) uint32 { return e.EBX }
func ecx(e kvm.CPUIDEntry) uint32 { return e.ECX }
func edx(e kvm.CPUIDEntry) uint32 { return e.EDX }

func (f *facts) gatherCPU() {
	supported, err := supportedCPUID()
	if err != nil {
		f.cpuErr = err
		return
	}
	f.cpuMissing = cpuid.Missing(supported)
	table := kvm.NewCPUIDTable(supported)
	for _, c := range cpuFeatures {
		leaf, _ := table.Find(c.function, c.index) // one that isn't there reads as zero
		switch {
		case c.register(leaf)>>c.bit&1 != 0:
			f.cpuHas = append(f.cpuHas, c.name)
		case c.required:
			f.cpuMissing = append(f.cpuMissing, c.name)
		default:
			f.cpuLacks = append(f.cpuLacks, c.name)
		}
	}
}

// supportedCPUID returns what there is for guests of this host.
func supportedCPUID() ([]kvm.CPUIDEntry, error) {
	sys, err := kvm.Open(kvm.DefaultDevice)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sys.Close() }() // it was only asked
	supported, err := sys.SupportedCPUID()
	if err == nil && sys.Flavour() == kvm.FlavourPVM {
		supported = cpuid.Native(supported, kvm.HostCPUID)
	}
	return supported, err
}

// check draws the conclusions.
func (f *facts) check() []check {
	if f.platform != platformNeeded {
		return []check{{
			"platform", statusFail, "this is " + f.platform + ", sandboxes need " + platformNeeded,
			"use a Linux machine with an x86-64 processor",
		}}
	}
	checks := []check{f.checkKernel(), f.checkVirtualisation(), f.checkDevice()}
	if f.device.err != nil {
		return checks
	}
	checks = append(checks, f.checkPermission())
	if errors.Is(f.host.Err, fs.ErrPermission) {
		return checks
	}
	checks = append(checks, f.checkKVM())
	if f.host.Err != nil {
		return checks
	}
	return append(checks, f.checkCapabilities(), f.checkCPU())
}

func (f *facts) checkKernel() check {
	c := check{"kernel", statusOK, "Linux " + f.host.Release, ""}
	if f.host.Release == "" {
		c.Status, c.Detail = statusWarn, "the kernel does not tell its version"
	}
	return c
}

func (f *facts) checkVirtualisation() check {
	c := check{Name: "virtualisation", Status: statusOK}
	where := "this machine is no virtual machine"
	if f.host.Nested {
		where = "this machine is itself a virtual machine"
	}
	switch {
	case f.host.Flavour == kvm.FlavourPVM:
		c.Detail = "PVM, in software; " + where
	case f.host.Hardware && f.host.Flavour != kvm.FlavourUnknown:
		c.Detail = fmt.Sprintf("%s, in hardware; %s", f.host.Flavour, where)
	case f.host.Hardware:
		c.Detail = "the processor has it; " + where
	default:
		c.Status, c.Detail = statusWarn, "the processor shows neither VMX nor SVM; "+where
	}
	return c
}

func (f *facts) checkDevice() check {
	c := check{"device", statusOK, kvm.DefaultDevice + " exists", ""}
	if f.device.err == nil {
		return c
	}
	c.Status = statusFail
	if !errors.Is(f.device.err, fs.ErrNotExist) {
		c.Detail = f.device.err.Error()
		return c
	}
	c.Detail = kvm.DefaultDevice + " does not exist"
	switch {
	case f.container:
		c.Cure = "start the container with --device " + kvm.DefaultDevice
	case f.host.Hardware:
		c.Cure = "sudo modprobe kvm_intel (on AMD: kvm_amd); if that fails, enable virtualisation in the firmware (BIOS)"
	case f.host.Nested:
		c.Cure = "switch on nested virtualisation for this virtual machine, or choose a kind of machine that has it"
	default:
		c.Cure = "enable virtualisation (VT-x, AMD-V or SVM) in the firmware (BIOS)"
	}
	return c
}

func (f *facts) checkPermission() check {
	c := check{"permission", statusOK, f.user + " may use " + kvm.DefaultDevice, ""}
	if !errors.Is(f.host.Err, fs.ErrPermission) {
		return c
	}
	d := f.device
	c.Status = statusFail
	c.Detail = fmt.Sprintf("%s may not use %s (%v, group %q)", f.user, kvm.DefaultDevice, d.mode, d.group)
	const groupAccess = 0o060
	switch {
	case d.mode.Perm()&groupAccess == groupAccess && f.container:
		c.Cure = "start the container with --group-add " + d.group + " (a group of the host)"
	case d.mode.Perm()&groupAccess != groupAccess, !d.named, d.group == "root":
		c.Cure = "sudo setfacl -m u:" + f.user + ":rw " + kvm.DefaultDevice
	case d.member:
		c.Cure = "log out and in again: " + f.user + " is in the group " + d.group + ", this session is not yet"
	default:
		c.Cure = "sudo usermod -aG " + d.group + " " + f.user + ", then log out and in again"
	}
	return c
}

func (f *facts) checkKVM() check {
	if f.host.Err != nil {
		return check{"kvm", statusFail, f.host.Err.Error(), "use a newer kernel: 5.16 or later"}
	}
	return check{"kvm", statusOK, fmt.Sprintf("API version %d", kvm.APIVersion), ""}
}

func (f *facts) checkCapabilities() check {
	c := check{Name: "capabilities", Status: statusOK}
	required := 0
	var missing, without []string
	for _, h := range f.host.Capabilities {
		switch {
		case h.Required && h.Value != 0:
			required++
		case h.Required:
			missing = append(missing, h.Capability.String())
		case h.Value == 0:
			without = append(without, h.Capability.String())
		}
	}
	if len(missing) > 0 {
		c.Status, c.Detail = statusFail, "KVM lacks "+strings.Join(missing, ", ")
		c.Cure = "use a newer kernel: 5.16 or later"
		return c
	}
	c.Detail = fmt.Sprintf("all %d that are needed", required)
	if len(without) > 0 {
		c.Detail += "; without " + strings.Join(without, ", ")
	}
	return c
}

func (f *facts) checkCPU() check {
	c := check{Name: "processor", Status: statusOK}
	switch {
	case f.cpuErr != nil:
		c.Status, c.Detail = statusFail, f.cpuErr.Error()
	case len(f.cpuMissing) > 0:
		c.Status = statusFail
		c.Detail = "guests would lack " + strings.Join(f.cpuMissing, ", ")
		c.Cure = "use a processor of 2013 or later; in a virtual machine, pass the host's processor on (QEMU: -cpu host)"
	default:
		c.Detail = "guests have all that they need, and " + strings.Join(f.cpuHas, ", ")
		if len(f.cpuLacks) > 0 {
			c.Detail += "; not " + strings.Join(f.cpuLacks, ", ")
		}
	}
	return c
}
