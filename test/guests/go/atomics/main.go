// Atomics of every width under contention, and unaligned loads and stores across page borders.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const (
	workers = 4
	rounds  = 50_000
)

func main() {
	var (
		i32  atomic.Int32
		u64  atomic.Uint64
		swap atomic.Int64
		bits atomic.Uint32
		ptr  atomic.Pointer[int]
		val  atomic.Value
		wg   sync.WaitGroup
	)
	for id := range workers {
		wg.Go(func() {
			own := id
			for range rounds {
				i32.Add(1)
				u64.Add(1 << 33)
				for old := swap.Load(); !swap.CompareAndSwap(old, old+3); old = swap.Load() {
				}
				bits.Or(1 << id)
				ptr.Store(&own)
				val.Store(*ptr.Load())
			}
			bits.And(^uint32(1 << id))
		})
	}
	wg.Wait()
	check.Equal(i32.Load(), workers*rounds)
	check.Equal(u64.Load(), workers*rounds<<33)
	check.Equal(swap.Load(), workers*rounds*3)
	check.Equal(bits.Load(), 0)
	check.That(*ptr.Load() < workers, "pointer to %d", *ptr.Load())
	check.That(val.Load().(int) < workers, "value %v", val.Load())

	page := make([]byte, 3*4096)
	for at := 4096 - 16; at < 2*4096+16; at++ {
		binary.LittleEndian.PutUint64(page[at:], 0x0102030405060708+uint64(at))
		check.Equal(binary.LittleEndian.Uint64(page[at:]), 0x0102030405060708+uint64(at))
		binary.BigEndian.PutUint32(page[at:], uint32(at))
		check.Equal(binary.BigEndian.Uint32(page[at:]), uint32(at))
	}
	check.Success()
}
