package airlock

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// inputChunk is how many bytes are read from stdin at a time.
const inputChunk = 32 << 10

// inputStatus is what can be said of stdin at a moment.
type inputStatus int

const (
	inputData    inputStatus = iota // there are bytes
	inputPending                    // a Read is in progress
	inputEnd                        // there will be no more
)

// inputPump reads from a program's stdin when the program asks. A Read may
// block, so it runs on a goroutine of its own, except for readers that are
// known not to. There is at most one Read at a time.
type inputPump struct {
	source io.Reader
	direct bool   // Read does not block
	notify func() // called when bytes or the end have come

	wake chan struct{} // has a token when bytes or the end have come

	mu      sync.Mutex
	data    []byte // guarded by mu: read and not yet taken
	ended   bool   // guarded by mu
	reading bool   // guarded by mu: a goroutine is in Read
	stopped bool   // guarded by mu: nobody wants the bytes any more
	buffer  []byte // what data lies in; the goroutine's while reading
}

func newInputPump(source io.Reader, notify func()) *inputPump {
	p := &inputPump{source: source, notify: notify, wake: make(chan struct{}, 1)}
	switch source.(type) {
	case nil:
		p.ended = true
	case *bytes.Reader, *strings.Reader, *bytes.Buffer:
		p.direct = true
	}
	return p
}

// read moves what there is to dst.
func (p *inputPump) read(dst []byte) (int, inputStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill()
	n := copy(dst, p.data)
	p.data = p.data[n:]
	return n, p.status(n)
}

// peek returns how many bytes there are.
func (p *inputPump) peek() (int, inputStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fill()
	return len(p.data), p.status(len(p.data))
}

// status describes n bytes that were there. Preconditions: mu is held.
func (p *inputPump) status(n int) inputStatus {
	switch {
	case n > 0:
		return inputData
	case p.ended:
		return inputEnd
	}
	return inputPending
}

// fill starts a Read if there is nothing left. Preconditions: mu is held.
func (p *inputPump) fill() {
	if len(p.data) > 0 || p.ended || p.reading {
		return
	}
	if p.buffer == nil {
		p.buffer = make([]byte, inputChunk)
	}
	if p.direct {
		p.store(readSome(p.source, p.buffer))
		return
	}
	p.reading = true
	go p.fetch()
}

// fetch is the goroutine that waits for bytes.
func (p *inputPump) fetch() {
	n, err := readSome(p.source, p.buffer)
	p.mu.Lock()
	p.reading = false
	p.store(n, err)
	stopped := p.stopped
	p.mu.Unlock()
	if stopped {
		return
	}
	// In this order: whoever is woken must find what notify raises.
	p.notify()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// store notes the result of a Read. Preconditions: mu is held. An error ends
// stdin as its end does: the program has no use for the host's reasons.
func (p *inputPump) store(n int, err error) {
	p.data = p.buffer[:n]
	if err != nil {
		p.ended = true
	}
}

// readSome reads at least one byte unless there is an error.
func readSome(r io.Reader, buffer []byte) (int, error) {
	for range 100 {
		n, err := r.Read(buffer)
		// The source is the application's, but not more trusted than to be in range.
		if n = min(max(n, 0), len(buffer)); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// ready receives when bytes or the end may have come since the last receive.
func (p *inputPump) ready() <-chan struct{} { return p.wake }

// stop means that nobody waits any more.
func (p *inputPump) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}
