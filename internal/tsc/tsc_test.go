package tsc_test

import (
	"runtime"
	"testing"

	"github.com/airlockvm/airlock/internal/tsc"
)

func TestReadGoesForward(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("there is no counter")
	}
	before := tsc.Read()
	for range 1000 {
		tsc.Pause()
		now := tsc.Read()
		if now <= before {
			t.Fatalf("%d after %d", now, before)
		}
		before = now
	}
}
