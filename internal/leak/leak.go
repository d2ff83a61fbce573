// Package leak keeps account of the file descriptors, mappings and virtual
// machines that the host side of Airlock holds, so that a test can prove that
// none is left.
//
// It is off by default and then costs one atomic load per resource. Tests turn
// it on (see internal/kvmtest), whereupon every open resource is remembered
// with the stack that made it.
package leak

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// maxStack is the number of callers remembered for a resource.
const maxStack = 32

// Resource is one tracked resource. A nil Resource is valid and does nothing.
type Resource struct {
	name  string
	stack []uintptr
}

var (
	enabled atomic.Bool

	mu   sync.Mutex
	live map[*Resource]struct{} // guarded by mu
)

// Track makes Open remember what is opened from now on.
func Track() {
	mu.Lock()
	defer mu.Unlock()
	if live == nil {
		live = make(map[*Resource]struct{})
	}
	enabled.Store(true)
}

// Open records a resource. The name says what it is, for the report.
func Open(name string) *Resource {
	if !enabled.Load() {
		return nil
	}
	r := &Resource{name: name, stack: make([]uintptr, maxStack)}
	r.stack = r.stack[:runtime.Callers(2, r.stack)]
	mu.Lock()
	defer mu.Unlock()
	live[r] = struct{}{}
	return r
}

// Close records that the resource is gone. It may be called more than once.
func (r *Resource) Close() {
	if r == nil {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	delete(live, r)
}

// Count returns the number of resources that are open.
func Count() int {
	mu.Lock()
	defer mu.Unlock()
	return len(live)
}

// Report describes every open resource and where it was opened, one string
// each.
func Report() []string {
	mu.Lock()
	defer mu.Unlock()
	var list []string
	for r := range live {
		list = append(list, r.describe())
	}
	return list
}

func (r *Resource) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s opened by", r.name)
	frames := runtime.CallersFrames(r.stack)
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "\n\t%s\n\t\t%s:%d", f.Function, f.File, f.Line)
		if !more {
			return b.String()
		}
	}
}
