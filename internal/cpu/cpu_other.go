//go:build !amd64

package cpu

import "sync/atomic"

// Ticks returns 0.
func Ticks() uint64 { return 0 }

// RoughTicks returns 0.
func RoughTicks() uint64 { return 0 }

// Pause does nothing.
func Pause() {}

// Publish is an atomic store.
func Publish(word *uint32, v uint32) { atomic.StoreUint32(word, v) }

// Barrier does nothing: atomic stores have one.
func Barrier() {}

// Fetch does nothing.
func Fetch([]byte) {}

// Claim does nothing.
func Claim([]byte) {}
