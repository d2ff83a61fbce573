package airlock

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// drain reads a pump to its end, waiting where it says so.
func drain(t *testing.T, p *inputPump, chunk int) string {
	t.Helper()
	var got strings.Builder
	buffer := make([]byte, chunk)
	for {
		n, status := p.read(buffer)
		got.Write(buffer[:n])
		switch status {
		case inputEnd:
			return got.String()
		case inputPending:
			select {
			case <-p.ready():
			case <-time.After(5 * time.Second):
				t.Fatal("nobody said that there is input")
			}
		case inputData:
		}
	}
}

func TestInputPump(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("all that is written to stdin ", 5000)
	tests := map[string]struct {
		source io.Reader
		want   string
	}{
		"nil":         {nil, ""},
		"empty":       {strings.NewReader(""), ""},
		"strings":     {strings.NewReader(text), text},
		"bytes":       {bytes.NewReader([]byte(text)), text},
		"buffer":      {bytes.NewBufferString(text), text},
		"one byte":    {iotest.OneByteReader(strings.NewReader(text[:500])), text[:500]},
		"half":        {iotest.HalfReader(strings.NewReader(text)), text},
		"data at EOF": {iotest.DataErrReader(strings.NewReader(text)), text},
		"error":       {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("ab"))), "a"},
		"no progress": {iotest.ErrReader(io.ErrNoProgress), ""},
		"stuck":       {stuckReader{}, ""},
		"lying":       {&lyingReader{}, string(make([]byte, inputChunk))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newInputPump(test.source, func() {})
			if got := drain(t, p, 1000); got != test.want {
				t.Errorf("read %d bytes, want %d", len(got), len(test.want))
			}
			if n, status := p.peek(); n != 0 || status != inputEnd {
				t.Errorf("peek after the end = %d, %d; want 0, inputEnd", n, status)
			}
		})
	}
}

// stuckReader returns nothing and no error, for ever.
type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// lyingReader claims more bytes than it was given room for, once.
type lyingReader struct{ done bool }

func (r *lyingReader) Read(p []byte) (int, error) {
	if r.done {
		return -7, io.EOF
	}
	r.done = true
	return len(p) + 1, nil
}

// TestInputPumpOnDemand: nothing is read before the guest asks, and what was
// read is announced after it can be seen.
func TestInputPumpOnDemand(t *testing.T) {
	t.Parallel()
	source, sink := io.Pipe()
	notified := make(chan struct{}, 10)
	p := newInputPump(source, func() { notified <- struct{}{} })
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = sink.Write([]byte("hello"))
	}()
	select {
	case <-written:
		t.Fatal("the pump read before anybody asked")
	case <-time.After(20 * time.Millisecond):
	}
	if n, status := p.peek(); n != 0 || status != inputPending {
		t.Fatalf("peek = %d, %d; want 0, inputPending", n, status)
	}
	<-notified
	<-p.ready()
	buffer := make([]byte, 3)
	if n, status := p.read(buffer); n != 3 || status != inputData || string(buffer) != "hel" {
		t.Fatalf("read = %d, %d, %q", n, status, buffer)
	}
	if n, status := p.peek(); n != 2 || status != inputData {
		t.Fatalf("peek = %d, %d; want 2, inputData", n, status)
	}
	p.stop()
	_ = sink.CloseWithError(errors.New("gone"))
}
