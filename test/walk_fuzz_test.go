package test

import (
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// FuzzHypercall lets a guest make one hypercall with any message and any value
// anywhere in the control page. Whatever comes of it is documented, and a restore
// undoes it.
func FuzzHypercall(f *testing.F) {
	kvmtest.Require(f)
	for port, message := range honestMessages(f) {
		f.Add(uint16(abi.ControlOffsetMessage), uint64(len(message)), port, message)
	}
	for _, port := range walkPorts {
		f.Add(uint16(abi.ControlOffsetOutput), uint64(1)<<63, port, []byte(nil))
	}
	snap, err := walkSnapshot(f, airlock.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = snap.Close() })
	w, err := newWalker(f.Context(), snap, airlock.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { w.close(f) })
	f.Fuzz(func(t *testing.T, offset uint16, value uint64, port uint16, message []byte) {
		const size = 8
		message = message[:min(len(message), 4096)]
		s := step{field: field{"control", "any", uintptr(offset) % (abi.PageSize - size), size}, value: value, port: port, message: message}
		_, _ = w.take(t, "fuzzing", s)
	})
}
