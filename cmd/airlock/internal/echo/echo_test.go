package echo_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"

	"github.com/airlockvm/airlock/cmd/airlock/internal/echo"
)

// TestCurrent fails when the guest is older than what it is built from.
func TestCurrent(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("echo.sum")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 4 {
		t.Fatalf("echo.sum has %d lines", len(lines))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		file, err := os.ReadFile(name)
		if got := fmt.Sprintf("%x", sha256.Sum256(file)); err != nil || got != want {
			t.Errorf("%s has changed since the guest was built, %v: run ./build.sh and commit what it writes", name, err)
		}
	}
}

func TestEcho(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	guest, err := airlock.NewGuest("echo", echo.Guest)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := airlock.New(t.Context(), guest, airlock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // nothing can fail
	if got, err := airlock.Call[string](t.Context(), sb, "Echo", "Grüße"); got != "Grüße" || err != nil {
		t.Errorf("Echo = %q, %v", got, err)
	}
}
