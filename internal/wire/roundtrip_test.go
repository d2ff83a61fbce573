package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// forEachSample runs a subtest for each sample of each kind of message.
func forEachSample(t *testing.T, run func(t *testing.T, c codec, s sample)) {
	t.Helper()
	for _, c := range codecs() {
		for _, s := range c.samples {
			t.Run(c.msg.name+"/"+s.name, func(t *testing.T) { run(t, c, s) })
		}
	}
}

// TestRoundTrip writes each sample, with this package and with the library, and
// reads each with this package and with the generated code.
func TestRoundTrip(t *testing.T) {
	forEachSample(t, func(t *testing.T, c codec, s sample) {
		t.Helper()
		want := describe(s.value)
		ours, library := c.mustEncode(t, s.value), c.build(s.value)
		for _, msg := range [][]byte{ours, library} {
			got, err := c.decode(msg)
			if err != nil {
				t.Fatalf("decode: %v\n%x", err, msg)
			}
			if got := describe(got); got != want {
				t.Errorf("decoded\n%swant\n%s", got, want)
			}
			if got := describe(c.reference(msg)); got != want {
				t.Errorf("the generated code reads\n%swant\n%s", got, want)
			}
		}
		if len(ours) > len(library)+32 {
			t.Errorf("%d bytes, the library needs %d", len(ours), len(library))
		}
	})
}

// TestAppend checks what append promises: what was in dst stays, and the
// message doesn't depend on it.
func TestAppend(t *testing.T) {
	forEachSample(t, func(t *testing.T, c codec, s sample) {
		t.Helper()
		want := c.mustEncode(t, s.value)
		for _, n := range []int{1, 3, 8} {
			dst := make([]byte, n, n+len(want)+5)
			dirty := dst[:cap(dst)]
			for i := range dirty {
				dirty[i] = 0xa5
			}
			got, err := c.encode(dst, s.value)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[:n], bytes.Repeat([]byte{0xa5}, n)) || !bytes.Equal(got[n:], want) {
				t.Errorf("behind %d bytes: %x, want %x", n, got[n:], want)
			}
			if &got[0] != &dst[0] {
				t.Errorf("dst of sufficient capacity was not used")
			}
			if tail := dirty[len(got):]; !bytes.Equal(tail, bytes.Repeat([]byte{0xa5}, len(tail))) {
				t.Errorf("bytes behind the message were written: %x", tail)
			}
		}
	})
}

// TestPut checks that a message fills exactly its part of a buffer that was
// full of other bytes, and that one byte less is too little.
func TestPut(t *testing.T) {
	forEachSample(t, func(t *testing.T, c codec, s sample) {
		t.Helper()
		want := c.mustEncode(t, s.value)
		buf := bytes.Repeat([]byte{0xa5}, len(want)+9)
		n, err := c.put(buf, s.value)
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Fatalf("put = %d, %v\n%x\nwant\n%x", n, err, buf[:n], want)
		}
		if !bytes.Equal(buf[n:], bytes.Repeat([]byte{0xa5}, 9)) {
			t.Errorf("bytes behind the message were written: %x", buf[n:])
		}
		for _, size := range []int{0, 1, len(want) - 1} {
			small := bytes.Repeat([]byte{0xa5}, size)
			n, err := c.put(small, s.value)
			var e *Error
			if n != 0 || !errors.As(err, &e) || e.Reason != ErrMessageSize || !errors.Is(err, ErrTooLarge) ||
				!errors.Is(err, ErrInvalid) || errors.Is(err, ErrMalformed) {
				t.Fatalf("put into %d bytes = %d, %v", size, n, err)
			}
			if e.Got != uint64(len(want)) || e.Limit != uint64(size) {
				t.Errorf("put into %d bytes: got %d, limit %d; the message has %d", size, e.Got, e.Limit, len(want))
			}
			if !bytes.Equal(small, bytes.Repeat([]byte{0xa5}, size)) {
				t.Errorf("a refused message was written in part")
			}
		}
	})
}

// TestAppendWithin checks that a message that is too long is refused before
// memory is taken for it, and that a buffer grows to no more than it needs.
func TestAppendWithin(t *testing.T) {
	value := Bytes(make([]byte, 1<<20))
	call, result := Call{Name: "f", Args: []Value{value}}, Result{Value: value}
	for name, appendWithin := range map[string]func(dst []byte, limit int) ([]byte, error){
		"call":   func(dst []byte, limit int) ([]byte, error) { return AppendCallWithin(dst, &call, limit) },
		"result": func(dst []byte, limit int) ([]byte, error) { return AppendResultWithin(dst, &result, limit) },
	} {
		msg, err := appendWithin(make([]byte, 0, 1<<20), MaxMessage)
		if err != nil || cap(msg) > len(msg)+16<<10 {
			t.Fatalf("%s: %d bytes for a message of %d, %v", name, cap(msg), len(msg), err)
		}
		if again, err := appendWithin(msg[:0], len(msg)); err != nil || &again[0] != &msg[0] {
			t.Errorf("%s: a message that just fits: %v", name, err)
		}
		var e *Error
		dst := []byte("x")
		dst, err = appendWithin(dst, len(msg)-1)
		if !errors.As(err, &e) || e.Reason != ErrMessageSize || e.Got != uint64(len(msg)) || e.Limit != uint64(len(msg)-1) {
			t.Errorf("%s: a byte too long: %v", name, err)
		}
		if string(dst) != "x" || cap(dst) > 64 {
			t.Errorf("%s: a refused message left %q, with room for %d", name, dst, cap(dst))
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = appendWithin(nil, 100) }); n > 3 { // the error
			t.Errorf("%s: a refusal takes %v allocations", name, n)
		}
	}
}

// TestAlignment checks that eight-byte numbers are aligned wherever they come.
func TestAlignment(t *testing.T) {
	for n := range 9 {
		c := Call{Name: strings.Repeat("n", n+1), Args: []Value{Int64(-2), Bool(true), Float64(0.5), Uint64(3)}}
		msg := callCodec.mustEncode(t, c)
		if got, err := DecodeCall(msg); err != nil || describe(got) != describe(c) {
			t.Errorf("name of %d bytes: %v\n%s", n+1, err, describe(got))
		}
	}
}

// TestFullLists passes the largest lists and one item more.
func TestFullLists(t *testing.T) {
	full := Declaration{Exports: manyFunctions(MaxFunctions), Imports: manyFunctions(MaxFunctions)}
	msg := declarationCodec.mustEncode(t, full)
	got, err := DecodeDeclaration(msg)
	if err != nil || describe(got) != describe(full) {
		t.Fatalf("full declaration: %v", err)
	}
	if _, err := DecodeDeclaration(buildDeclaration(full)); err != nil {
		t.Errorf("full declaration of the library: %v", err)
	}
	for _, n := range []int{MaxFunctions + 1, 10_000} {
		long := manyFunctions(n)
		for _, d := range []Declaration{{Exports: long}, {Imports: long}} {
			wantLimit(t, d, declarationCodec, uint64(n), MaxFunctions)
		}
		wantLimit(t, HostFunctions{long}, hostFunctionsCodec, uint64(n), MaxFunctions)
	}
	args := make([]Value, MaxParams+1)
	for i := range args {
		args[i] = Int32(1)
	}
	wantLimit(t, Call{Name: "f", Args: args}, callCodec, MaxParams+1, MaxParams)
	wantLimit(t, LogRecord{Level: LevelInfo, Attrs: make([]Attr, MaxLogAttrs+1)}, logCodec, MaxLogAttrs+1, MaxLogAttrs)
}

// wantLimit checks that a list of n items is refused both ways.
func wantLimit(t *testing.T, v any, c codec, n, limit uint64) {
	t.Helper()
	_, sending := c.encode(nil, v)
	_, receiving := c.decode(c.build(v))
	for _, err := range []error{sending, receiving} {
		var e *Error
		if !errors.As(err, &e) || e.Reason != ErrCount || e.Got != n || e.Limit != limit || !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d items, %d allowed: %v", n, limit, err)
		}
	}
}

// TestLargest passes a parameter that fills a large buffer to its last byte.
func TestLargest(t *testing.T) {
	buf := make([]byte, 1<<20)
	data := bytes.Repeat([]byte("0123456789abcdef"), len(buf)/16)
	for _, make := range []func(n int) Value{
		func(n int) Value { return Bytes(data[:n]) },
		func(n int) Value { return String(string(data[:n])) },
	} {
		overhead, err := PutCall(buf, &Call{Name: "f", Args: []Value{make(0)}})
		if err != nil {
			t.Fatal(err)
		}
		c := Call{Name: "f", Args: []Value{make(len(buf) - overhead)}}
		n, err := PutCall(buf, &c)
		if err != nil || n != len(buf) {
			t.Fatalf("a message of the size of the buffer: %d, %v", n, err)
		}
		if got, err := DecodeCall(buf); err != nil || !got.Args[0].Equal(c.Args[0]) {
			t.Errorf("decode: %v", err)
		}
		c.Args[0] = make(len(buf) - overhead + 1)
		if _, err := PutCall(buf, &c); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a byte more: %v", err)
		}
	}
}

// TestLogRecordFits checks that the largest record fits into a default buffer,
// as the documentation of PutLogRecord says.
func TestLogRecordFits(t *testing.T) {
	buf := make([]byte, 64<<10)
	r := largestLogRecord()
	n, err := PutLogRecord(buf, &r)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeLogRecord(buf[:n]); err != nil || describe(got) != describe(r) {
		t.Errorf("decode: %v", err)
	}
}

// TestAliasing checks what decoded values share with the message: only bytes,
// and not what lies behind them.
func TestAliasing(t *testing.T) {
	c := Call{Name: "f", Args: []Value{String("text"), Bytes([]byte("data")), Bytes(nil)}}
	msg := callCodec.mustEncode(t, c)
	got, err := DecodeCall(msg)
	if err != nil {
		t.Fatal(err)
	}
	own := got.Args[1]
	own.Own()
	before := bytes.Clone(msg)
	_ = append(first(got.Args[1].Bytes()), "overwritten"...)
	_ = append(first(got.Args[2].Bytes()), "overwritten"...)
	if !bytes.Equal(msg, before) {
		t.Error("an append to decoded bytes changed the message")
	}
	clear(msg)
	if got.Name != "f" || first(got.Args[0].Text()) != "text" {
		t.Error("decoded texts changed with the message")
	}
	if string(first(got.Args[1].Bytes())) != "\x00\x00\x00\x00" {
		t.Error("decoded bytes are not those of the message, as documented")
	}
	if string(first(own.Bytes())) != "data" {
		t.Error("own bytes changed with the message")
	}
}

// TestSizePrefix checks that the prefix states exactly what follows it.
func TestSizePrefix(t *testing.T) {
	forEachSample(t, func(t *testing.T, c codec, s sample) {
		t.Helper()
		msg := c.mustEncode(t, s.value)
		if got := binary.LittleEndian.Uint32(msg); int(got) != len(msg)-4 {
			t.Errorf("prefix %d of a message of %d bytes", got, len(msg))
		}
		for _, wrong := range [][]byte{append(bytes.Clone(msg), 0), msg[:len(msg)-1]} {
			if _, err := c.decode(wrong); !errors.Is(err, ErrSize) {
				t.Errorf("%d bytes, prefix for %d: %v", len(wrong), len(msg), err)
			}
		}
	})
}
