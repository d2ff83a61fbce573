// The guest of the call tests: one function for each behaviour.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unsafe"

	"github.com/airlockvm/airlock/guest"
)

var (
	weekday = guest.Import[func() (string, error)]("Weekday")
	double  = guest.Import[func(int32) (int32, error)]("Double")
	fails   = guest.Import[func(bool) error]("Fails")
	panics  = guest.Import[func() error]("Panics")
	sleeps  = guest.Import[func() error]("Sleeps")
	again   = guest.Import[func() error]("Reenter")
	large   = guest.Import[func(int64) ([]byte, error)]("Large")
)

var counter int64

func main() {
	guest.Export("Int32", func(v int32) int32 { return v })
	guest.Export("Uint32", func(v uint32) uint32 { return v })
	guest.Export("Int64", func(v int64) int64 { return v })
	guest.Export("Uint64", func(v uint64) uint64 { return v })
	guest.Export("Float32", func(v float32) float32 { return v })
	guest.Export("Float64", func(v float64) float64 { return v })
	guest.Export("Bool", func(v bool) bool { return v })
	guest.Export("String", func(v string) string { return v })
	guest.Export("Bytes", func(v []byte) []byte { return v })
	guest.Export("Void", func() {})
	guest.Export("Mixed", func(_ context.Context, a int32, b string, c []byte, d float64, e bool) (string, error) {
		return fmt.Sprint(a, b, c, d, e), nil
	})
	guest.Export("Count", func() int64 { counter++; return counter })
	guest.Export("Error", func(text string) error { return errors.New(text) })
	guest.Export("Hello", func(name string) (string, error) {
		day, err := weekday()
		return "Hello, " + name + "! Today is " + day + ".", err
	})
	guest.Export("Double", func(v int32) (int32, error) { return double(v) })
	guest.Export("HostFails", func(visible bool) string { return fmt.Sprint(fails(visible)) })
	guest.Export("HostPanics", func() string { return fmt.Sprint(panics()) })
	guest.Export("HostSleeps", func() error { return sleeps() })
	guest.Export("HostReenters", func() string { return fmt.Sprint(again()) })
	guest.Export("HostLarge", func(n int64) (int64, error) {
		b, err := large(n)
		return int64(len(b)), err
	})
	guest.Export("Large", func(n int64) []byte { return make([]byte, n) })
	guest.Export("Panic", func(text string) { panic(text) })
	guest.Export("Abort", func(text string) { guest.Abort(text) })
	guest.Export("Exit", func(code int64) { os.Exit(int(code)) })
	guest.Export("Fault", func() { fault() })
	guest.Export("Spin", func() {
		for {
			counter++
		}
	})
	guest.Export("Log", func(n int64, text string) {
		log := slog.New(guest.NewLogHandler("test", slog.LevelDebug))
		for i := range n {
			log.Info(text, "i", i)
		}
	})
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
	guest.Export("Print", func(text string) { fmt.Print(strings.ToUpper(text)) })
	guest.Serve()
}

//go:noinline
func fault() {
	address := uintptr(0x123456789000) // no nil pointer, so Go's runtime does not make a panic of it
	*(*(**byte)(unsafe.Pointer(&address))) = 1
}
