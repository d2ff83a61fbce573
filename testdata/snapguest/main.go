// Snapguest is a guest with state that snapshots must keep, and restores undo.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"hash/fnv"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	"unsafe"

	"github.com/airlockvm/airlock/guest"
)

var (
	counter  int64
	secret   string
	restored int64
	notified int64
	kept     [][]byte
	started  = time.Now()
	logger   = slog.New(guest.NewLogHandler("example", slog.LevelInfo))
	weekday  = guest.Import[func() (string, error)]("Weekday")
	generate = mathrand.New(mathrand.NewPCG(1, 2))
)

func main() {
	guest.OnRestore(func() { restored++ })
	guest.OnSnapshot(func() {
		if day, err := weekday(); err == nil && day == "Doomsday" {
			guest.Abort("no snapshot on " + day)
		}
	})
	guest.OnSnapshot(func() { notified++ })
	guest.Export("Notified", func() int64 { return notified })
	guest.Export("Count", func() int64 { counter++; return counter })
	guest.Export("Set", func(text string) { secret = text })
	guest.Export("Get", func() string { return secret })
	guest.Export("Echo", func(text string) string { return text })
	guest.Export("Restored", func() int64 { return restored })
	guest.Export("Say", func(text string) { logger.Info(text) })
	guest.Export("Random", func() string {
		b := make([]byte, 16)
		_, _ = rand.Read(b)
		return hex.EncodeToString(b)
	})
	guest.Export("Drawn", func() int64 { return generate.Int64() })
	guest.Export("Elapsed", func() int64 { return int64(time.Since(started)) })
	guest.Export("Wall", func() int64 { return time.Now().UnixNano() })
	guest.Export("Weekday", func() (string, error) { return weekday() })
	guest.Export("Grow", grow)
	guest.Export("Garbage", func(blocks int64) {
		for range blocks {
			garbage = make([]byte, 1024)
			garbage[0] = 1
		}
	})
	guest.Export("Resident", resident)
	guest.Export("Release", func() { kept = nil; debug.FreeOSMemory() })
	guest.Export("Threads", threads)
	guest.Export("Float", func(v float64) float64 { return math.Sqrt(v) * pi })
	guest.Export("Spin", func() {
		for {
			runtime.Gosched()
		}
	})
	guest.Export("Peek", func(gpa uint64) uint64 { return *physical(gpa) })
	guest.Export("Poke", func(gpa, value uint64) { *physical(gpa) = value })
	guest.Export("Load", func(address uint64) uint64 { return *pointer(address) })
	guest.Export("Map", mapPage)
	guest.Export("Flush", func() { _ = syscall.Munmap(mapAnonymous()) })
	guest.Export("Fault", func() { *(*int)(nil) = 1 }) //nolint:govet // that's the point
	guest.Serve()
}

var pi = math.Pi

var garbage []byte

// untouched is memory that nothing ever uses.
var untouched [64 << 12]byte

// resident returns how many whole pages of it have memory.
func resident() int64 {
	const pages = 63
	var list [pages]byte
	start := (uintptr(unsafe.Pointer(&untouched)) + 4095) &^ 4095
	if _, _, err := syscall.RawSyscall(syscall.SYS_MINCORE, start, pages<<12, uintptr(unsafe.Pointer(&list))); err != 0 {
		panic(err)
	}
	n := int64(0)
	for _, b := range list {
		n += int64(b & 1)
	}
	return n
}

// pointer is memory outside the Go heap.
func pointer(address uint64) *uint64 {
	return (*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

// physical is guest-physical memory, all of which the guest kernel has mapped.
func physical(gpa uint64) *uint64 { return pointer(physmap + gpa) }

const physmap = 0x7f8000000000

func mapAnonymous() []byte {
	b, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	b[0] = 1
	return b
}

// mapPage maps a page that holds a value and returns its address.
func mapPage(value uint64) uint64 {
	p := (*uint64)(unsafe.Pointer(unsafe.SliceData(mapAnonymous())))
	*p = value
	return uint64(uintptr(unsafe.Pointer(p)))
}

// grow allocates blocks of 64 KiB, fills them from a seed, and returns a sum of
// all that is kept.
func grow(blocks, seed int64) int64 {
	r := mathrand.New(mathrand.NewPCG(uint64(seed), 7))
	for range blocks {
		b := make([]byte, 64<<10)
		for i := 0; i < len(b); i += 512 {
			b[i] = byte(r.Uint32())
		}
		kept = append(kept, b)
	}
	h := fnv.New64a()
	for _, b := range kept {
		for i := 0; i < len(b); i += 512 {
			_, _ = h.Write(b[i : i+1])
		}
	}
	return int64(h.Sum64())
}

// threads makes many goroutines block in the kernel at once.
func threads(n int64) int64 {
	done := make(chan int64)
	for i := range n {
		go func() {
			time.Sleep(time.Duration(i%7) * 100 * time.Microsecond)
			done <- i
		}()
	}
	var sum int64
	for range n {
		sum += <-done
	}
	return sum
}
