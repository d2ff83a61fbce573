package seccomp

import (
	"fmt"
	"math"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
)

// What a program returns (seccomp(2)).
const (
	actionAllow  = uint32(0x7fff0000) // SECCOMP_RET_ALLOW
	actionNotify = uint32(0x7fc00000) // SECCOMP_RET_USER_NOTIF
)

// Where things are in struct seccomp_data. Arguments have 64 bits, the lower half
// first; the accumulator has 32.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
	argSize  = 8
	highHalf = 4

	maxArgs = 6
)

var (
	allow  = bpf.RetConstant{Val: actionAllow}
	notify = bpf.RetConstant{Val: actionNotify}
)

func load(offset uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offset, Size: 4} }

// assemble makes the program of rules. Each system call with conditions begins by
// loading the number, whatever was loaded last, and has an end of its own, so that no
// argument is ever taken for a number.
func assemble(rules []Rule) ([]bpf.Instruction, error) {
	calls, err := collect(rules)
	if err != nil {
		return nil, err
	}
	program := []bpf.Instruction{
		load(dataArch),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(arch.X86_64.ID), SkipTrue: 1},
		notify,
		load(dataNr),
	}
	for _, c := range calls {
		if c.free {
			program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: c.nr, SkipFalse: 1}, allow)
		}
	}
	for _, c := range calls {
		if c.free {
			continue
		}
		body, err := c.assemble()
		if err != nil {
			return nil, err
		}
		program = append(program,
			load(dataNr), bpf.JumpIf{Cond: bpf.JumpEqual, Val: c.nr, SkipTrue: 1}, bpf.Jump{Skip: uint32(len(body))}) //nolint:gosec // G115: instructions
		program = append(program, body...)
	}
	return append(program, notify), nil
}

// assemble makes what decides over a call of that number.
func (c *call) assemble() ([]bpf.Instruction, error) {
	var body []bpf.Instruction
	for _, set := range c.sets {
		code, err := assembleSet(set)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrRule, c.name, err)
		}
		body = append(body, code...)
	}
	return append(body, notify), nil
}

// assembleSet makes code that allows the call if all conditions hold, and goes on
// behind itself if one doesn't.
func assembleSet(args []Arg) ([]bpf.Instruction, error) {
	s := set{}
	for _, arg := range args {
		s.condition(arg)
	}
	s.code = append(s.code, allow)
	for _, f := range s.fails {
		skip := len(s.code) - f.at - 1
		if skip > math.MaxUint8 {
			return nil, fmt.Errorf("%d conditions are too many for one rule", len(args))
		}
		f.jump.SkipTrue = uint8(skip) //nolint:gosec // G115: it was compared
		s.code[f.at] = f.jump
	}
	return s.code, nil
}

type set struct {
	code  []bpf.Instruction
	fails []failure // jumps that lead behind the code if they are taken
}

type failure struct {
	at   int // in the code
	jump bpf.JumpIf
}

func (s *set) add(code ...bpf.Instruction) { s.code = append(s.code, code...) }

// fail is for when a comparison of what was loaded says that a condition doesn't hold.
func (s *set) fail(test bpf.JumpTest, v uint32) {
	jump := bpf.JumpIf{Cond: test, Val: v}
	s.fails = append(s.fails, failure{len(s.code), jump})
	s.add(jump)
}

// holds skips the comparison of the lower halves, two instructions, if that of the
// higher ones has decided already.
func (s *set) holds(test bpf.JumpTest, v uint32) { s.add(bpf.JumpIf{Cond: test, Val: v, SkipTrue: 2}) }

// lowFails is the comparison of the lower halves that says that a condition doesn't
// hold, where the higher ones have left that open.
var lowFails = map[Op]bpf.JumpTest{
	Equal: bpf.JumpNotEqual, NotEqual: bpf.JumpEqual, AtMost: bpf.JumpGreaterThan, AtLeast: bpf.JumpLessThan,
	AnyBits: bpf.JumpBitsNotSet, NoBits: bpf.JumpBitsSet,
}

func (s *set) condition(arg Arg) {
	low := uint32(dataArgs) + argSize*uint32(arg.Index)
	high := uint32(arg.Value >> 32) //nolint:gosec // G115: one half
	s.add(load(low + highHalf))
	switch arg.Op {
	case Equal:
		s.fail(bpf.JumpNotEqual, high)
	case NotEqual:
		s.holds(bpf.JumpNotEqual, high)
	case AtMost:
		s.fail(bpf.JumpGreaterThan, high)
		s.holds(bpf.JumpLessThan, high)
	case AtLeast:
		s.fail(bpf.JumpLessThan, high)
		s.holds(bpf.JumpGreaterThan, high)
	case AnyBits:
		s.holds(bpf.JumpBitsSet, high)
	case NoBits:
		s.fail(bpf.JumpBitsSet, high)
	case OpInvalid: // collect has refused it
	}
	s.add(load(low))
	s.fail(lowFails[arg.Op], uint32(arg.Value)) //nolint:gosec // G115: the other half
}
