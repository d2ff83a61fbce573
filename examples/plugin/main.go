// Command plugin is a host for plugins: programs that others have written and
// that need not be trusted. It loads every file of a directory, lists what each
// exports, and passes the lines that it reads on to them.
//
//	go build -o plugins/words.plugin ./examples/plugin/guests/words
//	go build -o plugins/faulty.plugin ./examples/plugin/guests/faulty
//	go run ./examples/plugin plugins
//
//	faulty.Crashes()
//	...
//	words.Upper(string) string
//	> words.Upper hello
//	HELLO
//	> faulty.Hangs
//	faulty.Hangs: plugin was replaced: airlock: run: context deadline exceeded
//	> words.Count the others work on
//	4
//
// (CGO_ENABLED=0 is needed where the go command would use cgo.) Each plugin has
// a sandbox, that is a virtual machine, of its own, and a deadline for each call.
// One that crashes, hangs or uses up its memory ends that call and nothing else:
// its sandbox is replaced by a new one, in which the plugin starts anew. The
// others don't notice.
//
// [Plugins] in plugins.go is the part to take for a program of your own.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: plugin DIRECTORY <LINES")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run loads the plugins and obeys lines: a function and its arguments, between
// blanks. Its last parameter, if that is a string, gets the rest of the line.
func run(ctx context.Context, dir string, in io.Reader, out io.Writer) error {
	plugins, err := Load(ctx, dir, Options{})
	if err != nil {
		return err
	}
	defer plugins.Close() //nolint:errcheck // the process ends
	for _, name := range plugins.Functions() {
		f, _ := plugins.Signature(name)
		if _, err := fmt.Fprintln(out, name+strings.TrimPrefix(f.String(), f.Name)); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if _, err := fmt.Fprint(out, "> ", lines.Text(), "\n", obey(ctx, plugins, lines.Text())); err != nil {
			return err
		}
	}
	return lines.Err()
}

// obey returns the answer to a line, or what is wrong with it, as a line.
func obey(ctx context.Context, plugins *Plugins, line string) string {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	f, ok := plugins.Signature(name)
	if !ok {
		return fmt.Sprintf("%q: no plugin has it\n", name)
	}
	words := slices.DeleteFunc(strings.SplitN(rest, " ", max(len(f.Params), 1)), func(w string) bool { return w == "" })
	args := make([]any, len(words))
	for i, word := range words {
		args[i] = word // too many, or of types that don't fit, are for Call to refuse
		if i < len(f.Params) {
			args[i] = parse(word, f.Params[i])
		}
	}
	result, err := plugins.Call(ctx, name, args...)
	switch {
	case err != nil:
		return err.Error() + "\n"
	case result == nil:
		return ""
	}
	return fmt.Sprintln(result)
}

// parse makes a value of one of the types that plugins take here.
func parse(word, kind string) any {
	switch kind {
	case "int64", "int32", "uint64", "uint32":
		if n, err := strconv.Atoi(word); err == nil {
			return n // passes as any integer that it is in range of
		}
	case "float64":
		if x, err := strconv.ParseFloat(word, 64); err == nil {
			return x
		}
	case "bool":
		if b, err := strconv.ParseBool(word); err == nil {
			return b
		}
	}
	return word
}
