// Allocates and touches memory until there is none left.
// want: any
// native: no
package main

func main() {
	var kept [][]byte
	for {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = byte(i>>12) | 1
		}
		kept = append(kept, block)
		if kept[0][0] == 0 {
			return
		}
	}
}
