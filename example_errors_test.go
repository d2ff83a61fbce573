package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/airlockvm/airlock"
)

// What a guest function returned as its error. The sandbox stays usable.
func ExampleGuestError() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "Error", "no such user") // returns an error with this text
	if failed, ok := errors.AsType[*airlock.GuestError](err); ok {
		fmt.Println(failed.Code, "-", failed.Message)
	}
	sum, err := airlock.Call[int32](ctx, sb, "Double", 21)
	fmt.Println(sum, err)
	// Output:
	// failed - no such user
	// 42 <nil>
}

// Codes tell what a caller can do something about from what it can't.
func ExampleGuestErrorCode() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "Large", 1<<20) // returns a MiB of bytes
	failed, ok := errors.AsType[*airlock.GuestError](err)
	switch {
	case ok && failed.Code == airlock.CodeTooLarge:
		fmt.Println("give it a larger Options.MessageSize")
	case ok && failed.Code == airlock.CodeFailed:
		fmt.Println("it failed:", failed.Message)
	}
	// Output: give it a larger Options.MessageSize
}

// A guest that ends itself says why. Its sandbox is of no use any more.
func ExampleGuestAbortError() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "Abort", "the index is broken")
	if aborted, ok := errors.AsType[*airlock.GuestAbortError](err); ok {
		fmt.Println(aborted.Code, "-", aborted.Message)
	}
	_, err = sb.Call(ctx, "Double", 21)
	fmt.Println(errors.Is(err, airlock.ErrPoisoned))
	// Output:
	// aborted - the index is broken
	// true
}

// A program that ends in the middle of a call.
func ExampleGuestExitError() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "Exit", 3)
	if exit, ok := errors.AsType[*airlock.GuestExitError](err); ok {
		fmt.Println("exit code", exit.Code)
	}
	// Output: exit code 3
}

func ExampleMissingHostFunctionError() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() int32 { return 1 }), // the guest wants a string
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World")
	if missing, ok := errors.AsType[*airlock.MissingHostFunctionError](err); ok {
		fmt.Println("the guest needs", missing.Functions)
	}
	// Output: the guest needs [GetWeekday() string]
}

func ExampleGuestFormatError() {
	_, err := airlock.NewGuest("script", []byte("#!/bin/sh\necho hello\n"))
	if refused, ok := errors.AsType[*airlock.GuestFormatError](err); ok {
		fmt.Println(refused.Reason)
	}
	// Output: elf: not an ELF file
}

func ExampleErrNoHypervisor() {
	sb, err := airlock.New(context.Background(), greeter(), airlock.Options{})
	if errors.Is(err, airlock.ErrNoHypervisor) {
		log.Fatal("run this elsewhere: ", err) // which says why, and what to do about it
	}
	fmt.Println(sb.Close())
	// Output: <nil>
}

// A program that was not written with a guest SDK can be run, and not called.
func ExampleErrNotServing() {
	ctx := context.Background()
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(ctx, guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World")
	fmt.Println(errors.Is(err, airlock.ErrNotServing))
	// Output: true
}

func ExampleErrUnknownFunction() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "SayGoodbye", "World")
	fmt.Println(errors.Is(err, airlock.ErrUnknownFunction))
	// Output: true
}

func ExampleErrArguments() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	for _, args := range [][]any{{}, {5}, {"World", "Moon"}} {
		_, err := sb.Call(ctx, "SayHello", args...)
		fmt.Println(errors.Is(err, airlock.ErrArguments))
	}
	// Output:
	// true
	// true
	// true
}

// Messages that don't fit the buffer are refused before anything is copied.
func ExampleErrTooLarge() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "SayHello", strings.Repeat("x", airlock.DefaultMessageSize))
	fmt.Println(errors.Is(err, airlock.ErrTooLarge))
	_, err = sb.Call(ctx, "SayHello", "World")
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleErrClosed() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	if err := sb.Close(); err != nil {
		log.Fatal(err)
	}
	_, err := sb.Call(ctx, "SayHello", "World")
	fmt.Println(errors.Is(err, airlock.ErrClosed))
	// Output: true
}

// After a cancelled call nobody knows what state the guest is in. A snapshot
// brings it back.
func ExampleErrPoisoned() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()

	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = sb.Call(short, "Spin")
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	_, err = sb.Call(ctx, "Double", 21)
	if errors.Is(err, airlock.ErrPoisoned) {
		err = sb.Restore(ctx, snap)
	}
	fmt.Println(err)
	fmt.Println(airlock.Call[int32](ctx, sb, "Double", 21))
	// Output:
	// true
	// <nil>
	// 42 <nil>
}

// A sandbox does one thing at a time. Here its own host function wants another.
func ExampleErrBusy() {
	ctx := context.Background()
	var sb *airlock.Sandbox
	var inner error
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func(ctx context.Context) string {
			_, inner = sb.Call(ctx, "SayHello", "Moon")
			return "Monday"
		}),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
	fmt.Println(greeting, err, errors.Is(inner, airlock.ErrBusy))
	// Output: Hello, World! Today is Monday. <nil> true
}

// A guest that answers a call with bytes that are no message.
func ExampleErrProtocol() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, lying(), airlock.Options{HostFuncs: hosts()})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "Garbage")
	fmt.Println(errors.Is(err, airlock.ErrProtocol))
	// Output: true
}

func ExampleErrOutOfMemory() {
	ctx := context.Background()
	sb := newBehaving(ctx)
	defer sb.Close()
	_, err := sb.Call(ctx, "Memory") // takes all there is
	if errors.Is(err, airlock.ErrOutOfMemory) {
		fmt.Println("give it more than", airlock.DefaultMemory>>20, "MiB")
	}
	// Output: give it more than 64 MiB
}

func ExampleErrOptions() {
	for _, options := range []airlock.Options{
		{Memory: airlock.MaxMemory + 1},
		{MessageSize: airlock.DefaultMemory},
		{HostFuncs: airlock.HostFuncs{"F": airlock.Func("no function")}},
	} {
		_, err := airlock.New(context.Background(), greeter(), options)
		fmt.Println(errors.Is(err, airlock.ErrOptions))
	}
	// Output:
	// true
	// true
	// true
}

var (
	behaving = built("callguest", "./testdata/callguest")
	lying    = built("liarguest", "./testdata/liarguest")
)

// newBehaving makes a sandbox of a guest with a function for each way to behave.
func newBehaving(ctx context.Context) *airlock.Sandbox {
	sb, err := airlock.New(ctx, behaving(), airlock.Options{HostFuncs: hosts()})
	if err != nil {
		log.Fatal(err)
	}
	return sb
}
