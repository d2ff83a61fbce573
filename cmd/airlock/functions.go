package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/airlockvm/airlock"
)

// lookup returns the function of a name.
func lookup(function string, functions []airlock.FunctionInfo) (airlock.FunctionInfo, bool) {
	for _, f := range functions {
		if f.Name == function {
			return f, true
		}
	}
	return airlock.FunctionInfo{}, false
}

// findFunction returns the function of a name, or an error that says which there
// are.
//
// Guest-controlled: exports.
func findFunction(guest, function string, exports []airlock.FunctionInfo) (airlock.FunctionInfo, error) {
	f, ok := lookup(function, exports)
	if !ok {
		return f, usageError{fmt.Sprintf("%s exports no function %s%s; it exports %s",
			guest, name(function), suggestion(function, exports), signatures(exports))}
	}
	return f, nil
}

// signatures lists functions for an error message, and cuts a list that would
// hide the message.
func signatures(functions []airlock.FunctionInfo) string {
	const most = 20
	var list []string
	for i, f := range functions {
		if i == most {
			list = append(list, fmt.Sprintf("and %d more ('airlock inspect' lists them)", len(functions)-most))
			break
		}
		list = append(list, f.String())
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// suggestion asks whether another name was meant, or is empty.
func suggestion(function string, functions []airlock.FunctionInfo) string {
	best, similar := (len(function)+5)/3, "" // up to two mistakes in one letter, three in four
	for _, f := range functions {
		if d := distance(strings.ToLower(function), strings.ToLower(f.Name)); d < best {
			best, similar = d, f.Name
		}
	}
	if similar == "" {
		return ""
	}
	return " (did you mean " + name(similar) + "?)"
}

// distance returns how many characters must be added, removed or changed to make
// b of a (Levenshtein).
func distance(a, b string) int {
	to := []rune(b)
	row := make([]int, len(to)+1) // the distances of what was read of a from each beginning of b
	for j := range row {
		row[j] = j
	}
	for i, c := range []rune(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j, d := range to {
			change := diagonal
			if c != d {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}

// The answers to whether a guest serves calls.
const (
	servesCalls   = "serves"
	servesNone    = "none"
	servesUnknown = "unknown"
)

// declaration is what a guest says of its functions, and its form as JSON.
type declaration struct {
	Status string `json:"status"`
	// Reason says why there are none or it is not known.
	Reason  string     `json:"reason,omitempty"`
	SDK     string     `json:"sdk,omitempty"`
	Exports []function `json:"exports,omitempty"`
	Imports []function `json:"imports,omitempty"`
}

// function is one function, and its form as JSON.
type function struct {
	Name   string   `json:"name"`
	Params []string `json:"params"`
	Return string   `json:"return"`
}

// declared runs a guest, silently and without anything to read, until it serves,
// ends, or its time is over, and returns what it has declared. The error is that
// of the context alone.
func declared(ctx context.Context, guest *airlock.Guest, timeout time.Duration) (*declaration, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	list, err := functionsOf(limited, guest)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return &declaration{Status: servesNone, Reason: fmt.Sprintf("not within %v", timeout)}, nil
	case errors.Is(err, airlock.ErrNotServing):
		return &declaration{Status: servesNone}, nil
	case err != nil:
		return &declaration{Status: servesUnknown, Reason: oneLine(plain(err))}, nil
	}
	return &declaration{
		Status: servesCalls, SDK: list.SDK, Exports: functionList(list.Exports), Imports: functionList(list.Imports),
	}, nil
}

// functionsOf asks a guest in a sandbox of its own.
func functionsOf(ctx context.Context, guest *airlock.Guest) (list airlock.FunctionList, err error) {
	memory := min(guest.Info().Memory+airlock.DefaultMemory, airlock.MaxMemory)
	sb, err := airlock.New(ctx, guest, airlock.Options{Memory: int64(memory)}) //nolint:gosec // G115: at most MaxMemory
	if err != nil {
		return list, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return sb.Functions(ctx)
}

func functionList(infos []airlock.FunctionInfo) []function {
	list := make([]function, 0, len(infos))
	for _, f := range infos {
		list = append(list, function{Name: f.Name, Params: append([]string{}, f.Params...), Return: f.Return})
	}
	return list
}

// String writes a function as in Go, but for the names of types.
func (f function) String() string {
	return airlock.FunctionInfo{Name: f.Name, Params: f.Params, Return: f.Return}.String()
}
