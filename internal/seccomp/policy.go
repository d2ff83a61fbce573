// Package seccomp runs functions on threads whose system calls a filter of the
// kernel restricts, and restricts whole processes in the same way.
//
// Rules become BPF programs in policy.go, without the kernel's help and testable
// without it. thread_linux_amd64.go has the threads, and explains how a refused
// system call comes to be known. See seccomp(2) and seccomp_unotify(2).
package seccomp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
)

// ErrRule means that a rule is none. The error that wraps it says why.
var ErrRule = errors.New("not a rule for system calls")

// ErrUnsupported means that filters with supervision can't be had here: the
// kernel is too old, or a filter above this process refuses seccomp(2).
var ErrUnsupported = errors.New("seccomp filters are not available")

// Op compares an argument of a system call.
type Op uint8

// What an argument can be asked.
const (
	OpInvalid Op = iota
	Equal        // is the value
	NotEqual     // is not the value
	AtMost       // is the value or less, as an unsigned number
	AtLeast      // is the value or more, as an unsigned number
	AnyBits      // has at least one of the value's bits
	NoBits       // has none of the value's bits
)

// Arg is a condition on one argument.
type Arg struct {
	Index uint8 // 0 to 5
	Op    Op
	Value uint64
}

// Rule allows a system call if all conditions on its arguments hold. Of several
// rules for one call any will do.
type Rule struct {
	Name string
	Args []Arg
}

// Allow makes rules without conditions.
func Allow(names ...string) []Rule {
	rules := make([]Rule, 0, len(names))
	for _, name := range names {
		rules = append(rules, Rule{Name: name})
	}
	return rules
}

// maxProgram is BPF_MAXINSNS.
const maxProgram = 4096

// Compile makes a program of rules. What none allows is reported to the filter's
// supervisor and not done, system calls of other architectures included.
func Compile(rules []Rule) ([]bpf.RawInstruction, error) {
	program, err := assemble(rules)
	if err != nil {
		return nil, err
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRule, err)
	}
	if len(raw) > maxProgram {
		return nil, fmt.Errorf("%w: %d instructions of BPF, the most is %d", ErrRule, len(raw), maxProgram)
	}
	return raw, nil
}

// call is a system call that there are rules for.
type call struct {
	name string
	nr   uint32
	free bool    // one of the rules has no conditions
	sets [][]Arg // the conditions of the others
}

// collect sorts the rules by name, so that equal sets of rules make equal
// programs.
func collect(rules []Rule) ([]call, error) {
	calls := map[string]*call{}
	for _, rule := range rules {
		nr, ok := Number(rule.Name)
		if !ok {
			return nil, fmt.Errorf("%w: there is no system call %q", ErrRule, rule.Name)
		}
		for _, arg := range rule.Args {
			if arg.Op == OpInvalid || arg.Op > NoBits || arg.Index >= maxArgs {
				return nil, fmt.Errorf("%w: %s: argument %d, comparison %d", ErrRule, rule.Name, arg.Index, arg.Op)
			}
		}
		c := calls[rule.Name]
		if c == nil {
			c = &call{name: rule.Name, nr: uint32(nr)} //nolint:gosec // G115: of a table
			calls[rule.Name] = c
		}
		c.free = c.free || len(rule.Args) == 0
		c.sets = append(c.sets, rule.Args)
	}
	list := make([]call, 0, len(calls))
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		c := calls[name]
		slices.SortFunc(c.sets, func(a, b []Arg) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		c.sets = slices.CompactFunc(c.sets, slices.Equal)
		list = append(list, *c)
	}
	return list, nil
}

// Number returns the number of a system call of x86-64.
func Number(name string) (int, bool) {
	nr, ok := arch.X86_64.SyscallNames[name]
	return nr, ok
}

// Name returns the name of a system call of x86-64, or its number in words.
func Name(nr int) string {
	if name, ok := arch.X86_64.SyscallNumbers[nr]; ok {
		return name
	}
	return fmt.Sprintf("system call %d", nr)
}
