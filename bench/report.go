package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// target is a promise about a ratio. SPEC.md lists them all.
type target struct {
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least"` // else: at most
}

func atMost(limit float64) *target  { return &target{Limit: limit} }
func atLeast(limit float64) *target { return &target{Limit: limit, AtLeast: true} }

func (t target) met(ratio float64) bool {
	if t.AtLeast {
		return ratio >= t.Limit
	}
	return ratio <= t.Limit
}

func (t target) String() string {
	if t.AtLeast {
		return fmt.Sprintf("≥ %.3g", t.Limit)
	}
	return fmt.Sprintf("≤ %.3g", t.Limit)
}

// row is one line of the table.
type row struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	// Ratio compares Time with Reference, as the section says; absent for what is
	// not compared with anything.
	Ratio     *spread `json:"ratio,omitempty"`
	Target    *target `json:"target,omitempty"`
	Met       *bool   `json:"met,omitempty"`
	Time      *spread `json:"ns,omitempty"` // nil for what is counted
	Reference *spread `json:"reference_ns,omitempty"`
	// Again says that the row was measured a second time because it missed its
	// target the first time.
	Again bool `json:"again,omitempty"`
}

// alone is a row that is compared with nothing.
func alone(name string, s series) row {
	time := s.spread()
	return row{Name: name, Time: &time}
}

// counted is a row that is a number and no time.
func counted(name string, n float64, samples int, t *target) row {
	one := row{Name: name, Target: t, Ratio: &spread{Median: n, P10: n, P90: n, Count: samples}}
	if t != nil {
		met := t.met(n)
		one.Met = &met
	}
	return one
}

// against is a row that is compared with something measured in turn with it.
// The ratio is a series of its own, because the median of ratios is steadier
// than the ratio of medians.
func against(name string, time, reference, ratio series, t *target) row {
	r, own, ref := ratio.spread(), time.spread(), reference.spread()
	one := row{Name: name, Ratio: &r, Target: t, Time: &own, Reference: &ref}
	if t != nil {
		met := t.met(r.Median)
		one.Met = &met
	}
	return one
}

// missed reports whether the row has a target and misses it.
func (r row) missed() bool { return r.Met != nil && !*r.Met }

// report is the outcome of one run of the command.
type report struct {
	Machine machineInfo `json:"machine"`
	Rows    []row       `json:"rows"`
	// Comparisons are the rows of the last table.
	Comparisons []*comparison `json:"comparisons,omitempty"`
	// Left out, and why.
	Missing []string `json:"missing,omitempty"`
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// explanations says for each section what its ratio is.
var explanations = map[string]string{ //nolint:gochecknoglobals // a constant
	sectionCreate:    "ratio: the library's own share of the time, (airlock - KVM alone) / airlock",
	sectionBoot:      "ratio: in a sandbox / native (ForkExec and Wait4)",
	sectionCompute:   "ratio: native / in a sandbox: the part of native speed",
	sectionKernel:    "ratio: in a sandbox / native",
	sectionSnapshots: "ratio: of a new sandbox to the same calls into the kernel and faults by hand; of a call to one without restore",
	sectionBeside:    "ratio: Airlock's time in that of the other, the last table has them all; of compute the other's in Airlock's",
	sectionHot:       "ratio: a call of a guest that runs on a processor of its own / what its name says",
	sectionCalls:     "ratio: a call / leaving a machine and coming back with KVM alone; allocations are counted",
}

const comparisonExplanation = `In each cell: the time in that of Airlock (above 1: it takes longer), the median time, and below it the 10th to 90th percentile.
Airlock's "new one" is a clone of a snapshot, its "call of one as new" a call and a restore; others make an instance or a process.`

func (r *report) writeText(w io.Writer) error {
	var b strings.Builder
	b.WriteString(r.Machine.String())
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	section := ""
	for _, one := range r.Rows {
		if one.Section != section {
			section = one.Section
			_ = table.Flush() // a Builder takes everything, here and below
			_, _ = fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(section))
			if text := explanations[section]; text != "" {
				_, _ = fmt.Fprintf(&b, "%s\n", text)
			}
			_, _ = fmt.Fprintln(table, "ratio\tp10 to p90\ttarget\t\tmedian\tp10 to p90\treference\truns\t")
		}
		_, _ = fmt.Fprintln(table, one.line())
	}
	_ = table.Flush()
	if len(r.Comparisons) > 0 {
		_, _ = fmt.Fprintf(&b, "\nAIRLOCK BESIDE OTHERS\n%s%s\n\n", r.Machine.String(), comparisonExplanation)
		writeComparisons(&b, r.Comparisons)
	}
	for _, m := range r.Missing {
		_, _ = fmt.Fprintf(&b, "\nLeft out: %s\n", m)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line is the row as the cells of a table.
func (r row) line() string {
	var ratio, width, aim, verdict, median, span, reference, runs string
	if r.Ratio != nil {
		ratio = fmt.Sprintf("%.3g", r.Ratio.Median)
		width = fmt.Sprintf("%.3g to %.3g", r.Ratio.P10, r.Ratio.P90)
		runs = fmt.Sprint(r.Ratio.Count)
	}
	if r.Reference != nil {
		reference = duration(r.Reference.Median)
	}
	if r.Target != nil {
		aim, verdict = r.Target.String(), "met"
		if r.missed() {
			verdict = "MISSED"
		}
		if r.Again {
			verdict += " (2nd try)"
		}
	}
	if r.Time != nil {
		median, span = duration(r.Time.Median), duration(r.Time.P10)+" to "+duration(r.Time.P90)
		runs = fmt.Sprint(r.Time.Count)
	}
	return strings.Join([]string{ratio, width, aim, verdict, median, span, reference, runs, "  " + r.Name}, "\t")
}

// duration prints nanoseconds with three digits.
func duration(ns float64) string {
	unit, name := 1.0, "ns"
	switch {
	case ns >= float64(time.Second):
		unit, name = float64(time.Second), "s"
	case ns >= float64(time.Millisecond):
		unit, name = float64(time.Millisecond), "ms"
	case ns >= float64(time.Microsecond):
		unit, name = float64(time.Microsecond), "µs"
	}
	digits := 2
	for v := ns / unit; v >= 10 && digits > 0; v /= 10 {
		digits--
	}
	return fmt.Sprintf("%.*f %s", digits, ns/unit, name)
}
