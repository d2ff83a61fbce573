// Touches 40 MiB in a sandbox of 64 MiB.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
package main

import (
	"encoding/binary"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	const size = 40 << 20
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		check.Equal(binary.LittleEndian.Uint64(block[i:]), 0)
		binary.LittleEndian.PutUint64(block[i:], uint64(i)|1)
	}
	for i := 0; i < size; i += 4096 {
		check.Equal(binary.LittleEndian.Uint64(block[i:]), uint64(i)|1)
	}
	check.Success()
}
