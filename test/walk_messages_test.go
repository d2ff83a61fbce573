package test

import (
	le "encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// corruptions lists what becomes of a message when one byte is another, when one
// of its aligned words is, when it ends early, or has more behind it.
func corruptions(message []byte) [][]byte {
	var list [][]byte
	with := func(change func(m []byte)) {
		m := append([]byte(nil), message...)
		change(m)
		list = append(list, m)
	}
	for i, old := range message {
		for _, b := range []byte{0, 1, 4, 0x7f, 0x80, 0xff, old ^ 1, old + 4, old - 4, old ^ 0x80} {
			if b != old {
				with(func(m []byte) { m[i] = b })
			}
		}
	}
	size := uint32(len(message))
	for i := 0; i+4 <= len(message); i += 4 {
		old := le.LittleEndian.Uint32(message[i:])
		for _, v := range []uint32{size, size - 4, size - uint32(i), -uint32(i), 1 << 31, 1<<31 - 1, ^uint32(3), old + 2, old << 16} {
			if v != old {
				with(func(m []byte) { le.LittleEndian.PutUint32(m[i:], v) })
			}
		}
	}
	for n := range message {
		list = append(list, message[:n])
	}
	for _, more := range []int{1, 4, 8, 1000} {
		list = append(list, append(append([]byte(nil), message...), make([]byte, more)...))
	}
	return list
}

// TestWalkMessages lets a guest send messages that are wrong in one place, by
// each port. The host refuses them or takes them for messages of the same type.
func TestWalkMessages(t *testing.T) {
	f := field{page: "clock", name: "Reserved", offset: abi.ClockOffsetReserved, size: 4} // of no consequence
	messages := honestMessages(t)
	failed, err := wire.AppendResult(nil, &wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeFailed, Message: "failed"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		port    uint16
		message []byte
	}{
		{"result", abi.PortNext, messages[abi.PortNext]},
		{"error", abi.PortNext, failed},
		{"host", abi.PortHost, messages[abi.PortHost]},
		{"log", abi.PortLog, messages[abi.PortLog]},
		{"abort", abi.PortAbort, messages[abi.PortAbort]},
		{"declare", abi.PortDeclare, messages[abi.PortDeclare]},
	} {
		t.Run(c.name, func(t *testing.T) {
			var steps []step
			for _, m := range corruptions(c.message) {
				steps = append(steps, step{field: f, port: c.port, message: m, patient: true})
			}
			var taken, refused atomic.Int64
			walk(t, "walk: messages", airlock.Options{}, steps, func(s step, result string, err error) {
				if errors.Is(err, airlock.ErrProtocol) {
					refused.Add(1)
					return
				}
				taken.Add(1)
				if err := wellTyped(s.port, result, err); err != nil {
					t.Errorf("message %x: %v", s.message, err)
				}
			})
			t.Logf("%d refused, %d taken for what they are", refused.Load(), taken.Load())
			// A second declaration is refused whatever it says.
			if refused.Load() == 0 || (taken.Load() == 0) != (c.port == abi.PortDeclare) {
				t.Error("nothing was refused, or nothing was taken")
			}
		})
	}
}

// wellTyped returns an error unless a message that was taken had the one meaning
// that messages of its port have.
func wellTyped(port uint16, result string, err error) error {
	_, failed := errors.AsType[*airlock.GuestError](err)
	_, aborted := errors.AsType[*airlock.GuestAbortError](err)
	ok := false
	switch port {
	case abi.PortNext:
		ok = failed || err == nil && utf8.ValidString(result)
	case abi.PortHost, abi.PortLog:
		ok = err == nil && result == "done"
	case abi.PortAbort:
		ok = aborted
	}
	if !ok {
		return fmt.Errorf("result %q, error %w (%T)", result, orNone(err), err)
	}
	return nil
}
