package test

import (
	"errors"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
)

// The tests of this file walk over what host and guest share while the host
// watches it: messages come through the outbox, without a hypercall, and the
// guest goes on while the host reads them.

var hotOptions = airlock.Options{Spin: airlock.SpinAlways}

// outboxSequence is the field by which a message is sent.
var outboxSequence = field{page: "outbox", name: "Sequence", offset: abi.OutboxOffsetSequence, size: 4}

// sequenceOf is a number that was not there before, of an operation.
func sequenceOf(operation abi.Operation) uint64 {
	return 0x0badcafe<<abi.OperationBits&0xffffffff | uint64(operation)
}

// TestWalkHotFields walks over the words of hot calls, with each operation that
// fits into a sequence, and over the length of a message.
func TestWalkHotFields(t *testing.T) {
	messages := honestMessages(t)
	fields := fieldsOf("outbox", "", reflect.TypeFor[abi.Outbox](), 0)
	fields = append(fields, fieldsOf("clock", ".Inbox", reflect.TypeFor[abi.Inbox](), abi.ClockOffsetInbox)...)
	var steps []step
	for _, f := range fields {
		for _, value := range boundaries(f) {
			for _, port := range []uint16{0, abi.PortNext, abi.PortHost} {
				steps = append(steps, step{field: f, value: value, port: port, message: messages[port]})
			}
		}
	}
	for _, value := range boundaries(outboxSequence) {
		for operation := range uint64(1 << abi.OperationBits) {
			s := step{field: outboxSequence, value: value&^(1<<abi.OperationBits-1) | operation, message: messages[abi.PortHost]}
			if abi.Operation(operation) == abi.OperationNext {
				s.message = messages[abi.PortNext]
			}
			steps = append(steps, s)
		}
	}
	walk(t, "walk: hot fields", hotOptions, steps, func(step, string, error) {})
}

// TestWalkHotMessages is TestWalkMessages for messages that come through the
// outbox.
func TestWalkHotMessages(t *testing.T) {
	messages := honestMessages(t)
	for _, c := range []struct {
		name      string
		port      uint16
		operation abi.Operation
	}{
		{"result", abi.PortNext, abi.OperationNext},
		{"host", abi.PortHost, abi.OperationHost},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := []step{{field: outboxSequence, value: sequenceOf(c.operation), message: messages[c.port], patient: true}}
			for _, m := range corruptions(messages[c.port]) {
				steps = append(steps, step{field: outboxSequence, value: sequenceOf(c.operation), message: m, patient: true})
			}
			var taken, refused atomic.Int64
			walk(t, "walk: hot messages", hotOptions, steps, func(s step, result string, err error) {
				if errors.Is(err, airlock.ErrProtocol) {
					refused.Add(1)
					return
				}
				taken.Add(1)
				// A guest that was not hot, because the machine is busy, goes on as if nothing was.
				if err := wellTyped(c.port, result, err); err != nil {
					t.Errorf("message %x: %v", s.message, err)
				}
			})
			t.Logf("%d refused, %d taken for what they are", refused.Load(), taken.Load())
			if taken.Load() == 0 {
				t.Error("nothing was taken")
			}
		})
	}
}
