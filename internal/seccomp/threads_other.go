//go:build !linux || !amd64

package seccomp

import (
	"errors"

	"golang.org/x/net/bpf"
)

// ErrEnded means that the function has ended its goroutine.
var ErrEnded = errors.New("seccomp: the function ended its goroutine")

// Denial is a system call that was refused.
type Denial struct {
	Nr   int
	Arch uint32
	IP   uint64
	Args [6]uint64
}

// Threads is a share in a pool of threads under one program.
type Threads struct{}

// JoinThreads returns a share in nothing.
func JoinThreads([]bpf.RawInstruction) *Threads { return &Threads{} }

// Leave gives the share back.
func (*Threads) Leave() {}

// Do fails.
func (*Threads) Do(func()) (first Denial, denied int, err error) { return first, 0, ErrUnsupported }

// Supported returns ErrUnsupported.
func Supported() error { return ErrUnsupported }

// FindRuntime fails.
func FindRuntime() (Runtime, error) { return Runtime{}, ErrUnsupported }
