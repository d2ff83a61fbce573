package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Who is compared: the columns of the last table. Ways of using Airlock come
// first, see airlockWays.
const (
	whoAirlock = "Airlock"
	whoHot     = "Airlock, hot"
	whoFloor   = "KVM alone"
	whoProcess = "process"
	// The names of the engines of peers.
	whoWazero       = "wazero"
	whoWazeroStop   = "wazero, stoppable"
	whoWasmtime     = "wasmtime"
	whoWasmtimeStop = "wasmtime, stoppable"
)

func engines() []string { return []string{whoWazero, whoWazeroStop, whoWasmtime, whoWasmtimeStop} }

func contenders() []string {
	var list []string
	for _, w := range airlockWays() {
		list = append(list, w.who)
	}
	return append(append(list, whoFloor, whoProcess), engines()...)
}

// side is one of those who do the same work.
type side struct {
	who  string
	take sample
}

// comparison is one row of the last table.
type comparison struct {
	Name  string     `json:"name"`
	Sides []compared `json:"sides"`

	taken map[string]series
}

// compared is one cell of it.
type compared struct {
	Who string `json:"who"`
	// Ratio is the time of this side in that of Airlock, pair by pair: above 1 it
	// takes longer than Airlock does.
	Ratio spread `json:"ratio"`
	Time  spread `json:"ns"`
}

// compare measures all sides in turn and keeps the outcome as a row of the last
// table, in the place of one of that name.
func (b *bench) compare(name string, rounds int, sides []side) (*comparison, error) {
	takes := make([]sample, len(sides))
	for i, s := range sides {
		takes[i] = s.take
	}
	list, err := interleave(b.times(rounds), takes...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &comparison{Name: name, taken: make(map[string]series)}
	for i, s := range sides {
		c.taken[s.who] = list[i]
	}
	for _, s := range sides {
		times := c.taken[s.who]
		c.Sides = append(c.Sides, compared{s.who, ratios(times, c.taken[whoAirlock]).spread(), times.spread()})
	}
	at := slices.IndexFunc(b.comparisons, func(old *comparison) bool { return old.Name == name })
	if at < 0 {
		b.comparisons = append(b.comparisons, c)
	} else {
		b.comparisons[at] = c
	}
	return c, nil
}

// promise is the row that says what is promised of Airlock's time in that of
// another, if anything is; none if that one could not be measured.
func (c *comparison) promise(who string, t *target) []row {
	own, other := c.taken[whoAirlock], c.taken[who]
	if other == nil {
		return nil
	}
	return []row{against(c.Name+", beside "+who, own, other, ratios(own, other), t)}
}

// writeComparisons prints the last table: two lines for each row, ratios and
// medians first.
func writeComparisons(b *strings.Builder, list []*comparison) {
	table := tabwriter.NewWriter(b, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, strings.Join(append([]string{""}, contenders()...), "\t"))
	for _, c := range list {
		above, below := []string{c.Name}, []string{""}
		for _, who := range contenders() {
			at := slices.IndexFunc(c.Sides, func(s compared) bool { return s.Who == who })
			if at < 0 {
				above, below = append(above, "-"), append(below, "")
				continue
			}
			s := c.Sides[at]
			above = append(above, fmt.Sprintf("%s  %s", threeDigits(s.Ratio.Median), duration(s.Time.Median)))
			below = append(below, fmt.Sprintf("%s to %s", duration(s.Time.P10), duration(s.Time.P90)))
		}
		_, _ = fmt.Fprintf(table, "%s\n%s\n", strings.Join(above, "\t"), strings.Join(below, "\t"))
	}
	_ = table.Flush()
}

// threeDigits prints a ratio without an exponent.
func threeDigits(ratio float64) string {
	digits := 2
	for limit := 0.1; ratio < limit && digits < 6; limit /= 10 {
		digits++
	}
	for limit := 10.0; ratio >= limit && digits > 0; limit *= 10 {
		digits--
	}
	return fmt.Sprintf("%.*f", digits, ratio)
}
