package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"time"

	"github.com/airlockvm/airlock"
)

// One guest, any number of sandboxes.
func ExampleGuest() {
	guest, err := airlock.NewGuest("seven", program(0x6a, 0x07, 0x5f, 0x6a, 0x3c, 0x58, 0x0f, 0x05)) // exits with 7
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		fmt.Println(run(guest))
	}
	// Output:
	// 7 <nil>
	// 7 <nil>
}

func ExampleGuest_Name() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(guest.Name())
	// Output: hello
}

func ExampleGuestInfo() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	info := guest.Info()
	fmt.Println(info.Name, info.Kind, info.Memory <= airlock.DefaultMemory)
	// Output: hello exec true
}

// No memory of a guest is writable and executable.
func ExampleSegment() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	code := slices.IndexFunc(guest.Info().Segments, func(s airlock.Segment) bool {
		return s.Perm == "r-x" && s.Addr <= guest.Info().Entry && guest.Info().Entry < s.Addr+s.Size
	})
	fmt.Println(code >= 0)
	// Output: true
}

// Files up to this size are read.
func ExampleMaxGuestFile() {
	_, err := airlock.NewGuest("large", make([]byte, airlock.MaxGuestFile+1))
	refused, ok := errors.AsType[*airlock.GuestFormatError](err)
	fmt.Println(ok, refused.Reason)
	// Output: true elf: file too large
}

// Memory is what a guest may have, not what it takes from the host.
func ExampleDefaultMemory() {
	sb, err := airlock.New(context.Background(), greeter(), airlock.Options{Memory: 4 * airlock.DefaultMemory})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(airlock.DefaultMemory>>20, "MiB", sb.Close())
	// Output: 64 MiB <nil>
}

// Larger sandboxes are refused.
func ExampleMaxMemory() {
	_, err := airlock.New(context.Background(), greeter(), airlock.Options{Memory: airlock.MaxMemory + 1})
	fmt.Println(errors.Is(err, airlock.ErrOptions))
	// Output: true
}

// Larger messages take larger buffers.
func ExampleDefaultMessageSize() {
	ctx := context.Background()
	name := strings.Repeat("x", airlock.DefaultMessageSize)
	for _, size := range []int64{0, 4 * airlock.DefaultMessageSize} {
		sb, err := airlock.New(ctx, greeter(), airlock.Options{MessageSize: size, HostFuncs: airlock.HostFuncs{
			"GetWeekday": airlock.Func(func() string { return "Monday" }),
		}})
		if err != nil {
			log.Fatal(err)
		}
		_, err = sb.Call(ctx, "SayHello", name)
		fmt.Println(err == nil, errors.Is(err, airlock.ErrTooLarge), sb.Close())
	}
	// Output:
	// false true <nil>
	// true false <nil>
}

// A guest that keeps its processor between calls, for calls that must be quick
// at any price.
func ExampleSpinAlways() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{
		Spin:      airlock.SpinAlways,
		HostFuncs: airlock.HostFuncs{"GetWeekday": airlock.Func(func() string { return "Monday" })},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close() // until then
	fmt.Println(airlock.Call[string](ctx, sb, "SayHello", "World"))
	// Output: Hello, World! Today is Monday. <nil>
}

// Load a program, make a sandbox, call its functions, close it.
func ExampleSandbox() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{HostFuncs: airlock.HostFuncs{
		"GetWeekday": airlock.Func(func() string { return "Monday" }),
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	fmt.Println(airlock.Call[string](ctx, sb, "SayHello", "World"))
	// Output: Hello, World! Today is Monday. <nil>
}

// What a guest needs can be asked before it is met.
func ExampleSandbox_Functions() {
	ctx := context.Background()
	sb, err := airlock.New(ctx, greeter(), airlock.Options{}) // without host functions
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	list, err := sb.Functions(ctx)
	fmt.Println(list.Imports, err)
	// Output: [GetWeekday() string] <nil>
}

func ExampleSandbox_Guest() {
	sb := newGreeter(context.Background())
	defer sb.Close()
	fmt.Println(sb.Guest().Name())
	// Output: greeter
}

func ExampleSandbox_Stats() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	for range 3 {
		if _, err := sb.Call(ctx, "SayHello", "World"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(sb.Stats().Calls)
	// Output: 3
}

// Code that doesn't care whether its sandbox is one of a pool.
func ExampleCallee() {
	greet := func(ctx context.Context, to airlock.Callee) {
		fmt.Println(airlock.Call[string](ctx, to, "SayHello", "World"))
	}
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	greet(ctx, sb)
	// Output: Hello, World! Today is Monday. <nil>
}

func ExampleFunctionInfo() {
	ctx := context.Background()
	sb := newGreeter(ctx)
	defer sb.Close()
	list, err := sb.Functions(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range list.Exports {
		fmt.Println(f.Name, "takes", f.Params, "and returns", f.Return)
		fmt.Println(f)
	}
	// Output:
	// SayHello takes [string] and returns string
	// SayHello(string) string
}

// Functions of many shapes. Those with a context can see when the call is over.
func ExampleHostFunc() {
	funcs := airlock.HostFuncs{
		"Now":  airlock.Func(func() int64 { return time.Now().Unix() }),
		"Add":  airlock.Func(func(a, b int32) int32 { return a + b }),
		"Read": airlock.Func(func(_ context.Context, key string) ([]byte, error) { return []byte(key), nil }),
	}
	fmt.Println(len(funcs))
	// Output: 3
}

// Each program ends in a way of its own.
func ExampleFaultKind() {
	for _, code := range [][]byte{
		{0x0f, 0x0b}, // ud2
		{0xf4},       // hlt
		{0xcc},       // int3
	} {
		guest, err := airlock.NewGuest("ends", program(code...))
		if err != nil {
			log.Fatal(err)
		}
		_, err = run(guest)
		fault, ok := errors.AsType[*airlock.GuestFault](err)
		if !ok {
			log.Fatal(err)
		}
		if fault.Kind == airlock.FaultBreakpoint {
			fmt.Println("it wants a debugger")
		} else {
			fmt.Println(fault.Kind)
		}
	}
	// Output:
	// invalid instruction
	// general protection fault
	// it wants a debugger
}

// What a fault wanted to do with memory.
func ExampleAccess() {
	guest, err := airlock.NewGuest("wild", program(
		0x31, 0xc0, // xor eax, eax
		0xc6, 0x00, 0x01, // mov byte [rax], 1
	))
	if err != nil {
		log.Fatal(err)
	}
	_, err = run(guest)
	if fault, ok := errors.AsType[*airlock.GuestFault](err); ok && fault.Access == airlock.AccessWrite {
		fmt.Printf("%s at %#x\n", fault.Access, fault.Addr)
	}
	// Output: write at 0x0
}
