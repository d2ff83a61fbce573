package test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// onEachCompiler runs a test with guest.c as each compiler makes it, with sanitizers.
func onEachCompiler(t *testing.T, test func(t *testing.T, h *host)) {
	t.Helper()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			test(t, serveGuest(t, native(t, compiler, "guest.c"), ""))
		})
	}
}

// TestServe: what a guest answers, also where the host library would not have
// asked.
func TestServe(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		if d := h.declaration; d.SDKName != "c" || len(d.Exports) < 50 || len(d.Imports) != 14 {
			t.Errorf("declared %s, %d exports, %d imports", d.SDKName, len(d.Exports), len(d.Imports))
		}
		h.want("-5", "Int32", int32(-5))
		h.want("error unknown function: Nope", "Nope")
		h.want("error unknown function: Int3", "Int3", int32(5))
		h.want("error unknown function: Int322", "Int322", int32(5))
		h.want("error wrong parameters: Int32", "Int32")
		h.want("error wrong parameters: Int32", "Int32", uint32(5))
		h.want("error wrong parameters: Int32", "Int32", int32(5), int32(5))
		h.want("error wrong parameters: Void", "Void", int32(5))
		h.want("error wrong parameters: Sum", "Sum", repeated(31)...)
		h.want("496", "Sum", repeated(32)...)
		h.want("b5in: 0yes", "Mixed", int32(5), "b", []byte("in: "), 0.0, true)
		h.want("<nil>", "Grüße, 火!")
		h.want("<nil>", strings.Repeat("n", 255))
		h.want("error unknown function: "+strings.Repeat("n", 254), strings.Repeat("n", 254))
		h.want("error failed: no: reason", "Error", "reason")
		h.want("third", "Twice")
		h.want("error failed: late", "LateError")
		h.want("local", "Local")
		h.want("ü", "SplitText")
		h.want("error failed: the result is a string that is not valid UTF-8", "BadText")
		h.want("1", "Count")
		h.want("2", "Count")
		if result, _ := h.callMessage([]byte("no message")); result.Err == nil || result.Err.Code != wire.CodeMalformed {
			t.Errorf("no message: %v", result)
		}
		if result, _ := h.callMessage(nil); result.Err == nil || result.Err.Code != wire.CodeMalformed {
			t.Errorf("nothing: %v", result)
		}
		h.want("7", "Int32", int32(7))
	})
}

func repeated(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = int32(i)
	}
	return list
}

// TestSignallingNaN: all bits of floating-point numbers are kept, also of those
// that an operation on them would change.
func TestSignallingNaN(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		for _, bits := range []uint32{0x7f80_0001, 0xff80_0001, 0xffa0_beef} {
			for _, function := range []string{"Float32", "HostFloat32"} {
				want := wire.Float32(math.Float32frombits(bits))
				message, err := wire.AppendCall(nil, &wire.Call{Name: function, Args: []wire.Value{want}})
				if err != nil {
					t.Fatal(err)
				}
				if result, end := h.callMessage(message); end != "" || !result.Value.Equal(want) {
					t.Errorf("%s(%#x) = %v, %s", function, bits, result, end)
				}
			}
		}
	})
}

// TestServeMutations: a guest survives every message, and calls nothing for one
// that internal/wire refuses.
func TestServeMutations(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		random := rand.New(rand.NewPCG(5, 6))
		for _, call := range []wire.Call{
			{Name: "Keep", Args: []wire.Value{wire.String("text"), wire.Bytes([]byte{1, 2})}},
			{Name: "Float64", Args: []wire.Value{wire.Float64(1.5)}},
			{Name: "HostBool", Args: []wire.Value{wire.Bool(true)}},
		} {
			message, err := wire.AppendCall(nil, &call)
			if err != nil {
				t.Fatal(err)
			}
			for range 4 {
				mutations(random, message, func(message []byte) {
					_, err := wire.DecodeCall(message)
					result, end := h.callMessage(message)
					malformed := result.Err != nil && result.Err.Code == wire.CodeMalformed
					if end != "" || malformed != (err != nil) {
						t.Fatalf("%x\nis %v, %s; want %v", message, result, end, err)
					}
				})
			}
		}
		h.want("7", "Int32", int32(7))
	})
}

// TestServeRepeated: a call that begins like the one before is answered like any
// other, whatever the rest of it is.
func TestServeRepeated(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		echoes := [wire.KindVoid + 1]string{wire.KindString: "String", wire.KindBytes: "Bytes"}
		checked := 0
		send := func(message []byte) {
			t.Helper()
			call, err := wire.DecodeCall(message)
			result, end := h.callMessage(message)
			malformed := result.Err != nil && result.Err.Code == wire.CodeMalformed
			if end != "" || malformed != (err != nil) {
				t.Fatalf("%x\nis %v, %s; want %v", message, result, end, err)
			}
			if len(call.Args) == 1 && call.Name == echoes[call.Args[0].Kind()] {
				if checked++; !result.Value.Equal(call.Args[0]) {
					t.Fatalf("%+v is answered with %+v", call, result)
				}
			}
		}
		random := rand.New(rand.NewPCG(7, 8))
		for _, v := range []wire.Value{wire.String("text"), wire.String(""), wire.Bytes([]byte{1, 2}), wire.Bytes(nil)} {
			message, err := wire.AppendCall(nil, &wire.Call{Name: echoes[v.Kind()], Args: []wire.Value{v}})
			if err != nil {
				t.Fatal(err)
			}
			mutations(random, message, func(mutated []byte) {
				send(message)
				send(mutated)
			})
		}
		if checked < 1000 {
			t.Errorf("only %d echoes were compared", checked)
		}
		for n := range 300 {
			text := strings.Repeat("é", n)
			h.want(text, "String", text)
			if n%7 == 0 {
				h.want("b5in: 0yes", "Mixed", int32(5), "b", []byte("in: "), 0.0, true)
				h.want("error wrong parameters: String", "String", []byte(text))
			}
		}
	})
}

// TestAskRepeated: a call of the host that begins like the one before reaches it as any
// other does, and so does its answer, whatever the rest of it is.
func TestAskRepeated(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		for n := range 200 {
			text := strings.Repeat("é", n)
			h.want(text, "HostString", text)
			h.want(fmt.Sprint([]byte(text)), "HostBytes", []byte(text))
			h.want(text, "HostString", text)
			h.want(text+"!", "HostString", text+"!")
			if n%7 == 0 {
				h.want("7", "HostInt32", int32(7))
			}
		}
		echo := h.answer
		random := rand.New(rand.NewPCG(9, 10))
		for _, v := range []wire.Value{wire.String("text"), wire.String(""), wire.Bytes([]byte{1, 2}), wire.Bytes(nil)} {
			good, err := wire.AppendResult(nil, &wire.Result{Value: v})
			if err != nil {
				t.Fatal(err)
			}
			function := "HostString"
			if v.Kind() == wire.KindBytes {
				function = "HostBytes"
			}
			call, err := wire.AppendCall(nil, &wire.Call{Name: function, Args: []wire.Value{v}})
			if err != nil {
				t.Fatal(err)
			}
			mutations(random, good, func(mutated []byte) {
				for _, message := range [][]byte{good, mutated} {
					h.answer = func([]byte) (int64, []byte) { return int64(len(message)), message }
					want, err := wire.DecodeResult(message)
					got, end := h.callMessage(call)
					taken := err == nil && want.Err == nil && want.Value.Kind() == v.Kind()
					if end != "" || (got.Err == nil) != taken || taken && !got.Value.Equal(want.Value) {
						t.Fatalf("%x\nis %v, %v for the guest, and %v, %v for package wire", message, got, end, want, err)
					}
				}
			})
		}
		h.answer = echo
	})
}

// TestMessagesInBetween: arguments and results outlive what else is sent while a
// call is in progress.
func TestMessagesInBetween(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		want := fmt.Sprint([]byte("argument\x00" + "\x01\xff" + "overwrites"))
		h.want(want, "Keep", "argument", []byte{1, 255})
		h.want("["+strings.Repeat("piece", 20)+"]", "Stream", "piece", int32(20))
		h.want("42", "LateLog")
		if len(h.logs) != 22 {
			t.Errorf("%d log records; want 22", len(h.logs))
		}
		h.logs = nil
		h.want("true", "Log", int32(wire.LevelWarn), "line\nbreak")
		h.want("false", "Log", int32(0), "no level")
		h.want("false", "Log", int32(6), "no level")
		r := wire.LogRecord{
			Level: wire.LevelWarn, Message: "line\nbreak", Source: "test", File: "guest.c",
			Attrs: []wire.Attr{{Key: "length", Value: "many"}, {Key: "text", Value: "line\nbreak"}},
		}
		if len(h.logs) != 1 || h.logs[0].Line == 0 || h.logs[0].Message != r.Message || h.logs[0].Source != r.Source ||
			h.logs[0].File != r.File || h.logs[0].Level != r.Level || !slices.Equal(h.logs[0].Attrs, r.Attrs) {
			t.Errorf("log records: %+v", h.logs)
		}
	})
}

// TestHostErrors: whatever the host answers, a guest gets a code and a message.
func TestHostErrors(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		answer := func(result wire.Result) func([]byte) (int64, []byte) {
			message, err := wire.AppendResult(nil, &result)
			if err != nil {
				t.Fatal(err)
			}
			return func([]byte) (int64, []byte) { return int64(len(message)), message }
		}
		tests := map[string]func([]byte) (int64, []byte){
			"1:why":                               answer(wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeFailed, Message: "why"}}),
			"9:":                                  answer(wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeAborted}}),
			"7:the host takes no calls now":       func([]byte) (int64, []byte) { return -74, nil },
			"6:the host's answer is not a result": func([]byte) (int64, []byte) { return 0, nil },
			"6:the host's result has another type than the import": answer(wire.Result{Value: wire.Int32(1)}),
			"0:": answer(wire.Result{Value: wire.Void()}),
		}
		for want, answer := range tests {
			h.answer = answer
			h.want(want, "HostFails", true)
		}
		const refused = "6:the host's answer is not a result"
		h.answer = func([]byte) (int64, []byte) { return 1 << 40, nil }
		h.want(refused, "HostFails", true)
		h.answer = func([]byte) (int64, []byte) { // longer than the buffer, and else good
			message, err := wire.AppendResult(nil, &wire.Result{Value: wire.Void()})
			if err != nil {
				t.Fatal(err)
			}
			message = append(message, make([]byte, 65536-len(message))...)
			binary.LittleEndian.PutUint32(message, 65536)
			return 65540, message
		}
		h.want(refused, "HostFails", true)
		h.answer = func(message []byte) (int64, []byte) { return int64(len(message)), message } // a call
		h.want(refused, "HostFails", true)

		h.answer = nil
		h.want("3:the arguments are not those of the import", "HostWrong")
		h.want("6:the function's name is not one", "HostNameless")
		h.want("6:an argument is a string that is not valid UTF-8", "HostBadText")
		h.want("5:the arguments do not fit into the message buffer", "SendLarge", int64(65536))
		h.want("0:5", "SendLarge", int64(5))
		h.want("7", "Int32", int32(7))
	})
}

// TestCallerMemory: what the host returns goes to memory of the caller, and
// never beyond it.
func TestCallerMemory(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		const small = "the result does not fit into the buffer that was given for it"
		h.want("0:grüße", "HostText", "grüße", int64(8))
		h.want("5:the re", "HostText", "grüße", int64(7)) // no room for the NUL
		h.want("5:", "HostText", "grüße", int64(1))
		h.want("5:", "HostText", "grüße", int64(0))
		h.want("5:"+small, "HostText", strings.Repeat("x", 100), int64(100))
		h.want("0:"+strings.Repeat("x", 100), "HostText", strings.Repeat("x", 100), int64(101))
		h.answer = func([]byte) (int64, []byte) {
			message, _ := wire.AppendResult(nil, &wire.Result{Value: wire.Bytes(make([]byte, 9))})
			return int64(len(message)), message
		}
		h.want("0:9", "HostLarge", int64(9), int64(9))
		h.want("5:the res", "HostLarge", int64(9), int64(8))
		h.want("5:", "HostLarge", int64(9), int64(0))
		// The message of an error is cut between characters.
		h.answer = func([]byte) (int64, []byte) {
			message, _ := wire.AppendResult(nil, &wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeFailed, Message: "a火b"}})
			return int64(len(message)), message
		}
		for capacity, want := range []string{"", "", "a", "a", "a", "a火", "a火b"} {
			h.want("1:"+want, "HostText", "x", int64(capacity))
		}
	})
}

// TestTooLarge: a result fits to the last byte, and one byte more is an error.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{8192, 65536} {
				h := serveGuest(t, native(t, compiler, "guest.c"), fmt.Sprintf("%d 1 %d", abi.ABIVersion, size))
				n := largest(t, size, func(n int) ([]byte, error) {
					return wire.AppendResult(nil, &wire.Result{Value: zeros(n)})
				})
				const refused = "error too large: the result does not fit into the message buffer"
				h.want(fmt.Sprint(make([]byte, n)), "Large", int64(n))
				h.want(refused, "Large", int64(n+1))
				h.want(refused, "Large", int64(size))
				h.want(refused, "Large", int64(1<<30))
				h.want("["+strings.Repeat("12345678", 900)+"]", "Stream", "12345678", int32(900))
				if size == 8192 {
					h.want(refused, "Stream", "12345678", int32(1100))
					h.want("error failed: no: "+strings.Repeat("x", 4089)+"…", "Error", strings.Repeat("x", 6000))
				}
				h.want("7", "Int32", int32(7))
			}
		})
	}
}

// TestRestored: the hook runs before the first call after the generation has
// changed, and at no other time.
func TestRestored(t *testing.T) {
	t.Parallel()
	onEachCompiler(t, func(t *testing.T, h *host) {
		t.Helper()
		h.want("0", "Restored")
		h.want("0", "Restored")
		h.generation++
		h.want("1", "Restored")
		h.want("1", "Restored")
		h.generation += 5
		h.want("error unknown function: Nope", "Nope")
		h.want("2", "Restored")
		h.generation--
		h.want("3", "Restored")
		h.want("<nil>", "KeepCall", int32(1))
		h.generation++
		h.want("abort panicked: argument: it was read when no call was in progress", "Restored")
	})
}
