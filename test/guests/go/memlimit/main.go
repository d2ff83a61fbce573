// A soft memory limit holds, and memory that was given back to the system comes back zeroed.
// want: exit 0
// stdout: SUCCESS
// memory: 96MiB
package main

import (
	"runtime"
	"runtime/debug"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const size = 16 << 20

func main() {
	debug.SetMemoryLimit(48 << 20)
	debug.SetGCPercent(-1) // only the limit makes it collect
	for round := range 12 {
		block := make([]byte, size)
		for i := 0; i < size; i += 512 {
			check.That(block[i] == 0, "round %d: byte %d is %#x", round, i, block[i])
			block[i] = 0xa5
		}
		runtime.KeepAlive(block)
		if round%3 == 2 {
			debug.FreeOSMemory()
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	check.That(m.NumGC >= 4, "%d collections", m.NumGC)
	check.That(m.TotalAlloc >= 12*size, "allocated %d bytes", m.TotalAlloc)
	check.That(m.HeapReleased > 0, "nothing was given back")
	check.That(m.HeapInuse < 48<<20, "heap of %d bytes", m.HeapInuse)
	check.Success()
}
