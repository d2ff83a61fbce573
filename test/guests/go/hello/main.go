// Prints the traditional greeting.
// want: exit 0
// stdout: Hello, World!
package main

import "fmt"

func main() {
	fmt.Println("Hello, World!")
}
