package airlock

import "testing"

// TestHeat: what hot calls gain decides how soon they are tried again.
func TestHeat(t *testing.T) {
	t.Parallel()
	const plain, quick, launch = 1000, 50, 3000
	attempts := func(h *heat, calls int, hot func() (gain int64)) (n int) {
		for range calls {
			h.quick, h.started, h.ended = true, 100, 50
			if h.wanted() {
				n++
				h.launched()
				h.gain = hot()
				h.settle()
			}
		}
		return n
	}
	loses := func() int64 { return plain - launch }
	gains := func() int64 { return 100*(plain-quick) - launch }

	h := &heat{budget: 1000, patience: 1}
	if n := attempts(h, 10, loses); n != 0 {
		t.Errorf("%d attempts before there was a plain call", n)
	}
	for _, took := range []uint64{400_000, plain, plain, 100 * plain, plain, plain, plain, plain, plain, plain, plain} {
		h.learn(took)
	}
	if h.plain < plain || h.plain > 2*plain {
		t.Errorf("the average is %d", h.plain)
	}
	h.plain = plain
	if n := attempts(h, 1000, loses); n < 3 || n > 10 {
		t.Errorf("%d attempts in 1000 calls that lose", n)
	}
	if n := attempts(h, 20*maxBackoff, loses); n < 15 || n > 21 {
		t.Errorf("%d attempts in 20 times as many calls as are left out at most", n)
	}
	if n := attempts(h, 2*maxBackoff, gains); n < maxBackoff/2 {
		t.Errorf("%d attempts since they gain", n)
	}
	h.ended, h.started = 50, 2000
	if h.wanted() {
		t.Error("a call is wanted hot that comes late")
	}
}
