package airlock_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/airlockvm/airlock"
)

// The whole way: load a program, make a sandbox for it, run it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(ctx, guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()

	code, err := sb.Run(ctx, airlock.Process{Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exit code", code)
	// Output:
	// Hello, World!
	// exit code 0
}

func ExampleLoadGuest() {
	guest, err := airlock.LoadGuest(hello()) // built by: CGO_ENABLED=0 go build -o hello
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(guest.Name())

	// What can't be a guest is refused before there is any virtual machine.
	_, err = airlock.LoadGuest("example_test.go")
	if refused, ok := errors.AsType[*airlock.GuestFormatError](err); ok {
		fmt.Println(refused.Reason)
	}
	// Output:
	// hello
	// elf: not an ELF file
}

func ExampleNewGuest() {
	// Seven bytes of machine code in an ELF file: exit with code 7.
	file := program(
		0x6a, 0x07, 0x5f, // push 7; pop rdi
		0x6a, 0x3c, 0x58, // push 60; pop rax: exit(2)
		0x0f, 0x05, // syscall
	)
	guest, err := airlock.NewGuest("seven", file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run(guest))
	// Output: 7 <nil>
}

func ExampleGuest_Info() {
	guest, err := airlock.NewGuest("seven", program(0x6a, 0x07, 0x5f, 0x6a, 0x3c, 0x58, 0x0f, 0x05))
	if err != nil {
		log.Fatal(err)
	}
	info := guest.Info()
	fmt.Printf("%s, entry %#x, needs %d MiB\n", info.Kind, info.Entry, info.Memory>>20)
	for _, s := range info.Segments {
		fmt.Printf("%s %#x, %d bytes\n", s.Perm, s.Addr, s.Size)
	}
	// Output:
	// exec, entry 0x400078, needs 2 MiB
	// r-x 0x400000, 128 bytes
}

func ExampleNew() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(context.Background(), guest, airlock.Options{})
	switch {
	case errors.Is(err, airlock.ErrNoHypervisor):
		log.Fatal("no virtual machines here: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("a sandbox for", sb.Guest().Name())
	if err := sb.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: a sandbox for hello
}

func ExampleOptions() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	var trace bytes.Buffer
	sb, err := airlock.New(context.Background(), guest, airlock.Options{
		Memory: 16 << 20, // all that the guest will ever have
		Trace:  &trace,   // its Linux system calls, as strace prints them
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	if _, err := sb.Run(context.Background(), airlock.Process{}); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(trace.String()) {
		if strings.Contains(line, "write(") {
			call, _, _ := strings.Cut(line, " <") // without how long it took
			fmt.Println(call)
		}
	}

	// Options that can't be met are refused.
	_, err = airlock.New(context.Background(), guest, airlock.Options{Memory: -1})
	fmt.Println(errors.Is(err, airlock.ErrOptions))
	// Output:
	// [2] write(1, "Hello, World!\n", 14) = 14
	// true
}

func ExampleSandbox_Run() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	sb, err := airlock.New(ctx, guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()

	// A sandbox may run its program again and again. Each run starts anew.
	for range 3 {
		code, err := sb.Run(ctx, airlock.Process{Stdout: os.Stdout})
		fmt.Println(code, err)
	}
	// Output:
	// Hello, World!
	// 0 <nil>
	// Hello, World!
	// 0 <nil>
	// Hello, World!
	// 0 <nil>
}

// A program that never ends is stopped when its context does, whatever it is
// doing. Its sandbox is of no use any more.
func ExampleSandbox_Run_timeout() {
	guest, err := airlock.NewGuest("spin", program(0xeb, 0xfe)) // jump to itself
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(context.Background(), guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err = sb.Run(ctx, airlock.Process{})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	_, err = sb.Run(context.Background(), airlock.Process{})
	fmt.Println(errors.Is(err, airlock.ErrPoisoned))
	// Output:
	// true
	// true
}

func ExampleSandbox_Close() {
	guest, err := airlock.LoadGuest(hello())
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(context.Background(), guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sb.Close())
	_, err = sb.Run(context.Background(), airlock.Process{})
	fmt.Println(errors.Is(err, airlock.ErrClosed))
	// Output:
	// <nil>
	// true
}

func ExampleProcess() {
	guest, err := airlock.LoadGuest(guests()["args"]) // prints its arguments and environment
	if err != nil {
		log.Fatal(err)
	}
	sb, err := airlock.New(context.Background(), guest, airlock.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	code, err := sb.Run(context.Background(), airlock.Process{
		Args:   []string{"3", "two words"},
		Env:    []string{"LANG=C"},
		Stdin:  strings.NewReader("which it does not read"),
		Stdout: os.Stdout,
		Stderr: io.Discard,
	})
	fmt.Println("exit code", code, err)
	// Output:
	// arg 1 "3"
	// arg 2 "two words"
	// env LANG=C
	// exit code 3 <nil>
}

func ExampleGuestFault() {
	guest, err := airlock.NewGuest("divide", program(
		0x31, 0xc9, // xor ecx, ecx
		0xf7, 0xf1, // div ecx
	))
	if err != nil {
		log.Fatal(err)
	}
	_, err = run(guest)
	if fault, ok := errors.AsType[*airlock.GuestFault](err); ok {
		fmt.Println(fault)
		fmt.Println(fault.Kind == airlock.FaultDivide, fault.Signal)
	}
	// Output:
	// airlock: guest fault: division by zero at 0x40007a
	// true 8
}

// A guest that needs more memory than its sandbox has ends with a fault of its
// own kind.
func ExampleGuestFault_memory() {
	guest, err := airlock.NewGuest("eat", program(
		0xbf, 0x00, 0x00, 0x00, 0x10, // mov edi, 0x10000000
		0xbe, 0x00, 0x00, 0x00, 0x20, // mov esi, 512 MiB
		0x6a, 0x03, 0x5a, // push 3; pop rdx: readable and writable
		0x6a, 0x32, 0x41, 0x5a, // push 0x32; pop r10: private, anonymous, at rdi
		0x49, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, // mov r8, -1
		0x45, 0x31, 0xc9, // xor r9d, r9d
		0x6a, 0x09, 0x58, // push 9; pop rax: mmap(2)
		0x0f, 0x05, // syscall
		0x88, 0x07, // touch: mov [rdi], al
		0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, // add edi, 4096
		0xeb, 0xf6, // jmp touch
	))
	if err != nil {
		log.Fatal(err)
	}
	_, err = run(guest)
	fmt.Println(errors.Is(err, airlock.ErrOutOfMemory))
	// Output: true
}

// run runs a guest once, in a sandbox of its own.
func run(guest *airlock.Guest) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	sb, err := airlock.New(ctx, guest, airlock.Options{})
	if err != nil {
		return -1, err
	}
	defer sb.Close()
	return sb.Run(ctx, airlock.Process{})
}

// program is an ELF file with one segment: a header and the code behind it.
func program(code ...byte) []byte {
	const base, headers = 0x400000, 64 + 56
	le := binary.LittleEndian
	file := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	file = le.AppendUint32(file, 2|62<<16) // an executable for x86-64
	file = le.AppendUint32(file, 1)
	file = le.AppendUint64(file, base+headers) // entry
	file = le.AppendUint64(file, 64)           // the program header
	file = le.AppendUint64(file, 0)
	file = le.AppendUint32(file, 0)
	for _, v := range []uint16{64, 56, 1, 64, 0, 0} {
		file = le.AppendUint16(file, v)
	}
	file = le.AppendUint32(file, 1) // to be loaded
	file = le.AppendUint32(file, 5) // readable, executable
	size := uint64(headers + len(code))
	for _, v := range []uint64{0, base, base, size, size, 4096} {
		file = le.AppendUint64(file, v)
	}
	return append(file, code...)
}

// hello is the path of a Go program, built with the stock toolchain.
func hello() string { return guests()["hello"] }

// guests builds Go programs and returns their paths by name.
var guests = sync.OnceValue(func() map[string]string {
	dir, err := filepath.Abs(filepath.Join("build", "test", "examples"))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		log.Fatal(err)
	}
	paths := make(map[string]string)
	for _, name := range []string{"hello", "args"} {
		paths[name] = filepath.Join(dir, name)
		cmd := exec.Command("go", "build", "-C", "test/guests", "-o", paths[name], "./go/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if out, err := cmd.CombinedOutput(); err != nil {
			log.Fatalf("%v\n%s", err, out)
		}
	}
	return paths
})
