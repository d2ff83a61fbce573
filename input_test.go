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
		"hesitating":  {&hesitatingReader{Reader: strings.NewReader(text)}, text},
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

// hesitatingReader has nothing most of the time, and doesn't say why.
type hesitatingReader struct {
	io.Reader
	n int
}

func (r *hesitatingReader) Read(p []byte) (int, error) {
	if r.n++; r.n%50 != 0 {
		return 0, nil
	}
	return r.Reader.Read(p)
}

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

// TestInputPumpAnnounces: an event is raised before whoever waits is woken, who may not
// look again later, and nobody has to be there to be woken.
func TestInputPumpAnnounces(t *testing.T) {
	t.Parallel()
	var p *inputPump
	notified := make(chan bool, 100)
	p = newInputPump(iotest.OneByteReader(strings.NewReader("input")), func() { notified <- len(p.wake) == 0 })
	var got []byte
	for buffer := make([]byte, 10); ; {
		n, status := p.read(buffer)
		got = append(got, buffer[:n]...)
		if status == inputEnd {
			break
		}
		if status == inputPending && !<-notified && len(got) == 0 {
			t.Error("the first who waits is woken before there is an event")
		}
	}
	if string(got) != "input" {
		t.Errorf("read %q", got)
	}
}

// TestInputPumpStopped: what is read when nobody waits any more is announced to nobody:
// the machine may run something else by then.
func TestInputPumpStopped(t *testing.T) {
	t.Parallel()
	source, sink := io.Pipe()
	p := newInputPump(source, func() { t.Error("input was announced behind the end") })
	if n, status := p.read(make([]byte, 1)); n != 0 || status != inputPending {
		t.Fatalf("read = %d, %d; want 0, inputPending", n, status)
	}
	p.stop()
	if _, err := sink.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for there := 0; there == 0; time.Sleep(time.Millisecond) {
		there, _ = p.peek()
	}
	time.Sleep(10 * time.Millisecond)
	if len(p.wake) != 0 {
		t.Error("somebody would be woken")
	}
}
