package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/airlockvm/airlock"

	"github.com/airlockvm/airlock/cmd/airlock/internal/values"
)

// stdinName is what means stdin in place of a file.
const stdinName = "-"

// parseArguments makes the arguments of a call from those of the command line.
func parseArguments(f airlock.FunctionInfo, args []string, in *inputs) ([]any, error) {
	if err := checkCount(f, len(args)); err != nil {
		return nil, err
	}
	list := make([]any, len(args))
	for i, text := range args {
		var err error
		if list[i], err = values.Parse(f.Params[i], text, in.read); err != nil {
			return nil, argumentError(f, i, err)
		}
	}
	return list, nil
}

// parseJSONArguments makes the arguments of a call from the one of the command
// line, a JSON array. None is an empty array.
func parseJSONArguments(f airlock.FunctionInfo, args []string, in *inputs) ([]any, error) {
	text := []byte("[]")
	switch {
	case len(args) > 1:
		return nil, usageError{fmt.Sprintf("with --json there is one ARG, a JSON array of all arguments, and not %d", len(args))}
	case len(args) == 1 && args[0] == stdinName:
		text = in.stdin
	case len(args) == 1:
		text = []byte(args[0])
	}
	list, err := values.DecodeList(text)
	if err != nil {
		return nil, usageError{fmt.Sprintf(`with --json ARG is a JSON array of all arguments, such as '[1, "a"]': %v`, err)}
	}
	if err := checkCount(f, len(list)); err != nil {
		return nil, err
	}
	for i, v := range list {
		if list[i], err = values.FromJSON(f.Params[i], v); err != nil {
			return nil, argumentError(f, i, err)
		}
	}
	return list, nil
}

// checkCount refuses too few and too many arguments.
func checkCount(f airlock.FunctionInfo, given int) error {
	if given == len(f.Params) {
		return nil
	}
	want := fmt.Sprintf("%d arguments", len(f.Params))
	switch len(f.Params) {
	case 0:
		want = "no arguments"
	case 1:
		want = "1 argument"
	}
	return usageError{fmt.Sprintf("%s takes %s, not %d", f, want, given)}
}

func argumentError(f airlock.FunctionInfo, index int, err error) error {
	return usageError{fmt.Sprintf("argument %d of %s: %v", index+1, f, err)}
}

// inputs is where the content of values comes from that are given as @FILE.
type inputs struct {
	limit memorySize // the most that can be passed on
	stdin []byte     // all of it, if there is a use for it
}

// stdinUses returns how many values are to be read from stdin.
func (o *callOptions) stdinUses(args []string) int {
	const argument = "@" + stdinName
	uses := 0
	for _, text := range args {
		if text == argument && !o.asJSON || text == stdinName && o.asJSON {
			uses++
		}
	}
	for _, h := range o.hosts {
		if h.value == argument {
			uses++
		}
	}
	return uses
}

// readStdin reads all of stdin if there is a use for it. That is done before the
// guest's time begins, and ends with the context: the reader may be a person.
func (in *inputs) readStdin(ctx context.Context, stdin io.Reader, uses int) error {
	switch uses {
	case 0:
		return nil
	case 1:
	default:
		return usageError{fmt.Sprintf("stdin can be read only once, and %d values are to be read from it", uses)}
	}
	done := make(chan error, 1)
	go func() {
		content, err := in.readAll("stdin", stdin)
		in.stdin = content
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// read returns the content of a file that an argument names.
func (in *inputs) read(file string) ([]byte, error) {
	if file == stdinName {
		return in.stdin, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, pathFailure(file, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return in.readAll(file, f)
}

// readAll reads all there is, unless that is too much to be passed on: there are
// files without end.
func (in *inputs) readAll(file string, r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(in.limit)+1))
	switch {
	case err != nil:
		return nil, pathFailure(file, err)
	case len(content) > int(in.limit):
		return nil, usageError{fmt.Sprintf("%s is larger than %s; --message-size gives more", name(file), formatSize(in.limit))}
	}
	return content, nil
}
