package machine

import (
	"math/bits"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/guestmem"
)

// clock is the host's side of the clock page: guest time is a linear function
// of the time stamp counter, which host and guest share.
type clock struct {
	memory     *guestmem.Memory
	sequence   guestmem.Word32
	generation uint64
	written    uint64 // when it was, in ticks
	clockBase
}

// clockBase is the linear function.
type clockBase struct {
	baseTSC    uint64
	baseNS     uint64
	multiplier uint64
}

// bootTime is what the monotonic clock shows when a guest boots. It isn't 0
// because programs, Go's runtime among them, take 0 for "not read yet".
const bootTime = uint64(time.Second)

func (c *clock) share(memory *guestmem.Memory, word func(uint64) guestmem.Word32) {
	c.memory = memory
	c.sequence = word(abi.ClockGPA - abi.ControlGPA + abi.ClockOffsetSequence)
}

// start makes it bootTime now.
func (c *clock) start(tscKHz uint64) error {
	c.baseTSC, c.baseNS = cpu.Ticks(), bootTime
	c.multiplier = clockMultiplier(tscKHz)
	return c.write()
}

// clockMultiplier has 32 fractional bits; that of a counter of 1 MHz or more fits
// into 64.
func clockMultiplier(tscKHz uint64) uint64 {
	const nsPerMS = 1e6
	return nsPerMS << 32 / max(tscKHz, 1)
}

// now returns the guest's monotonic time in ns.
func (c *clock) now() uint64 {
	high, low := bits.Mul64(cpu.Ticks()-c.baseTSC, c.multiplier)
	return c.baseNS + high<<32 + low>>32
}

// write publishes the clock with the wall time of now, which may have been set
// since it was written last. The guest never sees it halfway: the sequence
// number is odd in between.
func (c *clock) write() error {
	c.written = cpu.Ticks()
	wall := uint64(time.Now().UnixNano())
	page := abi.Clock{
		BaseTsc:    c.baseTSC,
		BaseNs:     c.baseNS,
		Multiplier: c.multiplier,
		WallOffset: wall - c.now(),
		Generation: c.generation,
	}
	// The guest's processor does not run meanwhile, but a thread of it may be
	// stopped in the middle of reading.
	sequence := c.sequence.Load() &^ 1
	c.sequence.Store(sequence + 1)
	fields := abi.Bytes(&page)[abi.ClockOffsetBaseTsc:]
	if err := c.memory.CopyIn(abi.ClockGPA+abi.ClockOffsetBaseTsc, fields); err != nil {
		return err
	}
	c.sequence.Store(sequence + 2)
	return nil
}

// refreshTicks is for how long what was written is good enough: the wall clock
// is moved by half a microsecond in that time at most, unless it is set.
const refreshTicks = 1 << 21 // 0.4 to 2 ms

// refresh writes the clock if that was some time ago.
func (c *clock) refresh() {
	if cpu.Ticks()-c.written > refreshTicks {
		_ = c.write() // can't fail once it was started
	}
}

// Now returns the guest's monotonic time in ns, the unit of abi.Wait.
func (m *Machine) Now() uint64 { return m.clock.now() }

// Until returns how long it is until a time of the guest's monotonic clock,
// and not more than a century.
//
// Guest-controlled: deadline.
func (m *Machine) Until(deadline uint64) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	now := m.clock.now()
	if deadline <= now {
		return 0
	}
	return time.Duration(min(deadline-now, uint64(century)))
}
