package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/kvm"
)

// healthy returns the facts of a machine that can run sandboxes.
func healthy() facts {
	return facts{
		platform: platformNeeded,
		user:     "ann",
		device:   deviceFacts{mode: fs.ModeDevice | fs.ModeCharDevice | 0o660, group: "kvm", named: true},
		host: kvm.Host{
			Release: "6.12.3", Flavour: kvm.FlavourSVM, Hardware: true,
			Capabilities: []kvm.HostCapability{
				{Capability: kvm.CapUserMemory, Value: 1, Required: true},
				{Capability: kvm.CapGuestMemfd},
			},
		},
		cpuHas: []string{"NX", "AVX"},
	}
}

var (
	errDenied = fmt.Errorf("%w: no permission: %w", kvm.ErrNotAvailable, os.ErrPermission)
	errAbsent = &fs.PathError{Op: "stat", Path: kvm.DefaultDevice, Err: fs.ErrNotExist}
)

func TestFacts(t *testing.T) {
	t.Parallel()
	absent := func(f *facts) {
		f.device, f.host.Err = deviceFacts{err: errAbsent}, kvm.ErrNotAvailable
		f.host.Flavour = kvm.FlavourUnknown
	}
	for _, test := range []struct {
		name   string
		change func(*facts)
		failed string // the check that fails, or none
		cure   string // part of it
	}{
		{"healthy", func(*facts) {}, "", ""},
		{"PVM", func(f *facts) { f.host.Flavour, f.host.Hardware = kvm.FlavourPVM, false }, "", ""},
		{"another system", func(f *facts) { f.platform = "darwin/arm64" }, "platform", "Linux"},
		{"module not loaded", absent, "device", "sudo modprobe kvm_intel"},
		{"container", func(f *facts) { absent(f); f.container = true }, "device", "--device /dev/kvm"},
		{"cloud", func(f *facts) { absent(f); f.host.Hardware, f.host.Nested = false, true }, "device", "nested virtualisation"},
		{"firmware", func(f *facts) { absent(f); f.host.Hardware = false }, "device", "firmware"},
		{
			"not in the group", func(f *facts) { f.host.Err = errDenied },
			"permission", "sudo usermod -aG kvm ann, then log out",
		},
		{
			"another group", func(f *facts) { f.host.Err, f.device.group = errDenied, "virt" },
			"permission", "sudo usermod -aG virt ann",
		},
		{
			"in the group since login", func(f *facts) { f.host.Err, f.device.member = errDenied, true },
			"permission", "log out and in again",
		},
		{
			"root's alone", func(f *facts) { f.host.Err, f.device.mode, f.device.group = errDenied, 0o600, "root" },
			"permission", "sudo setfacl -m u:ann:rw /dev/kvm",
		},
		{
			"permission in a container",
			func(f *facts) {
				f.host.Err, f.container, f.device.group, f.device.named = errDenied, true, "107", false
			},
			"permission", "--group-add 107",
		},
		{
			"a group without a name", func(f *facts) { f.host.Err, f.device.group, f.device.named = errDenied, "107", false },
			"permission", "sudo setfacl",
		},
		{
			"old kernel", func(f *facts) { f.host.Err = fmt.Errorf("%w: it lacks something", kvm.ErrNotAvailable) },
			"kvm", "newer kernel",
		},
		{
			"missing capability", func(f *facts) { f.host.Capabilities[0].Value = 0 },
			"capabilities", "newer kernel",
		},
		{"old processor", func(f *facts) { f.cpuMissing = []string{"FSGSBASE"} }, "processor", "-cpu host"},
		{"unknown processor", func(f *facts) { f.cpuErr = errors.New("no CPUID") }, "processor", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := healthy()
			test.change(&f)
			d := newDiagnosis(f.check())
			if ok := test.failed == ""; d.OK != ok || (d.err() == nil) != ok {
				t.Fatalf("diagnosis = %+v; want OK = %v", d, ok)
			}
			last := d.Checks[len(d.Checks)-1]
			if test.failed == "" {
				return
			}
			for _, c := range d.Checks {
				if c.Status == statusFail && (c.Name != test.failed || !strings.Contains(c.Cure, test.cure)) {
					t.Errorf("failed check = %+v; want %s with the cure %q", c, test.failed, test.cure)
				}
			}
			if !strings.HasSuffix(d.err().Error(), "see "+test.failed) {
				t.Errorf("err() = %q; want it to name %s (last check %+v)", d.err(), test.failed, last)
			}
		})
	}
}

func TestDiagnosisPrint(t *testing.T) {
	t.Parallel()
	f := healthy()
	f.host.Err = errDenied
	var b strings.Builder
	if err := newDiagnosis(f.check()).print(&b); err != nil {
		t.Fatal(err)
	}
	const want = `OK    kernel          Linux 6.12.3
OK    virtualisation  SVM, in hardware; this machine is no virtual machine
OK    device          /dev/kvm exists
FAIL  permission      ann may not use /dev/kvm (Dcrw-rw----, group "kvm")
                      cure: sudo usermod -aG kvm ann, then log out and in again
`
	if b.String() != want {
		t.Errorf("print:\n%s\nwant\n%s", b.String(), want)
	}
}
