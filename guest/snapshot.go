package guest

import "runtime"

// OnSnapshot registers a function that Serve calls before a snapshot is taken of the
// sandbox, between two calls. It is the place to do what each use of the snapshot
// would otherwise do again, such as filling caches, and to forget what none of them
// should know. Functions are called in the order in which they were registered; they
// may call host functions. OnSnapshot panics once Serve has begun.
//
// Serve itself collects the garbage then and makes the runtime map some MiB of heap,
// so that a call in a restored sandbox that needs no more finds all of it mapped.
func OnSnapshot(fn func()) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.serving {
		panic("guest.OnSnapshot: the guest serves already")
	}
	registry.onSnapshot = append(registry.onSnapshot, fn)
}

// beforeSnapshot is called before a snapshot is taken. Memory that a call of a
// restored sandbox has to map changes page tables, which have to be brought back at
// the next restore: such calls take ten times as long.
func beforeSnapshot() {
	for _, fn := range registry.onSnapshot {
		fn()
	}
	growHeap()
	runtime.GC()
	takeSpans()
}

// A program may allocate 4 MiB behind one collection of garbage before the next
// (runtime: GOGC, heapMinimum), and the runtime keeps account of memory in spans of
// 8 KiB at least.
const (
	spanSize  = 8 << 10
	spans     = 4 << 20 / spanSize
	pageCache = 64 * spanSize // that a P of the runtime has at hand (runtime: pageCachePages), and another to come
)

var grown [][]byte

// growHeap makes the runtime map as much heap, and all that it needs to keep account
// of it, and asks the guest kernel for pages, none of which is touched.
func growHeap() {
	grown = make([][]byte, spans)
	for i := range grown {
		grown[i] = make([]byte, spanSize)
	}
	willNeed(grown, 2*pageCache)
	grown = nil
}

// Objects of a size share a span, and small ones are most.
const (
	wordSize    = 8
	smallObject = 1 << 10
)

// taken keeps objects off the stack.
var taken struct {
	bytes    []byte
	pointers []*byte
}

// takeSpans makes the runtime take a span for objects of each small size, with
// pointers and without. After a collection it has none at hand (runtime:
// mcache.prepareForSweep), and to take one runs through a dozen pages of its code and
// tables, each a fault in a sandbox that was just made.
func takeSpans() {
	for size := wordSize; size <= smallObject; size += wordSize {
		taken.bytes = make([]byte, size)
		taken.pointers = make([]*byte, size/wordSize)
	}
	taken.bytes, taken.pointers = nil, nil
}
