package airlock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/strace"
	"github.com/airlockvm/airlock/internal/wire"
)

// Error numbers of Linux that answer messages.
const (
	errnoBadMessage = 74 // EBADMSG
)

// serving is a guest that waits for calls, or is in one.
type serving struct {
	*process
	hosts       HostFuncs
	hostList    wire.HostFunctions
	hostForms   map[string]*wire.Form // of those that were called
	ctx         context.Context       //nolint:containedctx // of what runs now
	declared    bool
	declaration wire.Declaration
	exports     map[string]*export
	called      *export   // last, or nil
	missing     []string  // what the guest needs and hosts does not have
	origin      *Snapshot // that the sandbox was made from or restored to last, or nil

	calling bool        // a call is in progress: host functions may be called
	failed  error       // what a host function did in this call, that its caller must know
	logs    int         // records in this call
	result  wire.Result // of the call that has ended
	room    wire.Room   // for its text

	values   []wire.Value // scratch for arguments
	asked    *wire.Reader // of calls of host functions
	host     HostFunc     // hostName's; not one if there is none
	hostName string       // of the host function that was called last
	message  []byte       // for the private copy of a short message; overwritten by the next
	own      bool         // the last message is nobody else's: parts of it may be given away
	heat     heat

	// What the guest is sent is written to shared memory at once, by functions that
	// are made once.
	reply     wire.Result
	putCall   func([]byte) (int, error)
	putReply  func([]byte) (int, error)
	short     [shortMessage]byte
	answering uint64 // the length of what was written

	// How many bytes the next hot message from the guest may take.
	likelyResult, likelyCall uint64
}

func (sb *Sandbox) newServing() *serving {
	s := &serving{
		process:  newProcess(sb, Process{Stdout: sb.options.Stdout, Stderr: sb.options.Stderr}),
		hosts:    sb.options.HostFuncs,
		hostList: sb.hostList,
	}
	s.process.what = "call"
	s.process.messages = s.serve
	s.putCall = func(b []byte) (int, error) { return s.called.form.Put(b, s.values) }
	s.putReply = func(b []byte) (int, error) { return wire.PutResult(b, &s.reply) }
	s.asked = wire.NewReader(s.hostForm)
	s.heat = newHeat(&sb.options, sb.machine)
	return s
}

// anew forgets what the use before a restore has left: it may have ended in a call.
// Only heat goes on, because restores are a part of what it is about.
func (s *serving) anew() {
	s.calling = false
	if s.trace != nil {
		s.trace = strace.NewPrinter(s.sandbox.options.Trace)
	}
}

// adopt takes over what the guest has declared.
func (s *serving) adopt(d wire.Declaration) {
	s.declared = true
	s.declaration = d
	s.missing = s.hosts.missing(d.Imports)
	s.exports = make(map[string]*export, len(d.Exports))
	for i := range d.Exports {
		s.exports[d.Exports[i].Name] = &export{Function: &d.Exports[i]}
	}
	s.called = nil
}

// export is a function of the guest.
type export struct {
	*wire.Function
	form *wire.Form // nil until it is called
}

// export finds the guest's function that is to be called.
func (s *serving) export(name string) (*export, error) {
	if s.called != nil && s.called.Name == name {
		return s.called, nil
	}
	f, ok := s.exports[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknownFunction, name)
	}
	if f.form == nil {
		f.form = wire.NewForm(f.Name, f.Params)
	}
	s.called = f
	return f, nil
}

// hostForm returns the form of a host function, or nil if there is none of that
// name.
func (s *serving) hostForm(name string) *wire.Form {
	f, ok := s.hosts[name]
	if !ok {
		return nil
	}
	form := s.hostForms[name]
	if form == nil {
		if s.hostForms == nil {
			s.hostForms = map[string]*wire.Form{}
		}
		form = wire.NewForm(name, f.fn.Params)
		s.hostForms[name] = form
	}
	return form
}

// maxLogs is how many log records of one call are passed on.
const maxLogs = 1000

// errNext is how a hypercall says that the guest waits for a call.
var errNext = errors.New("guest waits for a call")

// receive takes the message that the guest has sent out of shared memory. The
// copy is made once; what decodes it never looks at the guest's memory, which the
// guest may change while it is read.
//
// Guest-controlled: length and content.
func (s *serving) receive(length uint64) ([]byte, error) {
	var message []byte
	var err error
	if s.own = length > largeMessage; s.own {
		message, err = s.machine.CloneMessage(length) // for who gets it to keep
	} else {
		if s.message == nil {
			s.message = make([]byte, largeMessage)
		}
		message = s.message[:length]
		err = s.machine.CopyMessage(message)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return message, nil
}

// shortMessage is the length up to which a message is copied in one go.
const shortMessage = 512

// leastMessage is as much as is copied at least: two cache lines.
const leastMessage = 128

// largeMessage is the length from which on a message gets memory of its own, so
// that the bytes in it need not be copied once more for who gets them.
const largeMessage = 4 << 10

// keep lets a value out of the message that was received last outlive it.
func (s *serving) keep(v *wire.Value) {
	if !s.own {
		v.Own()
	}
}

// put writes what the guest is to be sent next to shared memory. A short message
// goes there in one piece: to write it field by field to memory that another
// processor has in its cache takes longer than to copy it.
func (s *serving) put(write func([]byte) (int, error)) error {
	n, err := write(s.short[:])
	switch {
	case err == nil:
		err = s.machine.WriteMessage(s.short[:n])
	case errors.Is(err, wire.ErrTooLarge):
		n, err = s.machine.PutMessage(write)
	}
	s.answering = uint64(n) //nolint:gosec // G115: a length
	return err
}

// claim says that the guest, which runs on another processor, will soon be sent
// something: it may well be as long as the last.
func (s *serving) claim() { s.machine.ClaimInput(min(s.answering, shortMessage)) }

// send answers the guest with what put has written.
func (s *serving) send() error { return s.machine.Answer(s.answering) }

// serve does what the guest, which has left the machine, asks for with a
// message. An error ends the call.
func (s *serving) serve(port uint16) error {
	m := s.machine.ReadMessage()
	if port == abi.PortNext || port == abi.PortHost {
		s.exits--
		again, waits, err := s.machine.Again(m)
		switch {
		case err != nil:
			return fmt.Errorf("airlock: %w", err)
		case again && waits && s.calling:
			return fmt.Errorf("%w: waits for an answer to nothing", ErrProtocol)
		case again && waits:
			return errNext
		case again:
			return nil // its answer was on its way
		}
	}
	return s.take(port, m.Length)
}

// take does what the guest asks for with a message of that length.
func (s *serving) take(port uint16, length uint64) error {
	message, err := s.receive(length)
	if err != nil {
		return err
	}
	return s.serveMessage(port, message)
}

// serveMessage does what a message asks for.
func (s *serving) serveMessage(port uint16, message []byte) error {
	switch port {
	case abi.PortDeclare:
		return s.declare(message)
	case abi.PortNext:
		return s.next(message)
	case abi.PortHost:
		return s.callHost(message)
	case abi.PortLog:
		return s.log(message)
	default:
		return s.abort(message)
	}
}

// declare notes what the guest exports and needs.
func (s *serving) declare(message []byte) error {
	if s.declared {
		return fmt.Errorf("%w: declared twice", ErrProtocol)
	}
	d, err := wire.DecodeDeclaration(message)
	if err != nil {
		return fmt.Errorf("%w: declaration: %w", ErrProtocol, err)
	}
	s.adopt(d)
	err = s.put(func(b []byte) (int, error) { return wire.PutHostFunctions(b, &s.hostList) })
	if err != nil {
		return fmt.Errorf("airlock: %w", err)
	}
	return s.send()
}

// next ends a call: the message is its result, or empty before the first.
func (s *serving) next(message []byte) error {
	if !s.declared {
		return fmt.Errorf("%w: serves before it has declared", ErrProtocol)
	}
	if !s.calling {
		if len(message) != 0 {
			return fmt.Errorf("%w: a result without a call", ErrProtocol)
		}
		return errNext
	}
	if err := s.result.Decode(message, &s.room); err != nil {
		return fmt.Errorf("%w: result: %w", ErrProtocol, err)
	}
	return errNext
}

// callHost calls a host function for the guest.
func (s *serving) callHost(message []byte) error {
	if !s.calling {
		return s.machine.AnswerHypercall(0, -errnoBadMessage)
	}
	if err := s.asked.Read(message); err != nil {
		return fmt.Errorf("%w: host function call: %w", ErrProtocol, err)
	}
	for i := range s.asked.Args {
		s.keep(&s.asked.Args[i]) // functions may keep what they get
	}
	if s.hostName != s.asked.Name {
		s.host, s.hostName = s.hosts[s.asked.Name], s.asked.Name
	}
	failed := s.host.call(s.sandbox, &s.asked.Call, &s.reply)
	defer s.forgetHostCall()
	if failed != nil && s.failed == nil {
		s.failed = failed
	}
	if s.ctx.Err() != nil || s.machine.Canceled() {
		return s.sandbox.canceled("call")
	}
	if err := s.put(s.putReply); err != nil {
		s.reply = failure(wire.CodeFailed, "the host function's result can't be sent")
		if errors.Is(err, wire.ErrTooLarge) {
			s.reply.Err.Code = wire.CodeTooLarge
		}
		if err := s.put(s.putReply); err != nil {
			return fmt.Errorf("airlock: %w", err)
		}
	}
	return s.send()
}

// forgetHostCall lets go of what a host function has got and returned. By then the
// guest has its answer, so that nobody waits for this.
func (s *serving) forgetHostCall() {
	s.asked.Forget()
	s.reply.Clear()
	if s.machine.Launched() {
		s.asked.Room.Prepare()
	}
}

var logLevels = map[wire.Level]slog.Level{
	wire.LevelInvalid: slog.LevelDebug,
	wire.LevelTrace:   slog.LevelDebug - 4,
	wire.LevelDebug:   slog.LevelDebug,
	wire.LevelInfo:    slog.LevelInfo,
	wire.LevelWarn:    slog.LevelWarn,
	wire.LevelError:   slog.LevelError,
}

// log passes a record on to the application's logger. After maxLogs of one call
// they are counted only.
func (s *serving) log(message []byte) error {
	r, err := wire.DecodeLogRecord(message)
	if err != nil {
		return fmt.Errorf("%w: log record: %w", ErrProtocol, err)
	}
	ctx := s.ctx
	if s.logs++; s.logs > maxLogs {
		if s.logs == maxLogs+1 {
			s.sandbox.log.LogAttrs(ctx, slog.LevelWarn, "guest logs too much; the rest of this call is dropped",
				slog.String("guest", s.sandbox.guest.name))
		}
		return s.machine.AnswerHypercall(0, 0)
	}
	level := logLevels[r.Level]
	if s.sandbox.log.Enabled(ctx, level) {
		attrs := []slog.Attr{slog.String("guest", s.sandbox.guest.name), slog.String("source", r.Source)}
		if r.File != "" {
			attrs = append(attrs, slog.String("file", fmt.Sprintf("%s:%d", r.File, r.Line)))
		}
		for _, a := range r.Attrs {
			attrs = append(attrs, slog.String("guest."+a.Key, a.Value))
		}
		s.sandbox.log.LogAttrs(ctx, level, r.Message, attrs...)
	}
	return s.machine.AnswerHypercall(0, 0)
}

// abort is the end that the guest has chosen.
func (s *serving) abort(message []byte) error {
	info, err := wire.DecodeError(message)
	if err != nil {
		return fmt.Errorf("%w: abort: %w", ErrProtocol, err)
	}
	return &GuestAbortError{Code: GuestErrorCode(info.Code), Message: info.Message}
}
