// Package kvm speaks to /dev/kvm: one method per ioctl, structs that mirror the
// kernel's, and nothing that decides anything.
//
// A [System] is the open device, a [VM] one virtual machine, a [VCPU] one
// virtual CPU with its mapped run page. What to put into them is the business
// of internal/machine. Passages from the kernel's Documentation/virt/kvm/api.rst
// are in double quotes.
//
// The package builds on every platform; elsewhere than on linux/amd64, opening
// the device fails with [ErrNotAvailable].
package kvm

import (
	"errors"
	"fmt"
)

// DefaultDevice is where the kernel offers KVM.
const DefaultDevice = "/dev/kvm"

// APIVersion is the only version of the KVM interface. "Applications should
// refuse to run if KVM_GET_API_VERSION returns a value other than 12", says its
// documentation.
const APIVersion = 12

// ErrNotAvailable means that this host can't run virtual machines, or won't let
// this process. The error that wraps it says why and what to do.
var ErrNotAvailable = errors.New("KVM is not available")

// Error is an operation that the kernel refused.
type Error struct {
	// Op is what was asked, by the name that the kernel's documentation has for it.
	Op string
	// Err is the reason, as a rule an errno.
	Err error
}

// Error describes the refusal.
func (e *Error) Error() string { return fmt.Sprintf("kvm: %s: %v", e.Op, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// notAvailable wraps ErrNotAvailable with the cure and its cause.
func notAvailable(cure string, cause error) error {
	return fmt.Errorf("%w: %s: %w", ErrNotAvailable, cure, cause)
}
