//go:build !amd64

package tsc

// Read returns 0.
func Read() uint64 { return 0 }

// Pause does nothing.
func Pause() {}
