package wire

import (
	"strings"
	"testing"
)

// hotMessages are the messages of a call that echoes n bytes.
func hotMessages(n int) (Call, Result) {
	text := strings.Repeat("0123456789abcdef", n/16)
	return Call{Name: "Echo", Args: []Value{String(text)}}, Result{Value: String(text)}
}

// TestAllocations pins what the messages of a call allocate: nothing to write
// them, and to read them what the caller gets.
func TestAllocations(t *testing.T) {
	call, result := hotMessages(64)
	void := Result{Value: Void()}
	bytesCall := Call{Name: "Echo", Args: []Value{Bytes(make([]byte, 4096))}}
	buf := make([]byte, 0, 64<<10)
	callMsg, resultMsg := callCodec.mustEncode(t, call), resultCodec.mustEncode(t, result)
	voidMsg, bytesMsg := resultCodec.mustEncode(t, void), callCodec.mustEncode(t, bytesCall)
	var err error
	callForm := NewForm(call.Name, kindsOf(call.Args))
	strings, data := NewReader(func(string) *Form { return callForm }), NewReader(func(string) *Form { return nil })
	for _, row := range []struct {
		name string
		want float64
		run  func()
	}{
		{"AppendCall", 0, func() { buf, err = AppendCall(buf[:0], &call) }},
		{"PutCall", 0, func() { _, err = PutCall(buf[:cap(buf)], &call) }},
		{"PutCall with its arguments", 0, func() {
			args := [2]Value{String("a"), Int64(2)}
			_, err = PutCall(buf[:cap(buf)], &Call{Name: "f", Args: args[:]})
		}},
		{"PutResult", 0, func() { _, err = PutResult(buf[:cap(buf)], &result) }},
		{"DecodeCall of a string: name, Args, string", 3, func() { _, err = DecodeCall(callMsg) }},
		{"DecodeCall of bytes: name, Args", 2, func() { _, err = DecodeCall(bytesMsg) }},
		{"Reader.Read of a string", 1, func() { err = strings.Read(callMsg) }},
		{"Reader.Read of bytes, without a form", 0, func() { err = data.Read(bytesMsg) }},
		{"Form.Put", 0, func() { _, err = callForm.Put(buf[:cap(buf)], call.Args) }},
		{"DecodeResult of a string", 1, func() { _, err = DecodeResult(resultMsg) }},
		{"DecodeResult of void", 0, func() { _, err = DecodeResult(voidMsg) }},
	} {
		if got := testing.AllocsPerRun(100, row.run); got != row.want || err != nil {
			t.Errorf("%s: %v allocations, want %v (%v)", row.name, got, row.want, err)
		}
	}
}

func benchmarkSizes(b *testing.B, run func(b *testing.B, c *Call, r *Result)) {
	b.Helper()
	for _, size := range []struct {
		name string
		n    int
	}{{"64B", 64}, {"64KiB", 64 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			call, result := hotMessages(size.n)
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			run(b, &call, &result)
		})
	}
}

func BenchmarkPutCall(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, c *Call, _ *Result) {
		b.Helper()
		buf := make([]byte, 1<<17)
		for b.Loop() {
			if _, err := PutCall(buf, c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeCall(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, c *Call, _ *Result) {
		b.Helper()
		msg := callCodec.mustEncode(b, *c)
		for b.Loop() {
			if _, err := DecodeCall(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeResult(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, _ *Call, r *Result) {
		b.Helper()
		msg := resultCodec.mustEncode(b, *r)
		for b.Loop() {
			if _, err := DecodeResult(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkVerify is the share of DecodeCall that goes into checking.
func BenchmarkVerify(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, c *Call, _ *Result) {
		b.Helper()
		msg := callCodec.mustEncode(b, *c)
		for b.Loop() {
			if _, e := verify(msg, &callMessage); e != nil {
				b.Fatal(e)
			}
		}
	})
}

func BenchmarkDecodeDeclaration(b *testing.B) {
	msg := declarationCodec.mustEncode(b, Declaration{Exports: manyFunctions(MaxFunctions)})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeDeclaration(msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefuse is the worst that a hostile message can cost: one that is
// refused at its end.
func BenchmarkRefuse(b *testing.B) {
	list := manyFunctions(MaxFunctions)
	list[MaxFunctions-1].Name = list[0].Name
	msg := buildHostFunctions(HostFunctions{list})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeHostFunctions(msg); err == nil {
			b.Fatal("accepted")
		}
	}
}
