package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestTinyGuestNative checks the tiny guest against Linux itself.
func TestTinyGuestNative(t *testing.T) {
	t.Parallel()
	if runtime.GOOS+"/"+runtime.GOARCH != platformNeeded {
		t.Skipf("it is a program for %s", platformNeeded)
	}
	path := filepath.Join(t.TempDir(), "tiny")
	if err := os.WriteFile(path, tinyGuest(), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path).CombinedOutput()
	if err != nil || string(out) != tinyText {
		t.Errorf("tiny guest = %q, %v; want %q", out, err, tinyText)
	}
}

func TestTinyGuestLoads(t *testing.T) {
	t.Parallel()
	guest, err := airlock.NewGuest("tiny", tinyGuest())
	if err != nil {
		t.Fatal(err)
	}
	if info := guest.Info(); len(info.Segments) != 1 || info.Segments[0].Perm != "r-x" {
		t.Errorf("segments = %v; want one that is r-x", info.Segments)
	}
}

func TestBootTiny(t *testing.T) {
	t.Parallel()
	requireKVM(t)
	if err := bootTiny(t.Context()); err != nil {
		t.Errorf("bootTiny: %v; want success", err)
	}
}
