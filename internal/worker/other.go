//go:build !linux || !amd64

package worker

import (
	"context"

	"github.com/airlockvm/airlock/internal/seccomp"
	"github.com/airlockvm/airlock/internal/wire"
)

// Process is a worker, which there is none of here.
type Process struct{}

// Name returns false.
func Name() (string, bool) { return "", false }

// CanFence returns false.
func CanFence() bool { return false }

// Serve returns.
func Serve(func(seccomp.Runtime) ([]seccomp.Rule, error), func(*wire.Call) wire.Result) {}

// Start fails.
func Start(context.Context, string, bool) (*Process, error) { return nil, seccomp.ErrUnsupported }

// Call fails.
func (*Process) Call(context.Context, *wire.Call, wire.Kind, int) (wire.Result, *seccomp.Denial, error) {
	return wire.Result{}, nil, seccomp.ErrUnsupported
}

// Usable returns false.
func (*Process) Usable() bool { return false }

// Close does nothing.
func (*Process) Close() {}
