// The guest of the call tests: one function for each behaviour. A guest in
// another language that exports the same functions can be tested alike; what
// only a Go program can do is in golang.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

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
	exportValues()
	exportHostCalls()
	exportFailures()
	exportGo()
	guest.Export("Count", func() int64 { counter++; return counter })
	guest.Export("Error", func(text string) error { return errors.New(text) })
	guest.Export("Large", func(n int64) []byte { return make([]byte, n) })
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
	guest.Export("LogLevels", func(source, text string) {
		log := slog.New(guest.NewLogHandler(source, slog.LevelDebug-4))
		for _, level := range []slog.Level{
			slog.LevelDebug - 4, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError,
		} {
			log.Log(context.Background(), level, text)
		}
	})
	// Text that can't be sent as a string: a message that is no UTF-8.
	guest.Export("LogBytes", func(text []byte) {
		slog.New(guest.NewLogHandler("test", slog.LevelDebug)).Info(string(text), "key", string(text))
	})
	guest.Export("Text", func(text []byte, times int64) string { return strings.Repeat(string(text), int(times)) })
	guest.Export("Print", func(text string) { fmt.Print(strings.ToUpper(text)) })
	guest.Export("Sleep", func(milliseconds int64) { time.Sleep(time.Duration(milliseconds) * time.Millisecond) })
	guest.Serve()
}

// exportHostCalls exports what calls functions of the host.
func exportHostCalls() {
	guest.Export("Hello", func(name string) (string, error) {
		day, err := weekday()
		return "Hello, " + name + "! Today is " + day + ".", err
	})
	guest.Export("Double", func(v int32) (int32, error) { return double(v) })
	guest.Export("HostFails", func(visible bool) string { return fmt.Sprint(fails(visible)) })
	guest.Export("HostPanics", func() string { return fmt.Sprint(panics()) })
	guest.Export("HostPanicTold", func() error {
		_, err := echoString(fmt.Sprint(panics()))
		return err
	})
	guest.Export("HostSleeps", func() error { return sleeps() })
	guest.Export("HostReenters", func() string { return fmt.Sprint(again()) })
	guest.Export("HostLarge", func(n int64) (int64, error) {
		b, err := large(n)
		return int64(len(b)), err
	})
}

// exit ends the program in the middle of a call.
func exit(code int64) { os.Exit(int(code)) }
