package tsc

// Read returns the counter.
func Read() uint64

// Pause is a short wait, of a processor that watches memory which another one
// writes (Intel SDM volume 2, PAUSE).
func Pause()
