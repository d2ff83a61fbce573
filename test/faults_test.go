package test

import (
	"errors"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestFaultDetails checks what a fault says beside its kind: what the program
// wanted to do, where, and in which function.
func TestFaultDetails(t *testing.T) {
	t.Parallel()
	const (
		sigILL  = 4
		sigTRAP = 5
		sigABRT = 6
		sigFPE  = 8
		sigSEGV = 11
	)
	for _, test := range []struct {
		guest  string
		want   airlock.GuestFault // RIP and Thread are not compared
		symbol string             // a prefix
		text   string             // part of the error's text
	}{
		{
			"hostile-null_read",
			airlock.GuestFault{Kind: airlock.FaultPage, Access: airlock.AccessRead, Signal: sigSEGV},
			"main+", "page fault: read of address 0x0 at 0x4",
		},
		{
			"hostile-null_write",
			airlock.GuestFault{Kind: airlock.FaultPage, Access: airlock.AccessWrite, Signal: sigSEGV},
			"main+", "page fault: write of address 0x0 at 0x4",
		},
		{
			"hostile-null_jump",
			airlock.GuestFault{Kind: airlock.FaultPage, Access: airlock.AccessExec, Signal: sigSEGV},
			"", "page fault: execute of address 0x0",
		},
		{
			"hostile-divide_by_zero",
			airlock.GuestFault{Kind: airlock.FaultDivide, Signal: sigFPE},
			"main+", "division by zero at 0x4",
		},
		{
			"hostile-ud2",
			airlock.GuestFault{Kind: airlock.FaultOpcode, Signal: sigILL},
			"main+", "invalid instruction at 0x4",
		},
		{
			"hostile-hlt",
			airlock.GuestFault{Kind: airlock.FaultProtection, Signal: sigSEGV},
			"main+", "general protection fault at 0x4",
		},
		{
			"hostile-int3",
			airlock.GuestFault{Kind: airlock.FaultBreakpoint, Signal: sigTRAP},
			"main+", "breakpoint at 0x4",
		},
		{
			"c-glibc-abort",
			airlock.GuestFault{Kind: airlock.FaultSignal, Signal: sigABRT},
			"", "killed by a signal: SIGABRT",
		},
	} {
		t.Run(test.guest, func(t *testing.T) {
			t.Parallel()
			g := guest(t, test.guest)
			result := run(t, program{guest: g, deadline: hang})
			var fault *airlock.GuestFault
			if !errors.As(result.err, &fault) {
				t.Fatalf("code %d, error %v", result.code, result.err)
			}
			got := *fault
			got.RIP, got.Thread, got.Symbol = 0, 0, ""
			// Which address is unmapped is the business of the program's author.
			if got.Addr != test.want.Addr && test.want.Kind != airlock.FaultPage {
				got.Addr = 0
			}
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if !strings.HasPrefix(fault.Symbol, test.symbol) {
				t.Errorf("symbol %q, want %s...", fault.Symbol, test.symbol)
			}
			if !strings.Contains(fault.Error(), test.text) {
				t.Errorf("the text is %q, want %q in it", fault, test.text)
			}
			if fault.Thread == 0 {
				t.Error("the thread is not known")
			}
			if test.symbol != "" && !executable(g.Info(), fault.RIP) {
				t.Errorf("RIP %#x is not in the program's code", fault.RIP)
			}
		})
	}
}

// executable reports whether an address is in code of a guest.
func executable(info airlock.GuestInfo, addr uint64) bool {
	for _, s := range info.Segments {
		if s.Perm == "r-x" && addr >= s.Addr && addr-s.Addr < s.Size {
			return true
		}
	}
	return false
}

// TestOutOfMemory eats all memory of sandboxes of several sizes.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	for _, memory := range []int64{0, 16 << 20, 256 << 20} {
		g := guest(t, "go-eatmem")
		result := run(t, program{guest: g, options: airlock.Options{Memory: memory}, deadline: hang})
		// The Go runtime has its own words for mmap's ENOMEM, and code 2; pages that
		// were promised and are not there end in a fault.
		if !errors.Is(result.err, airlock.ErrOutOfMemory) && (result.code != 2 || !strings.Contains(result.stderr.String(), "out of memory")) {
			t.Errorf("%d MiB:", memory>>20)
			result.report(t)
		}
	}
}

// TestTooLittleMemory asks for less memory than a program needs at least.
func TestTooLittleMemory(t *testing.T) {
	t.Parallel()
	g := guest(t, "go-hello")
	least := int64(g.Info().Memory)
	if _, err := airlock.New(t.Context(), g, airlock.Options{Memory: least - 1<<21}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("too little: %v", err)
	}
	// With the least, the program starts and ends in some documented way.
	run(t, program{guest: g, options: airlock.Options{Memory: least}, deadline: hang})
	if _, err := airlock.New(t.Context(), g, airlock.Options{Memory: airlock.MaxMemory + 1}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("too much: %v", err)
	}
	if _, err := airlock.New(t.Context(), g, airlock.Options{Memory: -1}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("negative: %v", err)
	}
}
