package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/airlockvm/airlock/guest"
)

// exportGo exports what is special about a program in Go: goroutines, and a
// runtime that makes panics and exit codes of faults.
func exportGo() {
	guest.Export("Goroutines", func() int64 {
		done := make(chan int64)
		for i := range int64(100) {
			go func() { time.Sleep(time.Millisecond); done <- i }()
		}
		var sum int64
		for range 100 {
			sum += <-done
		}
		return sum
	})
	guest.Export("Fault", func() { load(0x123456789000) }) // no nil pointer: Go's runtime does not make a panic of it
	guest.Export("GoNil", func() int64 { return *pointer })
	guest.Export("GoDivide", func(by int64) int64 { return 1 / by })
	guest.Export("GoGoroutinePanic", func() {
		go panic("of a goroutine")
		time.Sleep(time.Hour)
	})
	guest.Export("GoGoexit", runtime.Goexit)
	guest.Export("GoDeadlock", func() { select {} })
	guest.Export("GoStack", func() int64 {
		debug.SetMaxStack(1 << 20)
		return deeper(0)
	})
	guest.Export("GoHeap", func() {
		for {
			heap = append(heap, make([]byte, 1<<20))
			clear(heap[len(heap)-1])
		}
	})
	guest.Export("GoFloat32Bits", func(v float32) uint32 { return math.Float32bits(v) })
}

var (
	pointer *int64
	heap    [][]byte
)

func deeper(n int64) int64 { return n + deeper(n+1) }
