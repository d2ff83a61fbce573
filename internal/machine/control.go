package machine

import (
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
)

// ErrMessage means that a length or count that the guest gave is impossible.
var ErrMessage = errors.New("machine: the guest gave an impossible length")

// The methods below copy one part of the control page out, once.
//
// Guest-controlled: all that they return.

// ReadExit copies the argument of abi.PortExit.
func (m *Machine) ReadExit() abi.Exit { return readControl[abi.Exit](m, abi.ControlOffsetExit) }

// ReadFault copies the argument of abi.PortFault.
func (m *Machine) ReadFault() abi.Fault { return readControl[abi.Fault](m, abi.ControlOffsetFault) }

// ReadPanic copies the argument of abi.PortPanic.
func (m *Machine) ReadPanic() abi.Panic { return readControl[abi.Panic](m, abi.ControlOffsetPanic) }

// ReadOutput copies the argument of abi.PortOutput.
func (m *Machine) ReadOutput() abi.Output { return readControl[abi.Output](m, abi.ControlOffsetOutput) }

// ReadInput copies the argument of abi.PortInput.
func (m *Machine) ReadInput() abi.Input { return readControl[abi.Input](m, abi.ControlOffsetInput) }

// ReadWait copies the argument of abi.PortWait.
func (m *Machine) ReadWait() abi.Wait { return readControl[abi.Wait](m, abi.ControlOffsetWait) }

// ReadTrace copies the argument of abi.PortTrace.
func (m *Machine) ReadTrace() abi.Trace { return readControl[abi.Trace](m, abi.ControlOffsetTrace) }

// ReadControl copies the whole control page, for diagnosis.
func (m *Machine) ReadControl() abi.Control { return readControl[abi.Control](m, 0) }

func readControl[T abi.Layout](m *Machine, offset uint64) T {
	var v T
	if err := m.memory.CopyOut(abi.Bytes(&v), abi.ControlGPA+offset); err != nil {
		panic(err) // the control page is in every machine's memory
	}
	return v
}

// SetOutputResult answers abi.PortOutput.
func (m *Machine) SetOutputResult(result int32) error {
	v := m.ReadOutput()
	v.Result = result
	return m.memory.CopyIn(abi.ControlGPA+abi.ControlOffsetOutput, abi.Bytes(&v))
}

// SetInputResult answers abi.PortInput.
func (m *Machine) SetInputResult(result int32) error {
	v := m.ReadInput()
	v.Result = result
	return m.memory.CopyIn(abi.ControlGPA+abi.ControlOffsetInput, abi.Bytes(&v))
}

// CopyStdout copies len(dst) bytes out of the output part of the stdio buffer.
func (m *Machine) CopyStdout(dst []byte) error {
	if len(dst) > abi.StdioOutputSize {
		return fmt.Errorf("%w: %d bytes of output", ErrMessage, len(dst))
	}
	return m.memory.CopyOut(dst, m.boot.StdioGPA)
}

// WriteStdin copies src to the input part of the stdio buffer.
func (m *Machine) WriteStdin(src []byte) error {
	if len(src) > abi.StdioInputSize {
		return fmt.Errorf("machine: %d bytes are too many for an input of %d", len(src), abi.StdioInputSize)
	}
	return m.memory.CopyIn(m.boot.StdioGPA+abi.StdioOutputSize+abi.StdioTraceSize, src)
}

// ReadTraceRecords copies count records out of the trace part of the stdio buffer.
func (m *Machine) ReadTraceRecords(count uint32) ([]abi.TraceRecord, error) {
	size := uint64(len(abi.Bytes(&abi.TraceRecord{})))
	if uint64(count) > abi.StdioTraceSize/size {
		return nil, fmt.Errorf("%w: %d trace records", ErrMessage, count)
	}
	list := make([]abi.TraceRecord, count)
	for i := range list {
		gpa := m.boot.StdioGPA + abi.StdioOutputSize + uint64(i)*size
		if err := m.memory.CopyOut(abi.Bytes(&list[i]), gpa); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// ReadMessage copies the argument of a message port.
func (m *Machine) ReadMessage() abi.Message {
	return readControl[abi.Message](m, abi.ControlOffsetMessage)
}

// Answer answers the last message of abi.PortNext or abi.PortHost, wherever it
// was: with the length of what WriteMessage has written.
func (m *Machine) Answer(length uint64) error {
	if m.hot.respond(length) {
		return nil
	}
	return m.AnswerHypercall(length, 0)
}

// AnswerHypercall answers the message that the guest has left the machine with:
// with the length of what WriteMessage has written, or with a negative errno.
func (m *Machine) AnswerHypercall(length uint64, result int32) error {
	v := abi.Message{Answer: length, Result: result}
	return m.memory.CopyIn(abi.ControlGPA+abi.ControlOffsetMessage, abi.Bytes(&v))
}

// CopyMessage copies len(dst) bytes out of the output message buffer.
func (m *Machine) CopyMessage(dst []byte) error {
	if uint64(len(dst)) > m.boot.OutputSize {
		return m.longMessage(uint64(len(dst)))
	}
	return m.memory.CopyOut(dst, m.boot.OutputGPA)
}

// CloneMessage copies a message out of the output message buffer to memory of its
// own.
func (m *Machine) CloneMessage(length uint64) ([]byte, error) {
	if length > m.boot.OutputSize {
		return nil, m.longMessage(length)
	}
	return m.memory.Clone(m.boot.OutputGPA, length)
}

func (m *Machine) longMessage(length uint64) error {
	return fmt.Errorf("%w: a message of %d bytes in a buffer of %d", ErrMessage, length, m.boot.OutputSize)
}

// PutMessage lets a function write a message to the input message buffer, as
// guestmem.Memory.Put says.
func (m *Machine) PutMessage(put func(b []byte) (int, error)) (int, error) {
	m.sent.forget()
	return m.memory.Put(m.boot.InputGPA, m.boot.InputSize, put)
}

// ClaimInput says that a message of about that length will soon be written for a
// guest that runs on another processor.
func (m *Machine) ClaimInput(length uint64) {
	start := uint64(0)
	if m.sent.repeated {
		start = cpu.CacheLine
	}
	if end := min(length, m.boot.InputSize); start < end {
		m.memory.Claim(m.boot.InputGPA+start, end-start)
	}
}

// sent is how the last message of the host begins.
//
// Most calls are of the same function as the one before, and their first cache line
// differs in nothing. If it isn't written again, it need not go to the processor on
// which the guest runs, which saves a tenth of a hot call. A guest that changes the
// line, by way of its kernel, deceives nobody but itself.
type sent struct {
	line     [cpu.CacheLine]byte
	known    bool // it is what the input message buffer begins with
	repeated bool // the last message began like the one before
}

// WriteMessage copies src to the input message buffer.
func (m *Machine) WriteMessage(src []byte) error {
	if uint64(len(src)) > m.boot.InputSize {
		return fmt.Errorf("machine: %d bytes are too many for an input buffer of %d", len(src), m.boot.InputSize)
	}
	if m.sent.repeats(src) {
		return m.memory.CopyIn(m.boot.InputGPA+cpu.CacheLine, src[cpu.CacheLine:])
	}
	return m.memory.CopyIn(m.boot.InputGPA, src)
}

// repeats notes a message that is about to be sent, and reports whether its first
// line need not be.
func (s *sent) repeats(src []byte) bool {
	if len(src) <= cpu.CacheLine {
		s.forget()
		return false
	}
	line := (*[cpu.CacheLine]byte)(src)
	if s.repeated = s.known && *line == s.line; !s.repeated {
		s.line, s.known = *line, true
	}
	return s.repeated
}

func (s *sent) forget() { s.known, s.repeated = false, false }
