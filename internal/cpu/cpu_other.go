//go:build !amd64

package cpu

import "sync/atomic"

// Ticks returns 0.
func Ticks() uint64 { return 0 }

// Pause does nothing.
func Pause() {}

// Publish is an atomic store.
func Publish(word *uint32, v uint32) { atomic.StoreUint32(word, v) }

// Publish64 is an atomic store.
func Publish64(word *uint64, v uint64) { atomic.StoreUint64(word, v) }

// Barrier does nothing: atomic stores have one.
func Barrier() {}

// Fetch does nothing.
func Fetch([]byte) {}

// Claim does nothing.
func Claim([]byte) {}

// IsASCII reports whether no byte of b is more than 127.
func IsASCII(b []byte) bool { return isASCII(b) }

// IsASCIIString is IsASCII for strings.
func IsASCIIString(s string) bool { return isASCII(s) }

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] > 127 {
			return false
		}
	}
	return true
}
