package ocilayout

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestRefusedLeavesNothingOpen: a layout that is refused, or waited for in vain, has
// no descriptor left. Garbage collection would close it, so there is none meanwhile.
func TestRefusedLeavesNothingOpen(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	locked := create(t)
	unlock, err := locked.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]func() error{
		"Open":   func() error { _, err := Open(other); return err },
		"Create": func() error { _, err := Create(t.Context(), other); return err },
		"lock":   func() error { _, err := Create(over, locked.dir); return err },
	} {
		_ = try() // the first may open what stays, such as what the runtime waits with
		before := openFiles(t)
		for range 5 {
			if try() == nil {
				t.Errorf("%s succeeds", name)
			}
		}
		if after := openFiles(t); after != before {
			t.Errorf("%s: %d descriptors before, %d after", name, before, after)
		}
	}
}
