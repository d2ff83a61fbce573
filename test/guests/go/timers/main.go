// Sleep, Ticker, AfterFunc, Stop and Reset keep generous bounds; time never goes back.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

// within checks that a wait took at least want and not absurdly longer.
func within(start time.Time, want time.Duration) {
	took := time.Since(start)
	check.That(took >= want, "took %v, less than %v", took, want)
	check.That(took < want+20*time.Second, "took %v, far more than %v", took, want)
}

func main() {
	for _, d := range []time.Duration{time.Microsecond, time.Millisecond, 30 * time.Millisecond} {
		start := time.Now()
		time.Sleep(d)
		within(start, d)
	}

	start := time.Now()
	ticker := time.NewTicker(3 * time.Millisecond)
	var last time.Time
	for range 10 {
		tick := <-ticker.C
		check.That(tick.After(last), "tick %v after %v", tick, last)
		last = tick
	}
	ticker.Stop()
	within(start, 27*time.Millisecond)

	start = time.Now()
	fired := make(chan time.Duration, 3)
	for _, n := range []time.Duration{3, 1, 2} {
		time.AfterFunc(n*40*time.Millisecond, func() {
			within(start, n*40*time.Millisecond)
			fired <- n
		})
	}
	check.Equal(<-fired+<-fired+<-fired, 6)

	timer := time.NewTimer(time.Hour)
	check.That(timer.Stop(), "a pending timer was not stopped")
	start = time.Now()
	timer.Reset(5 * time.Millisecond)
	<-timer.C
	within(start, 5*time.Millisecond)
	check.That(!timer.Stop(), "an expired timer was stopped")
	select {
	case <-fired:
		check.That(false, "a timer fired twice")
	case <-time.After(10 * time.Millisecond):
	}

	previous := time.Now()
	for range 200_000 {
		now := time.Now()
		check.That(now.Sub(previous) >= 0, "monotonic time went back by %v", previous.Sub(now))
		previous = now
	}
	year := time.Now().UTC().Year()
	check.That(year >= 2024 && year < 2100, "the year is %d", year)
	check.Success()
}
