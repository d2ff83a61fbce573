package guest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

// ask gives a request to r as if the host had sent it, in a buffer that is
// overwritten afterwards.
func ask(t *testing.T, r *request, c wire.Call) wire.Result {
	t.Helper()
	message, err := wire.AppendCall(nil, &c)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.read(message); err != nil {
		t.Fatal(err)
	}
	clear(message)
	r.answer()
	return r.result
}

//nolint:paralleltest // the registry and the clock page are the program's
func TestRequest(t *testing.T) {
	generation.word = new(uint64)
	var kept [][]byte
	Export("Keep", func(b []byte) int64 { kept = append(kept, b); return int64(len(kept)) })
	Export("Fail", func(text string) error { return errors.New(text) })
	restores := 0
	OnRestore(func() { restores++ })
	r := newRequest()

	for i, text := range []string{"first", "other", "", "third"} {
		result := ask(t, r, wire.Call{Name: "Keep", Args: []wire.Value{wire.Bytes([]byte(text))}})
		if n, ok := result.Value.Int64(); !ok || n != int64(i+1) {
			t.Errorf("Keep = %v", result)
		}
	}
	if got := bytes.Join(kept, []byte(",")); string(got) != "first,other,,third" || kept[2] == nil {
		t.Errorf("bytes that a function has kept are now %q", got)
	}
	if restores != 0 {
		t.Errorf("restored %d times", restores)
	}
	*generation.word = 7
	for range 2 {
		result := ask(t, r, wire.Call{Name: "Fail", Args: []wire.Value{wire.String("why")}})
		if result.Err == nil || *result.Err != (wire.ErrorInfo{Code: wire.CodeFailed, Message: "why"}) {
			t.Errorf("Fail = %v", result)
		}
	}
	if restores != 1 {
		t.Errorf("after a restore its functions were called %d times", restores)
	}
	for name, test := range map[string]struct {
		call wire.Call
		want wire.ErrorCode
	}{
		"unknown":   {wire.Call{Name: "Nope"}, wire.CodeUnknownFunction},
		"too few":   {wire.Call{Name: "Fail"}, wire.CodeWrongParameters},
		"too many":  {wire.Call{Name: "Fail", Args: []wire.Value{wire.String(""), wire.Int32(0)}}, wire.CodeWrongParameters},
		"wrong one": {wire.Call{Name: "Fail", Args: []wire.Value{wire.Bytes(nil)}}, wire.CodeWrongParameters},
	} {
		if result := ask(t, r, test.call); result.Err == nil || result.Err.Code != test.want {
			t.Errorf("%s: %v", name, result)
		}
	}
	if err := r.read([]byte("garbage")); err != nil {
		t.Fatal(err)
	}
	if r.answer(); r.result.Err == nil || r.result.Err.Code != wire.CodeMalformed {
		t.Errorf("garbage: %v", r.result)
	}
}

// TestReserved: names that begin with "airlock." are not for programs.
func TestReserved(t *testing.T) {
	t.Parallel()
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "reserved") {
			t.Errorf("Export of a reserved name: %s", text)
		}
	}()
	Export(wire.FunctionSnapshot, func() {})
}

// TestRequestAllocations: an echo takes one allocation, for the text that its
// function gets.
//
//nolint:paralleltest // it counts what the whole process allocates
func TestRequestAllocations(t *testing.T) {
	generation.word = new(uint64)
	Export("Echo", func(text string) string { return text })
	message, err := wire.AppendCall(nil, &wire.Call{Name: "Echo", Args: []wire.Value{wire.String("0123456789abcdef")}})
	if err != nil {
		t.Fatal(err)
	}
	r := newRequest()
	n := testing.AllocsPerRun(100, func() {
		_ = r.read(message)
		if r.answer(); r.result.Err != nil {
			t.Error(r.result.Err)
		}
	})
	if n != 1 {
		t.Errorf("an echo takes %v allocations", n)
	}
}

// TestExchangeOutside: outside a sandbox there is nobody to talk to.
func TestExchangeOutside(t *testing.T) {
	t.Parallel()
	put := func([]byte) (int, error) { return 0, nil }
	if err := exchange(operationLog, put, ignore, nil); !errors.Is(err, errNotInSandbox) {
		t.Errorf("exchange = %v", err)
	}
	if err := connect(); !errors.Is(err, errNotInSandbox) {
		t.Errorf("connect = %v", err)
	}
	if _, err := callHost(wire.NewForm("F", nil), nil, wire.KindVoid); !errors.Is(err, errNotInSandbox) {
		t.Errorf("callHost = %v", err)
	}
}
