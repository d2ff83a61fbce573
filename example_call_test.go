package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/airlockvm/airlock"
)

// Calling a function of a guest, which calls one of the host.
func ExampleCall() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	sb, err := airlock.New(ctx, greeter(), airlock.Options{
		HostFuncs: airlock.HostFuncs{
			"GetWeekday": airlock.Func(func() (string, error) { return "Monday", nil }),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()

	greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(greeting)
	// Output: Hello, World! Today is Monday.
}

// Calls that meet the guest in shared memory, counted.
func ExampleStats() {
	ctx := context.Background()
	weekday := airlock.Func(func() (string, error) { return "Monday", nil })

	sb, err := airlock.New(ctx, greeter(), airlock.Options{
		Spin:      50 * time.Microsecond,
		HostFuncs: airlock.HostFuncs{"GetWeekday": weekday},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	for range 1000 {
		if _, err := airlock.Call[string](ctx, sb, "SayHello", "World"); err != nil {
			log.Fatal(err)
		}
	}
	stats := sb.Stats() // stats.Hot of them didn't leave the virtual machine

	fmt.Println(stats.Calls, "calls")
	// Output: 1000 calls
}

// A function value that is bound once.
func ExampleBind() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()

	sayHello, err := airlock.Bind[func(context.Context, string) (string, error)](sb, "SayHello")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"Ann", "Bob"} {
		greeting, err := sayHello(ctx, name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(greeting)
	}
	// Output:
	// Hello, Ann! Today is Monday.
	// Hello, Bob! Today is Monday.
}

// Functions and types that are known at run time only.
func ExampleSandbox_Call() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()

	result, err := sb.Call(ctx, "SayHello", "World")
	fmt.Println(result, err)
	_, err = sb.Call(ctx, "SayHello", 5)
	fmt.Println(err)
	_, err = sb.Call(ctx, "SayGoodbye")
	fmt.Println(errors.Is(err, airlock.ErrUnknownFunction))
	// Output:
	// Hello, World! Today is Monday. <nil>
	// airlock: arguments do not fit the function: SayHello(string) string: argument 1 has the type int and not string
	// true
}

// Host functions are ordinary functions. One with a context learns from it when
// the call is over.
func ExampleFunc() {
	var calls int
	funcs := airlock.HostFuncs{
		"GetWeekday": airlock.Func(func(ctx context.Context) (string, error) {
			calls++
			return "Tuesday", ctx.Err()
		}),
	}
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: funcs})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
	fmt.Println(greeting, err, calls)
	// Output: Hello, World! Today is Tuesday. <nil> 1
}

// What a guest needs must be registered.
func ExampleHostFuncs() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World")
	if missing, ok := errors.AsType[*airlock.MissingHostFunctionError](err); ok {
		fmt.Println(missing.Functions)
	}
	// Output: [GetWeekday() string]
}

// The text of an error stays in the host, unless it is marked. Guests see
// "the host function failed" otherwise.
func ExampleVisible() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() (string, error) { return "", airlock.Visible(errors.New("the calendar is empty")) }),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World") // the guest returns the error that it got
	if failed, ok := errors.AsType[*airlock.GuestError](err); ok {
		fmt.Println(failed.Code, "-", failed.Message)
	}
	// Output: failed - host function: failed: the calendar is empty
}

// A panic in a host function ends the call, not the process. The sandbox can be
// used again.
func ExampleHostPanicError() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() string { panic("no calendar") }),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World")
	if panicked, ok := errors.AsType[*airlock.HostPanicError](err); ok {
		fmt.Println(panicked.Function, "panicked:", panicked.Value)
	}
	// Output: GetWeekday panicked: no calendar
}

func ExampleFunctionList() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	list, err := sb.Functions(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exports", list.Exports)
	fmt.Println("needs", list.Imports)
	// Output:
	// exports [SayHello(string) string]
	// needs [GetWeekday() string]
}

// Boot once, and begin every use from that moment.
func ExampleSnapshot() {
	ctx := context.Background()
	options := airlock.Options{HostFuncs: airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })}}
	sb, err := airlock.New(ctx, counting(), options)
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()

	for range 2 {
		n, err := airlock.Call[int64](ctx, sb, "Count")
		fmt.Println("counted", n, err)
	}
	clone, err := snap.New(ctx, options)
	if err != nil {
		log.Fatal(err)
	}
	defer clone.Close()
	n, err := airlock.Call[int64](ctx, clone, "Count")
	fmt.Println("a new one", n, err)
	if err := sb.Restore(ctx, snap); err != nil {
		log.Fatal(err)
	}
	n, err = airlock.Call[int64](ctx, sb, "Count")
	fmt.Println("restored", n, err)
	// Output:
	// counted 1 <nil>
	// counted 2 <nil>
	// a new one 1 <nil>
	// restored 1 <nil>
}

// Each call through a pool has a sandbox as new.
func ExamplePool() {
	ctx := context.Background()
	options := airlock.Options{HostFuncs: airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })}}
	sb, err := airlock.New(ctx, counting(), options)
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()
	pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Size: 4, Sandbox: options})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	for range 2 {
		n, err := airlock.Call[int64](ctx, pool, "Count")
		fmt.Println(n, err)
	}
	// Several calls in one sandbox:
	err = pool.Do(ctx, func(sb *airlock.Sandbox) error {
		for range 3 {
			if _, err := sb.Call(ctx, "Count"); err != nil {
				return err
			}
		}
		n, err := airlock.Call[int64](ctx, sb, "Count")
		fmt.Println(n)
		return err
	})
	fmt.Println(err, pool.Stats().Uses)
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 4
	// <nil> 3
}

// Guests log into the host's logger.
func ExampleOptions_logger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "file" {
				return slog.Attr{}
			}
			return a
		},
	}))
	ctx := context.Background()
	sb, err := airlock.New(ctx, counting(), airlock.Options{
		Logger:    logger,
		HostFuncs: airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if _, err := sb.Call(ctx, "Say", "good morning"); err != nil {
		log.Fatal(err)
	}
	// Output: level=INFO msg="good morning" guest=snapguest source=example
}

// built returns a function that makes a guest of a package that is built with
// the stock toolchain, once.
func built(name, pkg string) func() *airlock.Guest {
	file := sync.OnceValue(func() []byte {
		dir, err := os.MkdirTemp("", "airlock-example-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, name)
		build := exec.Command("go", "build", "-o", path, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if text, err := build.CombinedOutput(); err != nil {
			log.Fatalf("%v\n%s", err, text)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		return content
	})
	return func() *airlock.Guest {
		guest, err := airlock.NewGuest(name, file())
		if err != nil {
			log.Fatal(err)
		}
		return guest
	}
}

var (
	greeter  = built("greeter", "./examples/hello/guest")
	counting = built("snapguest", "./testdata/snapguest")
)

func newGreeter(ctx context.Context) *airlock.Sandbox {
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() (string, error) { return "Monday", nil }),
	}})
	if err != nil {
		log.Fatal(err)
	}
	return sb
}
