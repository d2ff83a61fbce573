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
	"slices"
	"strings"

	elastic "github.com/elastic/go-seccomp-bpf"
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

var operations = map[Op]elastic.Operation{
	Equal: elastic.Equal, NotEqual: elastic.NotEqual,
	AtMost: elastic.LessOrEqual, AtLeast: elastic.GreaterOrEqual,
	AnyBits: elastic.BitsSet, NoBits: elastic.BitsNotSet,
}

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

// Actions of seccomp(2) for what no rule allows.
const (
	actionNotify = uint32(elastic.ActionUserNotify)
	actionAllow  = uint32(elastic.ActionAllow)
)

const (
	maxArgs = 6
	// maxProgram is BPF_MAXINSNS.
	maxProgram = 4096
)

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

func assemble(rules []Rule) ([]bpf.Instruction, error) {
	group, err := collect(rules)
	if err != nil {
		return nil, err
	}
	policy := elastic.Policy{DefaultAction: elastic.ActionKillProcess, Syscalls: []elastic.SyscallGroup{group}}
	program, err := policy.Assemble()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRule, err)
	}
	// The library doesn't accept a supervisor as its default, and gives ENOSYS to
	// calls by the x32 interface: whatever isn't allowed goes to the supervisor.
	for i, instruction := range program {
		if ret, ok := instruction.(bpf.RetConstant); ok && ret.Val != actionAllow {
			program[i] = bpf.RetConstant{Val: actionNotify}
		}
	}
	return program, nil
}

// collect sorts the rules by name, so that equal sets of rules make equal
// programs, and drops the conditions of those that another rule allows without.
func collect(rules []Rule) (elastic.SyscallGroup, error) {
	group := elastic.SyscallGroup{Action: elastic.ActionAllow}
	byName := map[string][]elastic.ArgumentConditions{}
	free := map[string]bool{}
	var names []string
	for _, rule := range rules {
		if _, ok := Number(rule.Name); !ok {
			return group, fmt.Errorf("%w: there is no system call %q", ErrRule, rule.Name)
		}
		var conditions elastic.ArgumentConditions
		for _, arg := range rule.Args {
			operation, ok := operations[arg.Op]
			if !ok || arg.Index >= maxArgs {
				return group, fmt.Errorf("%w: %s: argument %d, comparison %d", ErrRule, rule.Name, arg.Index, arg.Op)
			}
			conditions = append(conditions,
				elastic.Condition{Argument: uint32(arg.Index), Operation: operation, Value: arg.Value})
		}
		if _, seen := byName[rule.Name]; !seen {
			names = append(names, rule.Name)
		}
		byName[rule.Name] = append(byName[rule.Name], conditions)
		free[rule.Name] = free[rule.Name] || len(conditions) == 0
	}
	slices.Sort(names)
	for _, name := range names {
		if free[name] {
			group.Names = append(group.Names, name)
			continue
		}
		sets := byName[name]
		slices.SortFunc(sets, func(a, b elastic.ArgumentConditions) int {
			return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
		})
		sets = slices.CompactFunc(sets, func(a, b elastic.ArgumentConditions) bool { return slices.Equal(a, b) })
		for _, conditions := range sets {
			group.NamesWithCondtions = append(group.NamesWithCondtions,
				elastic.NameWithConditions{Name: name, Conditions: conditions})
		}
	}
	return group, nil
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
