package machine

import (
	"errors"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/snapfile"
)

// TestExportPending: what a snapshot on disk has no words for keeps it from getting there;
// what is left of events that are over doesn't.
func TestExportPending(t *testing.T) {
	sys := kvmtest.Require(t)
	s := atSnapshot(t, tkMachine(t, asm(func(c *code) { c.out(abi.PortNext).spin() })))
	for name, test := range map[string]struct {
		change   func(e *kvm.VCPUEvents)
		portable bool
	}{
		"nothing": {func(*kvm.VCPUEvents) {}, true},
		"what an event was": {func(e *kvm.VCPUEvents) {
			e.ExceptionNr, e.ExceptionHasErrorCode, e.ExceptionErrorCode, e.InterruptNr, e.InterruptSoft = 14, 1, 2, 32, 1
			e.ExceptionHasPayload, e.ExceptionPayload, e.Flags = 1, 3, 0x3f
		}, true},
		"an exception":         {func(e *kvm.VCPUEvents) { e.ExceptionInjected = 1 }, false},
		"an exception to be":   {func(e *kvm.VCPUEvents) { e.ExceptionPending = 1 }, false},
		"an interrupt":         {func(e *kvm.VCPUEvents) { e.InterruptInjected = 1 }, false},
		"a shadow":             {func(e *kvm.VCPUEvents) { e.InterruptShadow = 1 }, false},
		"an NMI":               {func(e *kvm.VCPUEvents) { e.NMIInjected = 1 }, false},
		"an NMI to be":         {func(e *kvm.VCPUEvents) { e.NMIPending = 1 }, false},
		"masked NMIs":          {func(e *kvm.VCPUEvents) { e.NMIMasked = 1 }, false},
		"a startup vector":     {func(e *kvm.VCPUEvents) { e.SIPIVector = 1 }, false},
		"management mode":      {func(e *kvm.VCPUEvents) { e.SMM = 1 }, false},
		"a triple fault":       {func(e *kvm.VCPUEvents) { e.TripleFaultPending = 1 }, false},
		"two of these":         {func(e *kvm.VCPUEvents) { e.InterruptShadow, e.NMIMasked = 1, 1 }, false},
		"a latched INIT":       {func(e *kvm.VCPUEvents) { e.LatchedINIT = 1 }, false},
		"an SMI to be":         {func(e *kvm.VCPUEvents) { e.SMIPending = 1 }, false},
		"an SMI inside an NMI": {func(e *kvm.VCPUEvents) { e.SMMInsideNMI = 1 }, false},
	} {
		before := s.cpu.Events
		test.change(&s.cpu.Events)
		used := false
		err := s.Export(sys, func(*snapfile.Config, []byte) error { used = true; return nil })
		s.cpu.Events = before
		if used != test.portable || !used != errors.Is(err, ErrNotPortable) || used && err != nil {
			t.Errorf("%s: Export() = %v, used: %t", name, err, used)
		}
	}
}
