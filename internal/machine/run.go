package machine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

// tickPeriod is how long one thread of a guest may run while others wait.
const tickPeriod = 10 * time.Millisecond

var errNotBegun = errors.New("machine: Enter outside Begin and End")

// session is what happens between Begin and End.
type session struct {
	number uint64 // counts the sessions of a machine
	tid    int    // the thread that runs the processor, 0 outside sessions
}

// Begin prepares for a sequence of Enter calls on this goroutine, which stays on
// its thread until End. When the context ends, Enter returns ExitCanceled, at
// once if it is running.
//
// Stopping a guest works like this: set a flag that says why, then
// kvm.VCPU.RequestExit, then a signal to the thread if it may be in the guest.
// Enter takes the request back before it looks at the flags, so that whatever
// the order, either it sees the flag or the request stops it. Nothing needs to
// be sent twice.
func (m *Machine) Begin(ctx context.Context) {
	tid := m.runner.begin()
	m.clock.refresh()

	m.pause.Store(false)
	m.mu.Lock()
	m.session.number++
	m.session.tid = tid
	m.canceled.Store(m.stopped || ctx.Err() != nil)
	m.startTimer()
	number := m.session.number
	m.mu.Unlock()

	m.begun, m.detach = true, nil
	if ctx.Done() != nil {
		m.detach = context.AfterFunc(ctx, func() { m.cancel(number) })
	}
}

// End is the end of what Begin has begun.
func (m *Machine) End() {
	if m.detach != nil {
		m.detach()
	}
	m.begun = false
	if base := m.tracker.base; base != nil && base.warmPages() == nil {
		m.learn(base)
	}
	m.mu.Lock()
	// From here on nobody sends a signal to the thread.
	m.session.tid = 0
	m.mu.Unlock()
	m.runner.end()
}

// cancel stops a session, unless it has ended.
func (m *Machine) cancel(number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session.number == number && m.session.tid != 0 {
		m.canceled.Store(true)
		m.kick()
	}
}

// Canceled reports whether the session was cancelled or the machine stopped:
// whether Enter would return ExitCanceled.
func (m *Machine) Canceled() bool { return m.canceled.Load() }

// Stop makes Enter return ExitCanceled from now on, for good. It may be called
// from any goroutine.
func (m *Machine) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	m.canceled.Store(true)
	if m.session.tid != 0 {
		m.kick()
	}
}

// Stopped reports whether Stop was called.
func (m *Machine) Stopped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopped
}

// kick makes Enter look at its flags. Preconditions: mu is held, a session is
// on.
func (m *Machine) kick() {
	m.vcpu.RequestExit()
	if m.running.Load() {
		// It can fail only for a thread that does not exist, and this one does.
		_ = kvm.SignalThread(m.session.tid)
	}
}

// startTimer makes onTick be called from time to time. The timer goes on behind
// the end of a session, once, because to stop and start it around each call would
// cost more than a call that lasts microseconds should pay. Preconditions: mu is
// held.
func (m *Machine) startTimer() {
	switch {
	case m.timer == nil:
		m.timer = time.AfterFunc(tickPeriod, m.onTick)
	case !m.ticking:
		m.timer.Reset(tickPeriod)
	}
	m.ticking = true
}

// onTick lets the guest switch threads if it wants to, and tells one again that was
// told of a tick and has done nothing about it. It costs a guest with one thread
// nothing.
func (m *Machine) onTick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session.tid == 0 || m.closed {
		m.ticking = false
		return
	}
	if time := atomic.LoadUint32(&m.hot.idle); time != 0 {
		m.enough(time) // its threads stand still between calls
	} else if m.running.Load() && (m.tickWanted.Load() != 0 || m.tickPending.Load() == abi.TickSoon) {
		m.tick.Store(true)
		m.kick()
	}
	m.timer.Reset(tickPeriod)
}

// Notify raises an event and makes a running guest look at it.
func (m *Machine) Notify(event uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.events.Or(event)
	if m.session.tid != 0 {
		m.tick.Store(true)
		m.kick()
	}
}

// Enter runs the guest until it needs the host. Only between Begin and End, on
// the same goroutine.
func (m *Machine) Enter() (Exit, error) {
	if !m.begun {
		return Exit{}, errNotBegun
	}
	return m.enter()
}

func (m *Machine) enter() (Exit, error) {
	m.running.Store(true)
	defer m.running.Store(false)
	for {
		m.vcpu.ClearExitRequest()
		if m.canceled.Load() {
			return Exit{Kind: ExitCanceled}, nil
		}
		if m.pause.Load() && m.pause.Swap(false) {
			return Exit{Kind: ExitPaused}, nil
		}
		if m.tick.Load() {
			if err := m.injectTick(); err != nil {
				return Exit{}, err
			}
		}
		reason, err := m.runner.run(m.vcpu)
		if err != nil {
			return Exit{}, err
		}
		m.incomplete, m.replaceable = reason == kvm.ExitIO || reason == kvm.ExitMMIO, false
		if reason != kvm.ExitIntr && reason != kvm.ExitIRQWindowOpen {
			exit, err := m.decode(reason)
			m.suspect = m.suspect || exit.Kind != ExitHypercall
			m.replaceable = m.pvm && exit.Kind == ExitHypercall
			return exit, err
		}
	}
}

// injectTick delivers the tick interrupt as soon as the guest can take it. In the
// ring-0 stubs, which on KVM-PVM run with interrupts enabled, it can't: from there
// the handler could not return. But these are the ways into the kernel, and it looks
// for a tick before it leaves. To wait for the end of a stub instead would mean to
// stop in the next one: there KVM-PVM ends the wait for an interrupt window if the
// guest makes one system call after the other.
//
// Guest-controlled: what is pending.
func (m *Machine) injectTick() error {
	m.tick.Store(false)
	m.vcpu.RequestInterruptWindow(false)
	if pending := m.tickPending.Load(); pending != 0 && pending != abi.TickSoon {
		return nil // the guest has yet to handle the one before
	}
	inStub, err := m.inStub()
	switch {
	case err != nil:
		return err
	case inStub:
		m.tickPending.Store(abi.TickSoon)
		return nil
	case !m.vcpu.ReadyForInterrupt():
		m.tick.Store(true)
		m.vcpu.RequestInterruptWindow(true)
		return nil
	}
	m.tickPending.Store(abi.TickInjected)
	return m.vcpu.Interrupt(abi.TickVector)
}

// inStub reports whether the guest is in one of the ring-0 stubs.
func (m *Machine) inStub() (bool, error) {
	var regs kvm.Regs
	if err := m.vcpu.GetRegs(&regs); err != nil {
		return false, err
	}
	return regs.RIP >= m.kernel.Ring0Start && regs.RIP < m.kernel.Ring0End, nil
}

// settleRuns is how many runs the completion of an exit may take. KVM's emulator goes
// on with a repeated string instruction until 1024 repetitions are done, and leaves for
// each access to memory that isn't there; a repetition makes two, and one that crosses
// a page comes in two pieces.
const settleRuns = 4 * 1024

// errUnsettled means that the guest's last instruction didn't end.
var errUnsettled = errors.New("machine: the guest's last instruction does not come to an end")

// settle completes the last exit without letting the guest run on, so that the
// registers may be replaced. "The pending operation is completed" by a run that
// ends before it enters the guest. What is not completed would be when the guest runs
// next, with the registers that it has then.
func (m *Machine) settle() error {
	m.vcpu.RequestExit()
	defer m.vcpu.ClearExitRequest()
	for range settleRuns {
		if !m.incomplete {
			return nil
		}
		reason, err := m.runner.run(m.vcpu) // where it always runs: see runner.go
		if err != nil {
			return err
		}
		m.incomplete = reason == kvm.ExitIO || reason == kvm.ExitMMIO
	}
	if m.incomplete {
		return errUnsettled
	}
	return nil
}
