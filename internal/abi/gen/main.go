// Command gen writes internal/abi/zabi.go from abi/airlock_abi.h.
//
// The names come from the header's text and every number (values, sizes,
// offsets) from a C compiler that has read the same header, so that the Go
// mirror can't differ from what the guest kernel is built with. The header
// keeps to a small subset of C for this: one definition or field a line.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	header := flag.String("header", "../../abi/airlock_abi.h", "contract `file`")
	output := flag.String("o", "zabi.go", "Go `file` to write")
	flag.Parse()
	if err := generate(*header, *output); err != nil {
		fmt.Fprintln(os.Stderr, "abi/gen:", err)
		os.Exit(1)
	}
}

func generate(headerFile, outputFile string) error {
	text, err := os.ReadFile(headerFile)
	if err != nil {
		return err
	}
	h, err := parseHeader(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", headerFile, err)
	}
	numbers, err := probe(h, headerFile)
	if err != nil {
		return err
	}
	source, err := format.Source(emit(h, numbers))
	if err != nil {
		return err
	}
	return os.WriteFile(outputFile, source, 0o644) //nolint:gosec // G306: a source file is for everybody
}

// probe compiles a C program that includes the header and prints the number of
// every expression that emit needs, in order.
func probe(h *header, headerFile string) (map[string]uint64, error) {
	dir, err := os.MkdirTemp("", "airlock-abi-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	absolute, err := filepath.Abs(headerFile)
	if err != nil {
		return nil, err
	}

	var c strings.Builder
	fmt.Fprintf(&c, "#include %q\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n", absolute)
	for _, expr := range h.expressions() {
		fmt.Fprintf(&c, "\tprintf(\"%%llu %s\\n\", (unsigned long long)(%s));\n", expr, expr)
	}
	c.WriteString("\treturn 0;\n}\n")
	source, program := filepath.Join(dir, "probe.c"), filepath.Join(dir, "probe")
	if err := os.WriteFile(source, []byte(c.String()), 0o600); err != nil {
		return nil, err
	}
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	if out, err := exec.Command(compiler, "-std=c99", "-Wall", "-Werror", "-o", program, source).CombinedOutput(); err != nil { //nolint:gosec // G204: the developer's own compiler
		return nil, fmt.Errorf("%s: %w\n%s", compiler, err, out)
	}
	out, err := exec.Command(program).Output() //nolint:gosec // G204: what was just built
	if err != nil {
		return nil, err
	}

	numbers := make(map[string]uint64)
	for line := range bytes.Lines(out) {
		var n uint64
		value, expr, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		if _, err := fmt.Sscan(value, &n); err != nil {
			return nil, fmt.Errorf("probe printed %q: %w", line, err)
		}
		numbers[expr] = n
	}
	return numbers, nil
}
