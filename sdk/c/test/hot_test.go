package test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// TestHot: calls that meet the guest in shared memory give what others give. It
// does not run beside other tests, which would take its second processor away.
func TestHot(t *testing.T) {
	kvmtest.RequireTwoProcessors(t)
	for name, guest := range guests(t) {
		t.Run(name, func(t *testing.T) {
			sb := newSandbox(t, guest, airlock.Options{Spin: 2 * time.Millisecond})
			for deadline := time.Now().Add(time.Minute); sb.Stats().Hot < 1000; {
				if time.Now().After(deadline) {
					t.Fatalf("%+v: too few calls were hot", sb.Stats())
				}
				hotCalls(t, sb)
			}
			before, err := airlock.Call[int64](t.Context(), sb, "Count")
			if err != nil {
				t.Fatal(err)
			}
			snap, err := sb.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer snap.Close() //nolint:errcheck // nothing can fail
			for range 10 {
				hotCalls(t, sb)
				if n, err := airlock.Call[int64](t.Context(), sb, "Count"); n != before+1 || err != nil {
					t.Fatalf("Count = %d, %v; want %d", n, err, before+1)
				}
				if err := sb.Restore(t.Context(), snap); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func hotCalls(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	text, data := strings.Repeat("ż", rand.IntN(300)), bytes.Repeat([]byte{7}, rand.IntN(60000))
	for _, function := range []string{"String", "HostString"} {
		if got, err := airlock.Call[string](t.Context(), sb, function, text); err != nil || got != text {
			t.Fatalf("%s of %d bytes: %d bytes, %v", function, len(text), len(got), err)
		}
	}
	for _, function := range []string{"Bytes", "HostBytes"} {
		if got, err := airlock.Call[[]byte](t.Context(), sb, function, data); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%s of %d bytes: %d bytes, %v", function, len(data), len(got), err)
		}
	}
}
