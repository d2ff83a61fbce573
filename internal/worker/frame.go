// Package worker runs functions in another process of the same program, under a
// seccomp filter. process_linux_amd64.go is the side of the application,
// serve_linux_amd64.go that of the worker. They talk through pipes, in the messages of
// package wire: a call there, its result back.
package worker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/airlockvm/airlock/internal/wire"
)

// MaxMessage is the length of the longest message, with its prefix.
const MaxMessage = 64 << 20

// ErrMessage means that the other side has sent what is no message.
var ErrMessage = errors.New("worker: not a message")

// errTooLarge means that a message was longer than the limit. It was read to its end.
var errTooLarge = errors.New("worker: a message is too large")

// tooLarge is the result of a function whose own can't be sent.
func tooLarge() wire.Result {
	return wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeTooLarge, Message: "the host function's result can't be sent"}}
}

const (
	prefix = 4 // bytes of the length in front of a message: of the rest
	chunk  = 64 << 10
)

// readMessage reads a message, with its prefix, into buf if that is large
// enough. The length is the word of the other side: memory is taken as bytes
// arrive, and for no more than limit of them.
func readMessage(r io.Reader, buf []byte, limit int) ([]byte, error) {
	buf = append(buf[:0], make([]byte, prefix)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf, err
	}
	rest := int64(binary.LittleEndian.Uint32(buf))
	if rest > MaxMessage-prefix {
		return buf, fmt.Errorf("%w: of %d bytes, the most is %d", ErrMessage, rest+prefix, MaxMessage)
	}
	if rest+prefix > int64(limit) {
		if _, err := io.CopyN(io.Discard, r, rest); err != nil {
			return buf, noEOF(err)
		}
		return buf, errTooLarge
	}
	for rest > 0 {
		n, start := min(rest, chunk), len(buf)
		buf = append(buf, make([]byte, n)...)
		if _, err := io.ReadFull(r, buf[start:]); err != nil {
			return buf, noEOF(err)
		}
		rest -= n
	}
	return buf, nil
}

// noEOF turns the end of what is read into an error: it came in the middle.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
