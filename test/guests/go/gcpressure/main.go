// Allocates more than ten times the sandbox's memory in total, keeps about 8 MiB alive and verifies it.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
package main

import (
	"runtime"
	"sync"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const (
	workers   = 4
	perWorker = 170 << 20 // bytes allocated by each worker
	liveEach  = 2 << 20   // bytes kept alive by each worker
)

// block is a heap object that knows what its own contents must be.
type block struct {
	seed uint32
	data []uint64
	prev *block // keeps a pointer chain for the collector to follow
}

func newBlock(seed uint32, size int) *block {
	b := &block{seed: seed, data: make([]uint64, size/8)}
	x := uint64(seed)
	for i, old := range b.data {
		if old != 0 {
			check.That(false, "a new block holds %#x at %d", old, i)
		}
		x = x*6364136223846793005 + 1442695040888963407
		b.data[i] = x
	}
	return b
}

func (b *block) verify() {
	x := uint64(b.seed)
	for i, got := range b.data {
		x = x*6364136223846793005 + 1442695040888963407
		if got != x {
			check.That(false, "block %#x is corrupt at %d", b.seed, i)
		}
	}
}

func work(id uint32) {
	const slot = 16 << 10
	live := make([]*block, liveEach/slot)
	allocated, seed := 0, id<<24
	for allocated < perWorker {
		seed++
		size := 8 + int(seed*2654435761>>18)%(2*slot)
		at := int(seed) % len(live)
		if live[at] != nil {
			if seed%8 == 0 {
				live[at].verify()
			}
			live[at].prev = nil
		}
		b := newBlock(seed, size)
		b.prev = live[(at+1)%len(live)]
		if b.prev != nil {
			b.prev.prev = nil // chains of at most two
		}
		live[at] = b
		allocated += size
		if seed%64 == 0 {
			runtime.Gosched()
		}
	}
	for _, b := range live {
		b.verify()
	}
}

func main() {
	var wg sync.WaitGroup
	for id := range uint32(workers) {
		wg.Go(func() { work(id + 1) })
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	check.That(m.TotalAlloc >= 640<<20, "allocated only %d bytes", m.TotalAlloc)
	check.That(m.NumGC >= 10, "only %d collections", m.NumGC)
	check.Success()
}
