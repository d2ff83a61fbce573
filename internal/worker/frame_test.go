package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/airlockvm/airlock/internal/wire"
)

// sample returns a message.
func sample(tb testing.TB, text string) []byte {
	tb.Helper()
	message, err := wire.AppendResult(nil, &wire.Result{Value: wire.String(text)})
	if err != nil {
		tb.Fatal(err)
	}
	return message
}

// TestReadMessage reads messages one after another, in pieces of any size.
func TestReadMessage(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte("x"), 3*chunk))
	stream := append(append(sample(t, "one"), sample(t, long)...), sample(t, "")...)
	for _, r := range []io.Reader{bytes.NewReader(stream), iotest.OneByteReader(bytes.NewReader(stream))} {
		var buf []byte
		for _, want := range []string{"one", long, ""} {
			var err error
			if buf, err = readMessage(r, buf, MaxMessage); err != nil {
				t.Fatal(err)
			}
			result, err := wire.DecodeResult(buf)
			if got, _ := result.Value.Text(); got != want || err != nil {
				t.Errorf("%.10q instead of %.10q, %v", got, want, err)
			}
		}
		if _, err := readMessage(r, buf, MaxMessage); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

// TestReadMessageRefusals: what is cut off, and what claims to be too long.
func TestReadMessageRefusals(t *testing.T) {
	t.Parallel()
	whole := sample(t, "text")
	for n := 1; n < len(whole); n++ {
		if _, err := readMessage(bytes.NewReader(whole[:n]), nil, MaxMessage); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, length := range []uint32{MaxMessage - prefix + 1, 1<<31 - 1, 1<<32 - 1} {
		huge := append(binary.LittleEndian.AppendUint32(nil, length), whole...)
		if _, err := readMessage(bytes.NewReader(huge), nil, MaxMessage); !errors.Is(err, ErrMessage) {
			t.Errorf("%d: %v", length, err)
		}
	}
	// The length alone takes no memory.
	claimed := binary.LittleEndian.AppendUint32(nil, MaxMessage-prefix)
	buf, err := readMessage(bytes.NewReader(append(claimed, whole...)), nil, MaxMessage)
	if !errors.Is(err, io.ErrUnexpectedEOF) || cap(buf) > 4*chunk {
		t.Errorf("%d bytes for %d, %v", cap(buf), len(whole), err)
	}
}

// TestReadMessageLimit: what is too large is skipped, and takes no memory.
func TestReadMessageLimit(t *testing.T) {
	t.Parallel()
	const limit = chunk
	fits, exceeds := sample(t, string(bytes.Repeat([]byte("x"), limit-100))), sample(t, string(bytes.Repeat([]byte("x"), 40*limit)))
	r := bytes.NewReader(append(append([]byte{}, exceeds...), fits...))
	buf, err := readMessage(r, nil, limit)
	if !errors.Is(err, errTooLarge) || cap(buf) > limit {
		t.Errorf("%d bytes of memory, %v", cap(buf), err)
	}
	if buf, err = readMessage(r, buf, limit); err != nil || !bytes.Equal(buf, fits) {
		t.Errorf("the next message: %d bytes, %v", len(buf), err)
	}
	if _, err := readMessage(bytes.NewReader(exceeds[:len(exceeds)-1]), nil, limit); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// FuzzReadMessage reads what a worker that has been taken over may send.
func FuzzReadMessage(f *testing.F) {
	f.Add(sample(f, "text"))
	f.Add([]byte{})
	f.Add([]byte{255, 255, 255, 255, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		var buf []byte
		for {
			var err error
			if buf, err = readMessage(r, buf, MaxMessage); err != nil {
				break
			}
			if cap(buf) > 4*(len(stream)+chunk) {
				t.Fatalf("%d bytes for %d", cap(buf), len(stream))
			}
			if result, err := wire.DecodeResult(buf); err == nil {
				if _, err := wire.AppendResult(nil, &result); err != nil {
					t.Fatalf("a result that can't be sent: %v", err)
				}
			}
		}
	})
}
