package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestStateBetweenCalls(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			sb := newSandbox(t, guest, airlock.Options{Stdout: &out})
			for want := range int64(5) {
				if got, err := airlock.Call[int64](t.Context(), sb, "Count"); got != want+1 || err != nil {
					t.Fatalf("Count = %d, %v; want %d", got, err, want+1)
				}
			}
			if _, err := sb.Call(t.Context(), "Print", "printed"); err != nil || out.String() != "PRINTED" {
				t.Fatalf("stdout after a call that prints: %q, %v", &out, err)
			}
		})
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			hello, err := airlock.Bind[func(context.Context, string) (string, error)](sb, "Hello")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := hello(t.Context(), "Ann"); got != "Hello, Ann! Today is Monday." || err != nil {
				t.Errorf("hello = %q, %v", got, err)
			}
			wrong, err := airlock.Bind[func(int32) (string, error)](sb, "Hello")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := wrong(5); !errors.Is(err, airlock.ErrArguments) {
				t.Errorf("a function bound with other types: %v", err)
			}
			if _, err := airlock.Bind[func(string) string](sb, "Hello"); !errors.Is(err, airlock.ErrArguments) {
				t.Errorf("a function type that can't fail: %v", err)
			}
			ready(t, sb)
		})
	}
}

func TestNotServing(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	g, err := airlock.NewGuest("tiny", tinyExit)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := airlock.New(t.Context(), g, airlock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if _, err := sb.Call(t.Context(), "F"); !errors.Is(err, airlock.ErrNotServing) {
		t.Errorf("Call of a program that just ends: %v", err)
	}
}

// TestRunServing: a program that waits for calls says so when it is run.
func TestRunServing(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sb := newSandbox(t, guest, airlock.Options{})
			var stderr bytes.Buffer
			code, err := sb.Run(t.Context(), airlock.Process{Stderr: &stderr})
			if code != 1 || err != nil || !strings.Contains(stderr.String(), "airlock call") {
				t.Errorf("Run of a program that serves: %d, %v, %q", code, err, &stderr)
			}
		})
	}
}

// BenchmarkCall measures an echo, plain and hot.
func BenchmarkCall(b *testing.B) {
	text := strings.Repeat("0123456789abcdef", 4)
	for _, spin := range []time.Duration{0, airlock.SpinAlways} {
		b.Run("spin "+spin.String(), func(b *testing.B) {
			sb := newSandbox(b, "callguest", airlock.Options{Spin: spin})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := airlock.Call[string](context.Background(), sb, "String", text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestCallAllocations: a call allocates what the caller passes and gets, and
// little else.
func TestCallAllocations(t *testing.T) {
	const most, mostCancellable = 1, 4
	text := strings.Repeat("0123456789abcdef", 4)
	cancellable, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, spin := range []time.Duration{0, airlock.SpinAlways} {
		sb := newSandbox(t, "callguest", airlock.Options{Spin: spin})
		for ctx, limit := range map[context.Context]float64{context.Background(): most, cancellable: mostCancellable} {
			n := testing.AllocsPerRun(200, func() {
				if _, err := airlock.Call[string](ctx, sb, "String", text); err != nil {
					t.Fatal(err)
				}
			})
			if n > limit {
				t.Errorf("%v objects with Spin %v; want at most %v", n, spin, limit)
			}
		}
	}
}
