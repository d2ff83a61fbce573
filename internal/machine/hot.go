package machine

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/guestmem"
)

// Hot calls: the guest runs on a thread of its own, between calls too, while
// this one watches memory that both share (struct airlock_outbox in
// airlock_abi.h says how they meet there). What an exit costs is then paid only
// by who has waited for too long.
//
// Nothing that the host does depends on the guest keeping its side: whether the
// guest runs, has left, and which of its messages were taken is known from the
// host's own memory. A guest that lies gets wrong answers, or none.

// hot is the state of that.
type hot struct {
	// Guest-controlled: the word of the outbox.
	sequence guestmem.Word32
	// The words of the inbox, which the guest's program may read.
	answered, patience guestmem.Word32

	launched bool        // Launch was called, and Wait has not returned since
	gone     atomic.Bool // the guest has left since Launch
	back     chan struct{}
	exit     Exit // with which it has left; written before gone
	err      error

	seen uint32 // the sequence that was in the outbox when it was looked at last
	// taken is the sequence of the message that was taken from the outbox last; 0
	// from when the guest leaves the machine with it, because it then wants its
	// answer there.
	taken   uint32
	replied bool   // taken was answered
	reply   uint64 // the length of that

	granted atomic.Uint32 // what patience was set to: the guest's memory doesn't decide

	// idle is 0 while somebody waits for the guest, else the number of the time in
	// which nobody does. It is published with cpu.Publish, because an atomic store
	// takes as long as much of a call.
	idle   uint32
	times  uint32 // counts those times
	noted  uint32 // guarded by mu: the one that onTick saw last
	noteAt uint64 // guarded by mu: ticks, when it saw it first
}

func (h *hot) share(word func(uint64) guestmem.Word32) {
	const outbox, inbox = abi.OutboxGPA - abi.ControlGPA, abi.ClockGPA - abi.ControlGPA + abi.ClockOffsetInbox
	h.sequence = word(outbox + abi.OutboxOffsetSequence)
	h.answered = word(inbox + abi.InboxOffsetSequence)
	h.patience = word(inbox + abi.InboxOffsetPatience)
	h.back = make(chan struct{}, 1)
}

// grant sets how long the guest watches for an answer before it leaves.
func (h *hot) grant(patience uint32) {
	if h.granted.Load() != patience {
		h.granted.Store(patience)
		h.patience.Store(patience)
	}
}

// forget is Machine.forget.
func (h *hot) forget() {
	h.taken, h.replied = 0, false
	h.granted.Store(0)
}

// PatienceForever never ends.
const PatienceForever = ^uint32(0)

// Patience returns how many units of the guest's patience a duration is, at
// least one.
func (m *Machine) Patience(d time.Duration) uint32 {
	ticks := m.Ticks(d) / abi.PatienceTicks
	return uint32(min(max(ticks, 1), uint64(PatienceForever)-1)) //nolint:gosec // G115: bounded
}

// Ticks returns how many ticks of the time stamp counter a duration of at most ten
// years is, in whole microseconds; a longer one counts as that.
func (m *Machine) Ticks(d time.Duration) uint64 {
	const longest = 10 * 365 * 24 * time.Hour // at 50 GHz still a number
	d = min(max(d, 0), longest)
	whole, rest := uint64(d/time.Millisecond), uint64(d%time.Millisecond/time.Microsecond)
	return whole*m.tscKHz + rest*m.tscKHz/1000
}

// aside is how many guests run on threads of their own.
var aside atomic.Int32

// Launch lets the guest run on a thread of its own, until Wait. Not between
// Begin and End. It reports false, having done nothing, if as many guests run
// like that as the processors are good for: each takes one, and so does who
// watches it.
func (m *Machine) Launch(patience uint32) bool {
	if int(aside.Add(1)) > min(runtime.NumCPU(), runtime.GOMAXPROCS(0))/2 {
		aside.Add(-1)
		return false
	}
	m.clock.refresh()
	h := &m.hot
	h.seen = h.sequence.Load()
	h.grant(patience)
	h.launched = true
	h.gone.Store(false)
	cpu.Publish(&h.idle, 0)
	m.pause.Store(false)
	m.mu.Lock()
	m.session.number++
	m.canceled.Store(m.stopped)
	m.mu.Unlock()
	go m.runAside()
	return true
}

// runAside runs the guest until it leaves.
func (m *Machine) runAside() {
	tid := m.runner.begin()
	m.mu.Lock()
	m.session.tid = tid
	m.startTimer()
	m.mu.Unlock()

	exit, err := m.enter()

	m.mu.Lock()
	m.session.tid = 0
	m.mu.Unlock()
	m.runner.end()
	aside.Add(-1)
	m.hot.exit, m.hot.err = exit, err
	m.hot.gone.Store(true)
	m.hot.back <- struct{}{}
}

// Launched reports whether the guest runs on a thread of its own, or has left it
// and Wait has not returned yet.
func (m *Machine) Launched() bool { return m.hot.launched }

// Gone reports whether Wait would return at once.
func (m *Machine) Gone() bool { return m.hot.gone.Load() }

// Watching reports whether the guest may be watching for an answer, instead of
// standing behind a hypercall.
func (m *Machine) Watching() bool { return m.hot.launched || m.hot.taken != 0 }

// Recall makes the launched guest leave as soon as it watches.
func (m *Machine) Recall() { m.hot.grant(0) }

// Wait waits until the guest has left, and makes it do so when the context ends.
// It returns what Enter would have.
func (m *Machine) Wait(ctx context.Context) (Exit, error) {
	h := &m.hot
	select {
	case <-h.back:
	case <-ctx.Done():
		m.mu.Lock()
		m.canceled.Store(true)
		if m.session.tid != 0 {
			m.kick()
		}
		m.mu.Unlock()
		<-h.back
	}
	h.launched = false
	cpu.Publish(&h.idle, 0)
	h.grant(0)
	return h.exit, h.err
}

// Pause makes a launched guest leave at once, wherever it is. It can be entered
// again.
func (m *Machine) Pause() {
	if !m.hot.launched {
		return
	}
	m.mu.Lock()
	m.requestPause()
	m.mu.Unlock()
	_, _ = m.Wait(context.Background()) // whatever it left for
}

// requestPause makes a launched guest leave. Preconditions: mu is held.
func (m *Machine) requestPause() {
	m.pause.Store(true)
	if m.session.tid != 0 {
		m.kick()
	}
}

// Idle says that nobody waits for the launched guest any more: it may watch for
// the next message as long as its patience lasts.
func (m *Machine) Idle() {
	h := &m.hot
	h.times = max(h.times+1, 1)
	cpu.Publish(&h.idle, h.times)
}

// overtime is how much longer than its patience a guest may go on, once it was
// noted that it does.
const overtime = time.Millisecond

// enough ends the watch of a guest that does not end it by itself. Preconditions:
// mu is held, it is idle for that time.
func (m *Machine) enough(time uint32) {
	h := &m.hot
	patience := h.granted.Load()
	switch {
	case patience == PatienceForever:
	case h.noted != time:
		h.noted, h.noteAt = time, cpu.Ticks()
	case cpu.Ticks()-h.noteAt > uint64(patience)*abi.PatienceTicks+m.Ticks(overtime):
		m.requestPause()
	}
}

// Sighting is what Watch has seen.
type Sighting int

// What there is to see.
const (
	// SawInvalid is the zero Sighting.
	SawInvalid Sighting = iota
	// SawMessage is one in the outbox, which is now taken: Taken.
	SawMessage
	// SawExit means that the guest has left: Wait returns at once.
	SawExit
	// SawNothing means that time is over. The guest leaves with its next message.
	SawNothing
)

// watchRounds is after how many looks at the outbox Watch looks at the rest.
const watchRounds = 32

// Watch waits, for so many ticks and so much longer, for a message of the
// launched guest. Waited is for how many ticks, of which the first half a
// microsecond or so is not counted.
func (m *Machine) Watch(done <-chan struct{}, ticks uint64, extra time.Duration) (seen Sighting, waited uint64) {
	h := &m.hot
	if more := m.Ticks(extra); ticks <= math.MaxUint64-more {
		ticks += more
	}
	cpu.Publish(&h.idle, 0)
	start := uint64(0)
	for round := 1; ; round++ {
		if h.sequence.Load() != h.seen && h.take() {
			return SawMessage, waited
		}
		if round%watchRounds != 0 {
			cpu.Pause()
			continue
		}
		if h.gone.Load() {
			return SawExit, waited
		}
		now := cpu.Ticks()
		if start == 0 {
			start = now
		}
		waited = now - start
		over := waited > ticks
		select {
		case <-done:
			over = true
		default:
		}
		if over {
			// The barrier is in it: from here on the guest leaves, or its message is here.
			h.grant(0)
			if h.sequence.Load() != h.seen && h.take() {
				return SawMessage, waited
			}
			return SawNothing, waited
		}
	}
}

// take takes the message that is in the outbox. It reports false for what is
// none.
//
// Guest-controlled: the sequence.
func (h *hot) take() bool {
	h.seen = h.sequence.Load()
	if portOf(h.seen) == 0 {
		return false
	}
	h.taken, h.replied = h.seen, false
	return true
}

// Taken returns the port of the message that was taken.
//
// Guest-controlled: which of the two it is.
func (m *Machine) Taken() (port uint16) { return portOf(m.hot.taken) }

// portOf returns the port of a message that may come through the outbox, or 0.
func portOf(sequence uint32) uint16 {
	operation := abi.Operation(sequence & (1<<abi.OperationBits - 1))
	if operation == abi.OperationNext {
		return abi.PortNext
	}
	if operation == abi.OperationHost {
		return abi.PortHost
	}
	return 0
}

// respond answers the message that was taken from the outbox, where the guest
// watches for it. It reports false if there is none, and the guest stands behind
// a hypercall.
func (h *hot) respond(length uint64) bool {
	if h.taken == 0 {
		return false
	}
	h.replied, h.reply = true, length
	h.answered.Publish(h.taken)
	return true
}

// Again reports whether the message that the guest has left with is the one
// that was taken from the outbox: it has watched for the answer for long enough.
// If the answer is there it gets it, and waits says false; else it waits for it
// from here on as for that of any other hypercall.
func (m *Machine) Again(message abi.Message) (again, waits bool, err error) {
	h := &m.hot
	if h.taken == 0 || message.Sequence != h.taken {
		h.taken = 0 // the guest has gone on
		return false, true, nil
	}
	h.taken = 0
	if !h.replied {
		return true, true, nil
	}
	return true, false, m.AnswerHypercall(h.reply, 0)
}
