package tsc_test

import (
	"testing"

	"github.com/airlockvm/airlock/internal/tsc"
)

func TestReadGoesForward(t *testing.T) {
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
