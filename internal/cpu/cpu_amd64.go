package cpu

// Ticks returns the time stamp counter, the clock that host and guests share:
// counting is all that it does, at a rate that stays the same.
func Ticks() uint64

// Pause is a short wait, of a processor that watches memory which another one
// writes (Intel SDM volume 2, PAUSE).
func Pause()

// Publish stores a word behind all that was stored before it: who sees the word
// sees that too. Unlike an atomic store it doesn't wait until it is seen, and later
// loads may overtake it; where that matters it takes a Barrier.
//
//go:noescape
func Publish(word *uint32, v uint32)

// Publish64 is Publish for a longer word.
//
//go:noescape
func Publish64(word *uint64, v uint64)

// Barrier lets no load overtake the stores before it (Intel SDM volume 3, 9.2.2).
func Barrier()

// Fetch gets b into the processor's cache, to be read: it begins with that, and
// doesn't wait.
//
//go:noescape
func Fetch(b []byte)

// Claim gets b into the processor's cache, to be written: it begins with that, and
// doesn't wait. It is for memory that another processor has looked at last and that
// is about to be written. It reads and changes nothing.
//
//go:noescape
func Claim(b []byte)

// IsASCII reports whether no byte of b is more than 127.
//
//go:noescape
func IsASCII(b []byte) bool

// IsASCIIString is IsASCII for strings.
//
//go:noescape
func IsASCIIString(s string) bool
