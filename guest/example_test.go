package guest_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/airlockvm/airlock/guest"
)

// These programs need a host that calls them: they are compiled here, and not
// run. What a host does is in the examples of package airlock.

// A whole guest: one function for the host, and one that it needs of the host.
func Example() {
	getWeekday := guest.Import[func() (string, error)]("GetWeekday")

	main := func() {
		guest.Export("SayHello", func(name string) (string, error) {
			day, err := getWeekday()
			return "Hello, " + name + "! Today is " + day + ".", err
		})
		guest.Serve()
	}
	main()
}

// Functions of all shapes. A context is never cancelled: when the host cancels a
// call, the guest is stopped, not asked.
func ExampleExport() {
	var total int64 // lives from call to call
	guest.Export("Add", func(v int64) int64 { total += v; return total })
	guest.Export("Reset", func() { total = 0 })
	guest.Export("Divide", func(_ context.Context, a, b float64) (float64, error) {
		if b == 0 {
			return 0, errors.New("division by zero")
		}
		return a / b, nil
	})
	guest.Export("Store", func(key string, value []byte) error {
		return fmt.Errorf("no room for %d bytes of %q", len(value), key)
	})
	guest.Serve()
}

// Host functions are imported before Serve, and called while the host calls.
func ExampleImport() {
	lookup := guest.Import[func(key string) ([]byte, error)]("Lookup")
	count := guest.Import[func(name string, n int32) error]("Count")
	guest.Export("Size", func(key string) (int64, error) {
		value, err := lookup(key)
		if err != nil {
			return 0, err
		}
		return int64(len(value)), count("lookups", 1)
	})
	guest.Serve()
}

// Serve comes last, and never returns.
func ExampleServe() {
	guest.Export("Ping", func() {})
	guest.Serve()
}

// A program that can't go on. The host uses the sandbox no more.
func ExampleAbort() {
	index := map[string]int64{"a": 1}
	guest.Export("Find", func(key string) int64 {
		if len(index) == 0 {
			guest.Abort("the index is gone")
		}
		return index[key]
	})
	guest.Serve()
}

// What the program keeps in its memory is the same in all copies of a snapshot,
// unless it makes it anew.
func ExampleOnRestore() {
	var id string
	renew := func() {
		b := make([]byte, 16)
		_, _ = rand.Read(b) // draws from the guest kernel, which never repeats itself
		id = hex.EncodeToString(b)
	}
	renew()
	guest.OnRestore(renew)
	guest.Export("ID", func() string { return id })
	guest.Serve()
}

// What each use of a snapshot would do again is done before it is taken.
func ExampleOnSnapshot() {
	var key []byte
	squares := map[int64]int64{}
	guest.OnSnapshot(func() {
		for n := range int64(1000) {
			squares[n] = n * n
		}
		clear(key) // no copy should know it
	})
	guest.Export("Square", func(n int64) int64 { return squares[n] })
	guest.Serve()
}

// The program's log goes into the host's.
func ExampleNewLogHandler() {
	slog.SetDefault(slog.New(guest.NewLogHandler("parser", slog.LevelInfo)))
	guest.Export("Parse", func(text string) {
		slog.Info("parsing", "bytes", len(text))
	})
	guest.Serve()
}

// A host function that fails tells the guest what kind of error it is, and as
// much as the host wants it to know.
func ExampleHostError() {
	err := error(&guest.HostError{Code: guest.CodeFailed, Message: "no such key"}) // as an import returns it
	if failed, ok := errors.AsType[*guest.HostError](err); ok {
		fmt.Println(failed.Message)
	}
	fmt.Println(err)
	// Output:
	// no such key
	// host function: failed: no such key
}

func ExampleErrorCode() {
	retry := func(err error) bool {
		failed, ok := errors.AsType[*guest.HostError](err)
		return ok && failed.Code == guest.CodeFailed
	}
	fmt.Println(retry(&guest.HostError{Code: guest.CodeFailed}))
	fmt.Println(retry(&guest.HostError{Code: guest.CodeDenied}))
	fmt.Println(guest.CodeDenied)
	// Output:
	// true
	// false
	// denied
}
