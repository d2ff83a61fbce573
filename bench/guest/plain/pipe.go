//go:build !wasip1

package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
)

// A message is its length in four bytes, a letter, and content.
const headerSize = 5

var (
	requests = bufio.NewReaderSize(os.Stdin, 64<<10)
	message  []byte
)

func receive() (kind byte, text string) {
	var header [headerSize]byte
	if _, err := io.ReadFull(requests, header[:]); err == io.EOF { //nolint:errorlint // as ReadFull says it
		os.Exit(0)
	} else if err != nil {
		os.Exit(1)
	}
	content := make([]byte, binary.LittleEndian.Uint32(header[:]))
	if _, err := io.ReadFull(requests, content); err != nil {
		os.Exit(1)
	}
	return header[4], string(content)
}

func answer(kind byte, text string) {
	message = binary.LittleEndian.AppendUint32(message[:0], uint32(len(text))) //nolint:gosec // G115: it came with such a length
	message = append(append(message, kind), text...)
	if _, err := os.Stdout.Write(message); err != nil {
		os.Exit(1)
	}
}

func askHost(text string) string {
	answer('h', text)
	kind, text := receive()
	if kind != 'r' {
		os.Exit(1)
	}
	return text
}

func main() {
	for {
		switch kind, text := receive(); kind {
		case 'e':
			answer('r', echo(text))
		case 'a':
			answer('r', ask(text))
		default:
			os.Exit(1)
		}
	}
}
