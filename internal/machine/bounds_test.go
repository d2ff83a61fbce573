package machine

import (
	"errors"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

// TestMessageBounds: no length that a guest gives, nor that of an answer to it, leaves
// its buffer, whatever lies behind that.
func TestMessageBounds(t *testing.T) {
	m := hollow(t)
	records := uint64(abi.StdioTraceSize / len(abi.Bytes(&abi.TraceRecord{})))
	for _, row := range []struct {
		name  string
		limit uint64
		do    func(n uint64) error
		guest bool // the length is the guest's
	}{
		{"CopyMessage", m.boot.OutputSize, func(n uint64) error { return m.CopyMessage(make([]byte, n)) }, true},
		{"CloneMessage", m.boot.OutputSize, func(n uint64) error {
			b, err := m.CloneMessage(n)
			if err == nil && uint64(len(b)) != n {
				t.Errorf("CloneMessage(%d) returned %d bytes", n, len(b))
			}
			return err
		}, true},
		{"CopyStdout", abi.StdioOutputSize, func(n uint64) error { return m.CopyStdout(make([]byte, n)) }, true},
		{"ReadTraceRecords", records, func(n uint64) error {
			list, err := m.ReadTraceRecords(uint32(n))
			if err == nil && uint64(len(list)) != n {
				t.Errorf("ReadTraceRecords(%d) returned %d", n, len(list))
			}
			return err
		}, true},
		{"WriteMessage", m.boot.InputSize, func(n uint64) error { return m.WriteMessage(make([]byte, n)) }, false},
		{"WriteStdin", abi.StdioInputSize, func(n uint64) error { return m.WriteStdin(make([]byte, n)) }, false},
	} {
		for n, ok := range map[uint64]bool{0: true, row.limit: true, row.limit + 1: false, row.limit + 4096: false} {
			if err := row.do(n); ok != (err == nil) || !ok && row.guest != errors.Is(err, ErrMessage) {
				t.Errorf("%s of %d: %v", row.name, n, err)
			}
		}
	}
	if _, err := m.CloneMessage(1<<64 - 1); !errors.Is(err, ErrMessage) {
		t.Errorf("CloneMessage: %v", err)
	}
}

// TestIsHypercall: one OUT of a 32-bit zero to a port of the contract, and nothing else.
func TestIsHypercall(t *testing.T) {
	good := kvm.PortAccess{Out: true, Size: 4, Count: 1, Port: abi.PortExit}
	if !isHypercall(good) {
		t.Error("a hypercall is none")
	}
	for name, change := range map[string]func(p *kvm.PortAccess){
		"an IN":        func(p *kvm.PortAccess) { p.Out = false },
		"two bytes":    func(p *kvm.PortAccess) { p.Size = 2 },
		"a string":     func(p *kvm.PortAccess) { p.Count = 2 },
		"nothing":      func(p *kvm.PortAccess) { p.Count = 0 },
		"a value":      func(p *kvm.PortAccess) { p.Value = 1 },
		"another port": func(p *kvm.PortAccess) { p.Port = abi.PortAbort + 1 },
		"port 0":       func(p *kvm.PortAccess) { p.Port = 0 },
	} {
		p := good
		change(&p)
		if isHypercall(p) {
			t.Errorf("%s is a hypercall", name)
		}
	}
}
