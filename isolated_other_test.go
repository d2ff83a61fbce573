//go:build !linux

package airlock_test

// isolatedMain is for workers, which there are only on Linux.
func isolatedMain() {}
