// An uncaught panic prints a stack trace and exits with code 2.
// want: exit 2
package main

func main() {
	var values []int
	panic(len(values))
}
