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
