package kvm

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestDetectFlavour(t *testing.T) {
	for _, test := range []struct {
		modules []string
		want    Flavour
	}{
		{nil, FlavourUnknown},
		{[]string{"kvm"}, FlavourUnknown},
		{[]string{"kvm", "kvm_intel"}, FlavourVMX},
		{[]string{"kvm", "kvm_amd"}, FlavourSVM},
		{[]string{"kvm", "kvm_pvm"}, FlavourPVM},
		{[]string{"kvm", "kvm_intel", "kvm_pvm"}, FlavourPVM},
	} {
		root := make(fstest.MapFS)
		for _, m := range test.modules {
			root["sys/module/"+m+"/refcnt"] = &fstest.MapFile{}
		}
		if got := detectFlavour(root); got != test.want {
			t.Errorf("%v: %v, want %v", test.modules, got, test.want)
		}
	}
}

func TestDetectNestedPaging(t *testing.T) {
	for _, test := range []struct {
		module, parameter, text string
		want                    bool
	}{
		{"kvm_intel", "ept", "Y\n", true},
		{"kvm_intel", "ept", "N\n", false},
		{"kvm_amd", "npt", "Y\n", true},
		{"kvm_amd", "npt", "1\n", true},
		{"kvm_amd", "npt", "0\n", false},
		{"kvm_amd", "npt", "", false},
		{"kvm_amd", "other", "Y\n", false},
		{"kvm_pvm", "npt", "Y\n", false},
	} {
		root := fstest.MapFS{"sys/module/" + test.module + "/parameters/" + test.parameter: {Data: []byte(test.text)}}
		if got := detectNestedPaging(root); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
		root["sys/module/kvm_pvm/refcnt"] = &fstest.MapFile{}
		if detectNestedPaging(root) {
			t.Errorf("%+v beside kvm_pvm", test)
		}
	}
	if detectNestedPaging(fstest.MapFS{}) {
		t.Error("nested paging of nothing")
	}
}

func TestCPUFlags(t *testing.T) {
	cpuinfo := func(text string) fs.FS { return fstest.MapFS{"proc/cpuinfo": {Data: []byte(text)}} }
	for _, test := range []struct {
		root fs.FS
		want []string
	}{
		{fstest.MapFS{}, nil},
		{cpuinfo(""), nil},
		{cpuinfo("processor\t: 0\n\nvmx flags\t: ept\nflags\t\t: fpu svm hypervisor\nprocessor\t: 1\nflags : other\n"), []string{"fpu", "svm", "hypervisor"}},
		{cpuinfo("flags\t\t:\n"), []string{}},
	} {
		if got := cpuFlags(test.root); !slices.Equal(got, test.want) {
			t.Errorf("cpuFlags() = %q, want %q", got, test.want)
		}
	}
}

func TestVersion(t *testing.T) {
	for release, want := range map[string]Version{
		"6.18.44-fc-v595":         {6, 18},
		"5.15.0-91-generic":       {5, 15},
		"6.1.0":                   {6, 1},
		"10.0-rc1":                {10, 0},
		"6.12.3-arch1-1 #1 SMP":   {6, 12},
		"6.6.87.2-microsoft-WSL2": {6, 6},
	} {
		if got, err := parseVersion(release); err != nil || got != want {
			t.Errorf("parseVersion(%q) = %v, %v", release, got, err)
		}
	}
	for _, release := range []string{"", "linux", "6", "x.y"} {
		if got, err := parseVersion(release); err == nil {
			t.Errorf("parseVersion(%q) = %v", release, got)
		}
	}
	v := Version{6, 13}
	if !v.AtLeast(6, 13) || !v.AtLeast(5, 20) || v.AtLeast(6, 14) || v.AtLeast(7, 0) || !(Version{7, 0}).AtLeast(6, 13) {
		t.Error("AtLeast")
	}
	if v.String() != "6.13" {
		t.Errorf("String() = %q", v)
	}
}

func TestOpenErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string // the cure
	}{
		{errPermission, "the group that owns it"},
		{errNoEntry, "load the module"},
		{errWrongSystem, "load the module"},
		{errInterrupted, "can't open"},
	} {
		err := openError("/dev/kvm", test.err)
		if !errors.Is(err, ErrNotAvailable) || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.err, err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{
		ExitReason(2).String(), ExitReason(4711).String(), Capability(3).String(), Capability(4711).String(),
		FlavourVMX.String(), FlavourSVM.String(), FlavourPVM.String(), FlavourUnknown.String(),
	} {
		if name == "" {
			t.Error("an empty name")
		}
	}
	if got := ExitReason(4711).String(); got != "KVM_EXIT_4711" {
		t.Error(got)
	}
	for _, list := range [][]Capability{requiredCapabilities, optionalCapabilities} {
		for _, c := range list {
			if _, ok := capabilityNames[c]; !ok {
				t.Errorf("capability %d has no name", c)
			}
		}
	}
}
