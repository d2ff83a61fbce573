package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/airlockvm/airlock"
)

// attacks counts what the hostile guests and the walks have tried, for the table
// at the end of the tests.
var attacks attackTable

type attackTable struct {
	mu     sync.Mutex
	groups map[string]*attackGroup // guarded by mu
}

// attackGroup is a row of the table. What it counts was survived: the host has
// gone on, and noted it here.
type attackGroup struct {
	tried int
	ends  map[string]int
}

// note counts an attack of a hostile guest by what it came to. form is "run" or
// "call".
func (a *attackTable) note(guest, form string, err error) {
	if name, hostile := strings.CutPrefix(guest, "hostile-"); hostile {
		a.add(form+": "+subject(name), 1, endOf(err))
	}
}

// subject is what a guest is about: the first word of its name, or the second of
// one that is called.
func subject(name string) string {
	name = strings.TrimPrefix(name, "call_")
	word, _, _ := strings.Cut(name, "_")
	for group, words := range attackSubjects {
		if slices.Contains(words, word) {
			return group
		}
	}
	return "programs"
}

var attackSubjects = map[string][]string{
	"faults": {
		"faults", "fault", "null", "divide", "into", "ud2", "int3", "hlt", "noncanonical", "segv", "stack", "exec", "upper",
		"read", "write", "long", "unaligned", "signal", "sigreturn", "altstack", "rsp", "exit",
	},
	"kernel and tables": {
		"wipe", "descriptors", "pagetables", "stubs", "forged", "corrupt", "map", "wild", "direct", "generation", "kernel",
	},
	"privileges":   {"wrmsr", "rdmsr", "mov", "lgdt", "lidt", "ltr", "swapgs", "invlpg", "xsetbv", "cli", "iopl", "int80", "int", "segments", "gs"},
	"processor":    {"cpuid", "rdtsc", "xsave", "xrstor", "fpu", "ldmxcsr", "registers", "ac", "df", "nt", "tf", "random"},
	"ports":        {"out", "in", "other", "string", "hypercall", "garbage", "lengths", "lose", "answer", "walk", "hot"},
	"host calls":   {"host", "result", "log"},
	"output":       {"stdout", "stderr", "output", "close"},
	"time":         {"spin", "sleep", "ticks"},
	"memory":       {"memory", "eat", "thread", "unmap", "protect"},
	"end and rest": {"abort", "last", "kill", "leave", "secrets"},
}

// add counts attacks of a group that were survived.
func (a *attackTable) add(group string, n int, end string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.groups == nil {
		a.groups = map[string]*attackGroup{}
	}
	g := a.groups[group]
	if g == nil {
		g = &attackGroup{ends: map[string]int{}}
		a.groups[group] = g
	}
	g.tried += n
	g.ends[end] += n
}

// print prints the table, if there is something in it.
func (a *attackTable) print(w io.Writer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.groups) == 0 {
		return
	}
	names := make([]string, 0, len(a.groups))
	for name := range a.groups {
		names = append(names, name)
	}
	slices.Sort(names)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ATTACKS\tTRIED AND SURVIVED\tENDS")
	for _, name := range names {
		g := a.groups[name]
		var ends []string
		for end, n := range g.ends {
			ends = append(ends, fmt.Sprintf("%s %d", end, n))
		}
		slices.Sort(ends)
		fmt.Fprintf(table, "%s\t%d\t%s\n", name, g.tried, strings.Join(ends, ", "))
	}
	_ = table.Flush()
}

// endOf names the end of a run or call in a word.
func endOf(err error) string {
	if fault, ok := errors.AsType[*airlock.GuestFault](err); ok {
		if fault.Kind > airlock.FaultSignal {
			return fault.Kind.String()
		}
		return "fault"
	}
	if _, ok := errors.AsType[*airlock.GuestError](err); ok {
		return "error"
	}
	if _, ok := errors.AsType[*airlock.GuestAbortError](err); ok {
		return "abort"
	}
	if _, ok := errors.AsType[*airlock.GuestExitError](err); ok {
		return "exit"
	}
	switch {
	case err == nil:
		return "normal"
	case errors.Is(err, airlock.ErrProtocol):
		return "protocol"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "other"
}
