// Spins for ever without a system call.
// want: timeout
package main

func main() {
	for {
	}
}
