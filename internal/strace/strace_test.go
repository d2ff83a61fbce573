package strace

import (
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
)

func record(kind abi.TraceKind, number uint32, result int64, text string, args ...uint64) abi.TraceRecord {
	r := abi.TraceRecord{Kind: uint32(kind), Thread: 2, Number: number, Result: result, Duration: 1500}
	copy(r.Args[:], args)
	r.TextLength = uint32(copy(r.Text[:], text))
	return r
}

func TestPrint(t *testing.T) {
	t.Parallel()
	lying := record(abi.TraceCall, 1, 5, "abc", 1)
	lying.TextLength = ^uint32(0)
	tests := map[string]struct {
		record abi.TraceRecord
		want   string
	}{
		"write": {
			record(abi.TraceCall, 1, 3, "a\n\x00", 1, 0x1000, 3),
			`[2] write(1, "a\n\x00", 3) = 3 <0.000001>`,
		},
		"open": {
			record(abi.TraceCall, 257, -2, "/etc/passwd", 0xffffff9c, 0x1000),
			`[2] openat(AT_FDCWD, "/etc/passwd", NULL, NULL) = -1 ENOENT <0.000001>`,
		},
		"no arguments":    {record(abi.TraceCall, 39, 2, ""), `[2] getpid() = 2 <0.000001>`},
		"address":         {record(abi.TraceCall, 12, 0x7f0000001000, "", 0), `[2] brk(NULL) = 0x7f0000001000 <0.000001>`},
		"negative number": {record(abi.TraceCall, 3, -9, "", 0xffffffff), `[2] close(-1) = -1 EBADF <0.000001>`},
		"no such errno":   {record(abi.TraceCall, 3, -4000, "", 1), `[2] close(1) = -1 errno 4000 <0.000001>`},
		"exit":            {record(abi.TraceNoreturn, 231, 0, "", 7), `[2] exit_group(7) = ?`},
		"unknown": {
			record(abi.TraceUnknown, 100000, -38, "", 1, 2, 3, 4, 5, 6),
			`[2] syscall_100000(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS <0.000001>`,
		},
		"messages": {record(abi.TraceCall, abi.Syscall, 90, "", 3, 0x10), `[2] airlock(0x3, 0x10, NULL, NULL, NULL, NULL) = 90 <0.000001>`},
		"signal":   {record(abi.TraceSignal, 11, 0, "", 0x10), `[2] --- signal 11, address 0x10 ---`},
		"invalid":  {record(77, 11, 0, ""), `[2] invalid trace record 77`},
		"lying":    {lying, `[2] write(1, "abc` + strings.Repeat(`\x00`, 37) + `"..., 0) = 5 <0.000001>`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			NewPrinter(&got).Print(&test.record)
			if got.String() != test.want+"\n" {
				t.Errorf("got  %swant %s", got.String(), test.want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	p := NewPrinter(&got)
	p.Summary()
	for number := range uint32(5000) { // more than are counted: the guest chooses them
		r := record(abi.TraceUnknown, 100000+number%2000, -38, "")
		p.Print(&r)
	}
	got.Reset()
	p.Summary()
	text := got.String()
	if !strings.HasPrefix(text, "system calls that the guest kernel does not have: syscall_100000 (3 times), ") {
		t.Errorf("summary begins %.100q", text)
	}
	if n := strings.Count(text, "times"); n != maxUnknown {
		t.Errorf("summary has %d calls, want %d", n, maxUnknown)
	}
	var none *Printer
	none.Print(&abi.TraceRecord{})
	none.Summary()
}

func FuzzPrint(f *testing.F) {
	f.Add(uint32(1), uint32(1), int64(3), uint64(1), []byte("text"))
	f.Fuzz(func(t *testing.T, kind, number uint32, result int64, arg uint64, text []byte) {
		r := record(abi.TraceKind(kind), number, result, string(text), arg, arg, arg, arg, arg, arg)
		r.TextLength = uint32(arg)
		var got strings.Builder
		NewPrinter(&got).Print(&r)
		if strings.Count(got.String(), "\n") != 1 || got.Len() > 1024 {
			t.Errorf("a record is %d bytes, %d lines", got.Len(), strings.Count(got.String(), "\n"))
		}
	})
}
