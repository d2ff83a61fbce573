// Package airlock runs untrusted native code in hypervisor-isolated micro-VMs.
//
// A guest is an ordinary static Linux program: a plain "go build" with cgo off,
// "gcc -static", Rust with crt-static. It runs in a virtual machine of its own
// that has one memory buffer of fixed size and nothing else: no files, no
// network, no devices. Its Linux system calls are served inside the VM by a
// small guest kernel; what reaches the host is a handful of typed hypercalls.
//
//	guest, err := airlock.LoadGuest("hello")
//	sb, err := airlock.New(ctx, guest, airlock.Options{})
//	defer sb.Close()
//	code, err := sb.Run(ctx, airlock.Process{Stdout: os.Stdout})
//
// The package needs Linux on x86-64 with a /dev/kvm that the process may open;
// elsewhere it compiles, and [New] fails with [ErrNoHypervisor]. It needs no
// cgo and no root, and changes no process-wide state. Threads and goroutines run
// while a guest does, with these exceptions: those that take closed sandboxes
// apart, the threads of confined host functions and the workers of isolated ones
// while a sandbox that used them is open, and on kernels before 6.13 one thread for
// each sandbox.
//
// # Trust
//
// Everything that a guest can influence is hostile: its file, what it writes
// into shared memory, the order and number of its hypercalls. A guest can waste
// the memory and the processor time that it was given, and can end with an
// error. SECURITY.md in the repository says what is promised and what is not.
package airlock
