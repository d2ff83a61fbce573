// The wall clock and the monotonic clock advance together, and formatting round-trips.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	var end time.Time
	drift := time.Hour
	for i := 0; i < 20 && drift > 5*time.Millisecond; i++ { // again if something came between two readings
		start := time.Now()
		wallStart := start.Round(0) // without the monotonic reading
		time.Sleep(30 * time.Millisecond)
		end = time.Now()
		drift = (end.Sub(start) - end.Round(0).Sub(wallStart)).Abs()
	}
	check.That(drift <= 5*time.Millisecond, "wall and monotonic clock drift apart by %v", drift)

	check.That(time.Until(end.Add(time.Hour)) > 59*time.Minute, "Until is wrong")
	check.That(end.Unix() > 1_700_000_000, "Unix time is %d", end.Unix())

	parsed, err := time.Parse(time.RFC3339Nano, end.UTC().Format(time.RFC3339Nano))
	check.OK(err)
	check.That(parsed.Equal(end), "%v parsed as %v", end, parsed)

	leap := time.Date(2024, time.February, 29, 23, 59, 59, 0, time.UTC)
	check.Equal(leap.AddDate(0, 0, 1).Format(time.DateOnly), "2024-03-01")
	check.Equal(leap.Weekday(), time.Thursday)
	check.Equal(leap.YearDay(), 60)
	zone := time.FixedZone("X", 5*3600+1800)
	check.Equal(leap.In(zone).Format(time.RFC1123Z), "Fri, 01 Mar 2024 05:29:59 +0530")
	check.That(time.Local.String() != "", "no local zone")
	check.Success()
}
