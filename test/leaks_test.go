package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/airlockvm/airlock/internal/leak"
)

const (
	// maxIdleThreads is how many threads more than at the start may be left. Go
	// never ends a thread that once had work; it makes one for every system call
	// that blocks, so the number depends on how much runs at a time, not on how
	// much ran. The tests make thousands of sandboxes: a thread lost by one in a
	// hundred would show.
	maxIdleThreads = 64
	// maxMapped is how many bytes of mapped memory may be left. Go's own heap grows
	// in steps of 64 MiB; the memory of a dozen sandboxes is more.
	maxMapped = 512 << 20
	// patience is how long what is on its way out may take.
	patience = 5 * time.Second
)

// inventory is what the process has.
type inventory struct {
	resources  int            // that the library keeps account of
	goroutines int            //
	threads    int            //
	files      map[string]int // descriptors by what they refer to
	guests     []string       // mappings of guest memory and of virtual CPUs
	mapped     uint64         // bytes
}

// census counts what the process has.
func census() (inventory, error) {
	i := inventory{resources: leak.Count(), goroutines: runtime.NumGoroutine(), files: map[string]int{}}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return i, err
	}
	i.threads = len(tasks)
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return i, err
	}
	for _, d := range descriptors {
		// One of them is gone: it was for reading the directory.
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", d.Name())); err == nil {
			i.files[target]++
		}
	}
	return i, i.countMappings()
}

// countMappings reads which memory is mapped.
func (i *inventory) countMappings() error {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		// The start of every guest's memory maps its image.
		if strings.Contains(line, "memfd:") || strings.Contains(line, "kvm") {
			i.guests = append(i.guests, line)
		}
		from, rest, _ := strings.Cut(line, "-")
		to, _, _ := strings.Cut(rest, " ")
		start, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("/proc/self/maps: %q", line)
		}
		// Address space that nobody can access is free: C's allocator reserves 64 MiB of
		// it for each thread.
		if !strings.Contains(line, " ---p ") {
			i.mapped += end - start
		}
	}
	return nil
}

// leaked describes what the process has more than before, after giving what is
// on its way out some time. It is empty if all is well.
func leaked(before inventory) string {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		// Guests are freed when they are unreachable.
		runtime.GC()
		after, err := census()
		if err != nil {
			return err.Error()
		}
		report := before.compare(after)
		if report == "" || time.Now().After(deadline) {
			return report
		}
	}
}

// compare describes what there is more of after than before.
func (i inventory) compare(after inventory) string {
	var b strings.Builder
	// The library opens the KVM device once for the process and keeps it.
	if after.resources > i.resources+1 {
		fmt.Fprintf(&b, "%d resources, one of which is right:\n%s\n",
			after.resources-i.resources, strings.Join(leak.Report(), "\n"))
	}
	allowed := maps.Clone(i.files)
	for _, once := range []string{"/dev/kvm", "anon_inode:[eventpoll]", "anon_inode:[eventfd]"} {
		allowed[once]++ // the last two are Go's own poller
	}
	for _, name := range slices.Sorted(maps.Keys(after.files)) {
		if n := after.files[name]; n > allowed[name] {
			fmt.Fprintf(&b, "%d open descriptors of %s instead of %d\n", n, name, allowed[name])
		}
	}
	if len(after.guests) > len(i.guests) {
		fmt.Fprintf(&b, "memory of guests is still mapped:\n%s\n", strings.Join(after.guests, "\n"))
	}
	if after.goroutines > i.goroutines {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(&b, "%d goroutines instead of %d:\n%s\n", after.goroutines, i.goroutines, stacks)
	}
	if after.threads > i.threads+maxIdleThreads {
		fmt.Fprintf(&b, "%d threads instead of %d\n", after.threads, i.threads)
	}
	// The race detector brings a C library, with stacks and heaps for each thread.
	if !raceEnabled() && after.mapped > i.mapped+maxMapped {
		fmt.Fprintf(&b, "%d MiB are mapped instead of %d\n", after.mapped>>20, i.mapped>>20)
	}
	return b.String()
}

// raceEnabled reports whether the race detector is in this binary.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
