package airlock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/wire"
)

// SpinAlways as [Options.Spin] keeps a processor for the guest from the first
// call to [Sandbox.Close].
const SpinAlways = time.Duration(math.MaxInt64)

// heat decides which calls are hot: the guest runs on a thread of its own, and
// both sides watch shared memory for each other's messages instead of leaving and
// entering the virtual machine.
//
// A call is made hot if it comes soon after one that didn't take long. To let a
// guest go costs more than to enter it, and where other threads want the
// processors both sides wait for each other in vain. So it is counted what each
// such time gains over plain calls: those that lost are followed by more and more
// calls that don't try.
type heat struct {
	budget   uint64 // ticks that either side may watch for the other; 0: never
	patience uint32 // the same for the guest

	started, ended uint64 // ticks, of the last call
	quick          bool   // it was one that would do well hot
	plain          uint64 // ticks that a plain call takes, as a moving average; 0 before the first
	gain           int64  // ticks that calls took less than that since the guest was let go
	failed         bool   // the guest was let go and has left during this call
	skip, backoff  int    // calls that don't try; after the last loss
}

// launchTime is how much longer the host watches for the first message after it
// has let the guest go: until the thread for that runs.
const launchTime = time.Millisecond

// slack is how much longer than Spin a plain call may take for the next one to be
// tried hot: it has left the machine a few times.
const slack = 100 * time.Microsecond

// maxBackoff is how many calls at most go by without one that is tried hot.
const maxBackoff = 1023

func newHeat(options *Options, m *machine.Machine) heat {
	switch {
	case options.Spin == 0, options.Trace != nil: // traces are handed over by leaving
		return heat{}
	case options.Spin == SpinAlways:
		return heat{budget: math.MaxUint64, patience: machine.PatienceForever}
	}
	return heat{budget: max(m.Ticks(options.Spin), 1), patience: m.Patience(options.Spin)}
}

// begin is called at the start of a call that finds the guest outside.
func (h *heat) begin() {
	if h.budget != 0 {
		h.started, h.failed = cpu.Ticks(), false
	}
}

// wanted reports whether the call that has begun is to be hot.
func (h *heat) wanted() bool {
	switch {
	case h.budget == 0:
		return false
	case h.skip > 0:
		h.skip--
		return false
	case h.budget == math.MaxUint64:
		return true
	}
	return h.quick && h.plain != 0 && h.started-h.ended <= h.budget
}

// end is called when a plain call has its answer, or one that has become plain.
// Exits are those that a hot one would have made as well.
func (h *heat) end(m *machine.Machine, exits int) {
	if h.budget == 0 || h.started == 0 { // it was no call
		return
	}
	h.ended = cpu.Ticks()
	took := h.ended - h.started
	if h.failed {
		h.count(took)
		h.settle()
		return
	}
	h.learn(took)
	h.quick = exits == 0 && (took <= h.budget || took-h.budget <= m.Ticks(slack))
}

// fail is called when a guest that was let go has left during a call, or was waited
// for too long: after so many ticks.
func (h *heat) fail(waited uint64) {
	h.started, h.failed = cpu.Ticks()-waited, true
}

// learn takes a plain call into the average, which follows quickly to what is
// less: one that waited for a processor, or touched memory for the first time, is
// no reason to prefer hot calls.
func (h *heat) learn(took uint64) {
	const slowly = 8
	switch {
	case h.plain == 0:
		h.plain = took
	case took < h.plain:
		h.plain -= (h.plain - took) / 2
	default:
		h.plain += (min(took, 2*h.plain) - h.plain) / slowly
	}
}

// stayed is called when a hot call has its answer, after so many ticks: the guest
// has not left. It doesn't look at the clock, which takes as long as a part of the
// call, so nobody knows when that was. The next call is hot because the guest is
// still there, or it comes too late.
func (h *heat) stayed(waited uint64) {
	h.count(waited)
	h.ended, h.quick = 0, true
}

func (h *heat) count(took uint64) {
	h.gain += int64(h.plain) - int64(took) //nolint:gosec // G115: centuries
}

// launched is called when the guest is let go.
func (h *heat) launched() { h.gain = 0 }

// cut is called when a guest that was let go is stopped, which takes as long as a
// plain call.
func (h *heat) cut() {
	h.count(2 * h.plain)
	h.settle()
}

// settle is called when a guest that was let go has left.
func (h *heat) settle() {
	h.backoff = min(2*h.backoff+1, maxBackoff)
	if h.gain > 0 {
		h.backoff = 0
	}
	h.skip = h.backoff
}

// meet runs a call with the guest on its own thread, until it waits for the next
// one: nil. When the guest leaves the machine, it goes on as a plain call. Its first
// message may take so much longer than the others.
func (s *serving) meet(ctx context.Context, extra time.Duration) error {
	s.ctx = ctx
	for sum := uint64(0); ; extra = 0 {
		seen, waited := s.machine.Watch(ctx.Done(), s.heat.budget, extra)
		sum += waited
		if seen != machine.SawMessage {
			s.heat.fail(sum)
			exit, err := s.machine.Wait(ctx)
			if err != nil {
				return fmt.Errorf("airlock: call: %w", err)
			}
			return s.plain(ctx, &exit)
		}
		err := s.takeHot(s.machine.Taken())
		if err == errNext { //nolint:errorlint // it is never wrapped, and this is a quarter of the time
			s.machine.Idle()
			s.heat.stayed(sum)
			s.sandbox.made.hot.add()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// takeHot is take for a message that came through the outbox. As much as the last
// one of its kind took, if that was not much, is copied before the length is known,
// because each look at memory that another processor has just written takes as long
// as that.
//
// Guest-controlled: length and content.
func (s *serving) takeHot(port uint16) error {
	likely := &s.likelyResult
	if port == abi.PortHost {
		s.claim()
		likely = &s.likelyCall
	}
	first, err := s.receive(max(*likely, leastMessage))
	if err != nil {
		return err
	}
	length := wire.Length(first)
	*likely = min((length+leastMessage-1)&^(leastMessage-1), shortMessage)
	if length <= uint64(len(first)) {
		return s.serveMessage(port, first[:length])
	}
	return s.take(port, length)
}

// collect is called before a message is sent to a guest that may have left
// meanwhile. It returns an exit that has yet to be seen to, or nil.
func (s *serving) collect(ctx context.Context) (*machine.Exit, error) {
	if !s.machine.Launched() || !s.machine.Gone() {
		return nil, nil //nolint:nilnil // there is none
	}
	exit, err := s.machine.Wait(ctx)
	if err != nil {
		return nil, fmt.Errorf("airlock: call: %w", err)
	}
	s.heat.settle()
	if exit.Kind == machine.ExitPaused {
		return nil, nil //nolint:nilnil // it stands where it watched
	}
	if exit.Kind == machine.ExitHypercall && exit.Port == abi.PortNext {
		if again, _, err := s.machine.Again(s.machine.ReadMessage()); again {
			return nil, err
		}
	}
	return &exit, nil
}

// parkTime is how long a guest that watches for calls may take to leave.
const parkTime = time.Second

// park makes the guest stand behind the hypercall by which it waits for a call.
func (s *serving) park(ctx context.Context) error {
	if !s.machine.Watching() {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, parkTime)
	defer cancel()
	s.ctx = within
	s.machine.Recall()
	for {
		var exit machine.Exit
		var err error
		if s.machine.Launched() {
			exit, err = s.machine.Wait(within)
		} else {
			s.machine.Begin(within)
			exit, err = s.machine.Enter()
			s.machine.End()
		}
		switch {
		case err != nil:
			return fmt.Errorf("airlock: call: %w", err)
		case exit.Kind == machine.ExitCanceled && ctx.Err() == nil && !s.machine.Stopped():
			return fmt.Errorf("%w: the guest does not leave to wait for calls", ErrProtocol)
		}
		if err := s.handle(exit); errors.Is(err, errNext) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
