// The guest of the scripts for "airlock call": functions of all types, and one
// for each way that a call may go wrong.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/airlockvm/airlock/guest"
)

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
	guest.Export("Nothing", func() {})
	guest.Export("All", func(a int32, b uint32, c int64, d uint64, e float32, f float64, g bool, h string, i []byte) string {
		return fmt.Sprintf("%v %v %v %v %v %v %v %q %q", a, b, c, d, e, f, g, h, i)
	})
	guest.Export("two words", func() string { return "found" })
	guest.Export("Fail", func(text string) error { return errors.New(text) })
	guest.Export("Panic", func(text string) { panic(text) })
	guest.Export("Abort", func(text string) { guest.Abort(text) })
	guest.Export("Exit", func(code int32) { os.Exit(int(code)) })
	guest.Export("Fault", func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) })
	guest.Export("Spin", func() {
		for {
		}
	})
	guest.Export("Large", func(size int64) []byte { return bytes.Repeat([]byte{'x'}, int(size)) })
	guest.Export("Print", func(text string) {
		fmt.Println(text, "to stdout")
		fmt.Fprintln(os.Stderr, text, "to stderr")
	})
	guest.Export("Log", func(text string) {
		log := slog.New(guest.NewLogHandler("test", slog.LevelDebug))
		log.Debug(text + " for debugging")
		log.Info(text)
	})
	guest.Serve()
}
