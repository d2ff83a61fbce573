package airlock_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestConfinedRefused: what can't be had is an error of New.
func TestConfinedRefused(t *testing.T) {
	t.Parallel()
	argument := func(index int) airlock.Syscalls {
		return airlock.Syscalls{Rules: []airlock.SyscallRule{{Name: "write", Args: []airlock.SyscallArg{{Index: index, Op: airlock.ArgEqual}}}}}
	}
	guest := buildGuest(t, "callguest")
	for what, allow := range map[string]airlock.Syscalls{
		"name":                            {Names: []string{"frobnicate"}},
		"descriptor":                      {WriteTo: []int{-1}},
		"descriptors that no int32 holds": {WriteTo: []int{1, 1 << 31}},
		"family":                          {Sockets: []int{-1}},
		"families that no int32 holds":    {Sockets: []int{syscall.AF_UNIX, 1<<32 | syscall.AF_INET}},
		"argument 6":                      argument(6),
		// What is one modulo 256:
		"argument 256":  argument(256),
		"argument -256": argument(-256),
		"comparison":    {Rules: []airlock.SyscallRule{{Name: "write", Args: []airlock.SyscallArg{{}}}}},
		"kill":          {Kill: true},
	} {
		funcs := airlock.HostFuncs{"F": airlock.Func(func() {}).Confined(allow)}
		sb, err := airlock.New(t.Context(), guest, airlock.Options{HostFuncs: funcs})
		if !errors.Is(err, airlock.ErrOptions) || !strings.Contains(fmt.Sprint(err), `"F"`) {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			_ = sb.Close()
		}
	}
}

// TestConfinedNowhere: where no thread or worker can be had any more, the function runs
// nowhere, the caller is told why, the guest is not, and the sandbox stays usable. Not
// parallel: nobody gets a descriptor meanwhile.
func TestConfinedNowhere(t *testing.T) {
	ran := false
	sb, told := tellingSandbox(t, airlock.Func(func() { ran = true }).Confined(airlock.Syscalls{Names: []string{"getpgid"}})) // a thread of its own
	alone := isolatedSandbox(t, isolated)
	ready(t, sb)
	ready(t, alone)
	enough := noDescriptors(t)
	_, err := sb.Call(t.Context(), "HostPanicTold")
	_, err2 := alone.Call(t.Context(), "HostString", "x")
	enough()
	if !errors.Is(err, airlock.ErrNoSeccomp) || ran || !strings.Contains(err.Error(), `"Panics"`) || *told != toldFailed {
		t.Errorf("without a thread: %v; the function ran: %t; the guest was told %q", err, ran, *told)
	}
	if w, ok := errors.AsType[*airlock.WorkerError](err2); !ok || w.Function != "EchoString" || w.Err == nil {
		t.Errorf("without a worker: %v", err2)
	}
	if _, err := sb.Call(t.Context(), "HostPanicTold"); err != nil || !ran {
		t.Errorf("with descriptors again: %v", err)
	}
	if _, err := alone.Call(t.Context(), "HostString", "x"); err != nil {
		t.Errorf("with descriptors again: %v", err)
	}
}

// toldFailed is all that a guest is told of a function that was kept from something.
const toldFailed = "host function: failed: the host function failed"

// tellingSandbox has a function Panics, and what the guest is told of its end.
func tellingSandbox(t *testing.T, panics airlock.HostFunc) (sb *airlock.Sandbox, told *string) {
	t.Helper()
	told = new(string)
	funcs := hosts()
	funcs["Panics"] = panics
	funcs["EchoString"] = airlock.Func(func(text string) string { *told = text; return text })
	return newSandbox(t, "callguest", airlock.Options{HostFuncs: funcs}), told
}

// TestConfinedTold: whatever a function returns that was kept from something, or that has
// ended its worker, the guest is told that it failed, and no more.
func TestConfinedTold(t *testing.T) {
	t.Parallel()
	const panicked = "host function: panicked: the host function panicked"
	for name, test := range map[string]struct {
		f    airlock.HostFunc
		told string
	}{
		"refused":              {airlock.Func(func() { _ = getuid() }).Confined(airlock.Syscalls{}), toldFailed},
		"refused, and visible": {airlock.Func(func() error { return airlock.Visible(getuid()) }).Confined(airlock.Syscalls{}), toldFailed},
		"refused, and panics":  {airlock.Func(func() { _ = getuid(); panic("secret") }).Confined(airlock.Syscalls{}), toldFailed},
		"panics":               {airlock.Func(func() { panic("secret") }).Confined(airlock.Syscalls{}), panicked},
		"refused in a worker":  {isolatedTold["refused"].HostFuncs()["Panics"], toldFailed},
		"a worker that ends":   {isolatedTold["ends"].HostFuncs()["Panics"], toldFailed},
		"a panic in a worker":  {isolatedTold["panics"].HostFuncs()["Panics"], panicked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb, told := tellingSandbox(t, test.f)
			for range 2 {
				*told = ""
				if _, err := sb.Call(t.Context(), "HostPanicTold"); err == nil || *told != test.told {
					t.Errorf("%v; the guest was told %q", err, *told)
				}
			}
			ready(t, sb)
		})
	}
}

// isolatedTold is what TestConfinedTold and TestIsolatedKeeps have run in workers.
var isolatedTold = map[string]*airlock.Isolated{
	"refused": airlock.Isolate("refused", airlock.HostFuncs{"Panics": airlock.Func(func() { _ = getuid() })}, airlock.Syscalls{}),
	"ends":    airlock.Isolate("ends", airlock.HostFuncs{"Panics": airlock.Func(func() { os.Exit(0) })}, airlock.Syscalls{}),
	"panics":  airlock.Isolate("panics", airlock.HostFuncs{"Panics": airlock.Func(func() { panic("secret of the worker") })}, airlock.Syscalls{}),
	"keeps":   airlock.Isolate("keeps", airlock.HostFuncs{"EchoBytes": airlock.Func(keep)}, airlock.Syscalls{}),
}

// keep returns what it is given, or what it was given that was to be kept.
func keep(b []byte) []byte {
	switch {
	case string(b) == "give back":
		return kept
	case strings.HasPrefix(string(b), "keep "):
		kept = b
	}
	return b
}

var kept []byte

// TestIsolatedKeeps: what a function is given in a worker is its own.
func TestIsolatedKeeps(t *testing.T) {
	t.Parallel()
	sb := isolatedSandbox(t, isolatedTold["keeps"])
	for _, data := range []string{"keep this", "not this!", "give back"} {
		got, err := airlock.Call[[]byte](t.Context(), sb, "HostBytes", []byte(data))
		if err != nil || data == "give back" && string(got) != "keep this" {
			t.Errorf("%s: %q, %v", data, got, err)
		}
	}
}

// noDescriptors makes the process get no more descriptors until the function that it
// returns is called.
func noDescriptors(t *testing.T) (enough func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	free, err := syscall.Dup(0)
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Close(free)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(free), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	}
}
