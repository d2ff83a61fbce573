// Command probe is a guest that shows what a sandbox does, for lifecycle_test.go
// and its neighbours. Its first argument says what it does; see the table.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unsafe"
)

var commands = map[string]func() int{
	"dirty":    dirty,
	"search":   search,
	"epipe":    epipe,
	"sigpipe":  sigpipe,
	"lines":    lines,
	"spin":     spin,
	"sleep":    sleep,
	"unknown":  unknown,
	"unknown+": func() int { unknown(); return spin() },
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: probe COMMAND; the commands are in the source")
		os.Exit(2)
	}
	os.Exit(commands[os.Args[1]]())
}

// Where the guest kernel maps all guest-physical memory, see abi/airlock_abi.h.
const physmap = 0x7f8000000000

// sandboxMemory is the memory of the sandboxes that search is run in.
const sandboxMemory = 32 << 20

// secret is what dirty leaves everywhere. It is computed, so that it is not in
// the program's file.
func secret() uint64 {
	return 0x5ec2e75ec2e75ec2 ^ uint64(len(os.Args[1:]))<<63 ^ 0x8000000000000000
}

var (
	data  = []uint64{1, 2, 3} // in the data section
	zeros [1 << 16]uint64     // in the zeroed one
)

// dirty checks that everything is as in a new process and then writes the secret
// over all of it and over fresh memory.
func dirty() int {
	if data[0] != 1 || data[1] != 2 || data[2] != 3 {
		return 10
	}
	for i := range zeros {
		if zeros[i] != 0 {
			return 11
		}
		zeros[i] = secret()
	}
	data[0], data[1], data[2] = secret(), secret(), secret()
	fresh, err := syscall.Mmap(-1, 0, 16<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return 12
	}
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(fresh))), len(fresh)/8)
	for i := range words {
		if words[i] != 0 {
			return 13
		}
		words[i] = secret()
	}
	return 0
}

// search looks through all memory of the machine for the secret and prints how
// often it is there. The word that it compares with is itself somewhere.
func search() int {
	found := 0
	for at := uintptr(0); at < sandboxMemory; at += 8 {
		if *(*uint64)(unsafe.Pointer(physmap + at)) == secret() {
			found++
		}
	}
	fmt.Println(found)
	return 0
}

// epipe writes to stdout until that fails; the exit code is the error number.
func epipe() int {
	signal.Ignore(syscall.SIGPIPE)
	for {
		_, err := syscall.Write(1, []byte("a line that nobody wants\n"))
		var errno syscall.Errno
		if errors.As(err, &errno) {
			// It must go on to fail, and stderr must not mind.
			if _, err := syscall.Write(1, []byte("x")); err != errno {
				return 100
			}
			fmt.Fprintln(os.Stderr, "stdout failed")
			return int(errno)
		}
	}
}

// sigpipe writes to stdout for ever.
func sigpipe() int {
	for {
		fmt.Println("a line that nobody wants")
	}
}

// lines prints how many lines it has read, after each line that it reads.
func lines() int {
	in := bufio.NewReader(os.Stdin)
	for n := 0; ; n++ {
		fmt.Println(n)
		if _, err := in.ReadString('\n'); err == io.EOF {
			return 0
		} else if err != nil {
			return 1
		}
	}
}

func spin() int {
	fmt.Println("spinning")
	for {
	}
}

func sleep() int {
	fmt.Println("sleeping")
	time.Sleep(time.Hour)
	return 0
}

// unknown makes system calls that Linux does not have.
func unknown() int {
	for range 3 {
		if _, _, errno := syscall.RawSyscall(1999, 1, 2, 3); errno != syscall.ENOSYS {
			return 1
		}
	}
	if _, _, errno := syscall.RawSyscall(2000, 0, 0, 0); errno != syscall.ENOSYS {
		return 1
	}
	return 0
}
