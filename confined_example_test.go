package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"syscall"
	"time"

	"github.com/airlockvm/airlock"
)

// A function that only computes needs no system calls. One that does more than
// it should, here because of a mistake, is refused them.
func ExampleHostFunc_Confined() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() (string, error) {
			text, err := os.ReadFile("/etc/timezone")
			return string(text), err
		}).Confined(airlock.Syscalls{}),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(ctx, "SayHello", "World")
	if denied, ok := errors.AsType[*airlock.SyscallDeniedError](err); ok {
		fmt.Println(denied.Function, "wanted", denied.Name)
	}
	// Output: GetWeekday wanted openat
}

// Several functions that may do the same.
func ExampleHostFuncs_Confined() {
	funcs := airlock.HostFuncs{
		"Config": airlock.Func(func() ([]byte, error) { return os.ReadFile("/etc/app.conf") }),
		"Motd":   airlock.Func(func() ([]byte, error) { return os.ReadFile("/etc/motd") }),
	}.Confined(airlock.Syscalls{ReadFiles: true})
	fmt.Println(len(funcs))
	// Output: 2
}

// Everything that can be allowed.
func ExampleSyscalls() {
	allow := airlock.Syscalls{
		ReadFiles: true,
		WriteTo:   []int{1, 2},
		Sockets:   []int{syscall.AF_UNIX},
		Names:     []string{"getuid"},
		Rules: []airlock.SyscallRule{{ // ioctl(any, TIOCGWINSZ)
			Name: "ioctl",
			Args: []airlock.SyscallArg{{Index: 1, Op: airlock.ArgEqual, Value: 0x5413}},
		}},
	}
	funcs := airlock.HostFuncs{"Width": airlock.Func(func() int32 { return 80 }).Confined(allow)}
	fmt.Println(len(funcs))
	// Output: 1
}

// A mask of bits: files that are opened for reading only.
func ExampleSyscallRule() {
	rule := airlock.SyscallRule{Name: "openat", Args: []airlock.SyscallArg{
		{Index: 2, Op: airlock.ArgNoBits, Value: syscall.O_WRONLY | syscall.O_RDWR | syscall.O_CREAT},
	}}
	fmt.Println(rule.Name)
	// Output: openat
}

// The flags of openat(2) are its third argument.
func ExampleSyscallArg() {
	readOnly := airlock.SyscallArg{Index: 2, Op: airlock.ArgEqual, Value: syscall.O_RDONLY | syscall.O_CLOEXEC}
	allow := airlock.Syscalls{Rules: []airlock.SyscallRule{{Name: "openat", Args: []airlock.SyscallArg{readOnly}}}}
	fmt.Println(len(allow.Rules))
	// Output: 1
}

// All conditions of a rule must hold: numbers from 3 to 9 here. Of several rules
// one is enough.
func ExampleSyscallOp() {
	between := func(index int, low, high uint64) []airlock.SyscallArg {
		return []airlock.SyscallArg{
			{Index: index, Op: airlock.ArgAtLeast, Value: low},
			{Index: index, Op: airlock.ArgAtMost, Value: high},
		}
	}
	allow := airlock.Syscalls{Rules: []airlock.SyscallRule{
		{Name: "close", Args: between(0, 3, 9)},
		{Name: "fcntl", Args: append(between(0, 3, 9), airlock.SyscallArg{Index: 1, Op: airlock.ArgNotEqual, Value: 0})}, // F_DUPFD
	}}
	sb, err := airlock.New(context.Background(), greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"Close": airlock.Func(func() error { return nil }).Confined(allow),
	}})
	if err != nil {
		log.Fatal(err) // a rule that is none, for instance
	}
	fmt.Println(sb.Close())
	// Output: <nil>
}

// A function that is to be confined never runs without: where filters can't be
// had, the application decides.
func ExampleErrNoSeccomp() {
	ctx := context.Background()
	funcs := airlock.HostFuncs{"GetWeekday": airlock.Func(func() string { return "Monday" })}
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: funcs.Confined(airlock.Syscalls{})})
	if errors.Is(err, airlock.ErrNoSeccomp) {
		log.Print(err) // this function is harmless
		sb, err = airlock.New(ctx, greeter(), airlock.Options{HostFuncs: funcs})
	}
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	fmt.Println(airlock.Call[string](ctx, sb, "SayHello", "World"))
	// Output: Hello, World! Today is Monday. <nil>
}

func ExampleSyscallDeniedError() {
	err := error(&airlock.SyscallDeniedError{Function: "Render", Name: "socket", Nr: 41})
	fmt.Println(err)
	// Output: airlock: host function "Render" may not use the system call socket (41)
}

// Package variables are the same in the application and in its workers.
var thumbnails = airlock.Isolate("thumbnails", airlock.HostFuncs{
	"Thumbnail": airlock.Func(func(picture []byte) ([]byte, error) { return picture[:min(len(picture), 100)], nil }),
}, airlock.Syscalls{})

// A library that decodes pictures of strangers, in a process of its own.
func ExampleIsolate() {
	main := func() {
		thumbnails.Main() // in a worker it doesn't return

		ctx := context.Background()
		funcs := thumbnails.HostFuncs()
		funcs["GetWeekday"] = airlock.Func(func() string { return "Monday" }) // which runs here
		sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: funcs})
		if err != nil {
			log.Fatal(err)
		}
		defer sb.Close()
		greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
		if crashed, ok := errors.AsType[*airlock.WorkerError](err); ok {
			log.Fatal(crashed.Function, crashed.Err)
		}
		fmt.Println(greeting, err)
	}
	main()
	// Output: Hello, World! Today is Monday. <nil>
}

var calendar = airlock.Isolate("calendar", airlock.HostFuncs{
	"GetWeekday": airlock.Func(func() string { return "Monday" }),
}, airlock.Syscalls{})

func init() { calendar.Main() } // for a test; programs call it in main

// The guest doesn't notice where its host functions run.
func ExampleIsolated() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: calendar.HostFuncs()})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	fmt.Println(airlock.Call[string](ctx, sb, "SayHello", "World"))
	// Output: Hello, World! Today is Monday. <nil>
}

// Each call makes a new map, to which others may be added.
func ExampleIsolated_HostFuncs() {
	funcs := airlock.HostFuncs{"Now": airlock.Func(func() int64 { return time.Now().Unix() })}
	maps.Copy(funcs, calendar.HostFuncs())
	fmt.Println(len(funcs), len(calendar.HostFuncs()))
	// Output: 2 1
}

// First thing in main: the worker is the same program, started again.
func ExampleIsolated_Main() {
	main := func() {
		calendar.Main() // in a worker it doesn't return
		fmt.Println("the application")
	}
	main()
	// Output: the application
}

func ExampleWorkerError() {
	err := error(&airlock.WorkerError{Function: "Thumbnail", Err: errors.New("signal: segmentation fault")})
	fmt.Println(err)
	// Output: airlock: worker of host function "Thumbnail": signal: segmentation fault
}
