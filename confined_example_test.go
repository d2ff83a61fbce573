package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"syscall"

	"github.com/airlockvm/airlock"
)

// A function that only computes needs no system calls. One that the guest can
// talk into more is refused them.
func ExampleHostFunc_Confined() {
	var sb *airlock.Sandbox // made by New, with
	_ = airlock.Options{HostFuncs: airlock.HostFuncs{
		"Render": airlock.Func(func(page string) (string, error) { return strings.ToUpper(page), nil }).
			Confined(airlock.Syscalls{}),
	}}
	_, err := airlock.Call[string](context.Background(), sb, "Main")
	if denied, ok := errors.AsType[*airlock.SyscallDeniedError](err); ok {
		log.Printf("%s wanted %s", denied.Function, denied.Name)
	}
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
	_ = airlock.Func(func() error { return nil }).Confined(allow)
}

// A mask of bits: files that are opened for reading only.
func ExampleSyscallRule() {
	rule := airlock.SyscallRule{Name: "openat", Args: []airlock.SyscallArg{
		{Index: 2, Op: airlock.ArgNoBits, Value: syscall.O_WRONLY | syscall.O_RDWR | syscall.O_CREAT},
	}}
	fmt.Println(rule.Name)
	// Output: openat
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
		guest, err := airlock.LoadGuest("guest.elf")
		if err != nil {
			log.Fatal(err)
		}
		sb, err := airlock.New(ctx, guest, airlock.Options{HostFuncs: thumbnails.HostFuncs()})
		if err != nil {
			log.Fatal(err)
		}
		defer sb.Close()
		_, err = sb.Call(ctx, "Main")
		if crashed, ok := errors.AsType[*airlock.WorkerError](err); ok {
			log.Print(crashed.Function, crashed.Err)
		}
	}
	_ = main
}

func ExampleWorkerError() {
	err := error(&airlock.WorkerError{Function: "Thumbnail", Err: errors.New("signal: segmentation fault")})
	fmt.Println(err)
	// Output: airlock: worker of host function "Thumbnail": signal: segmentation fault
}
