package seccomp

import (
	"errors"
	"slices"
	"testing"
)

// TestManyConditions: a jump of BPF skips 255 instructions at most. A rule that would
// need a longer one is refused: shortened, it would lead to another instruction, and
// perhaps to the one that allows.
func TestManyConditions(t *testing.T) {
	t.Parallel()
	equal := Arg{0, Equal, 1} // takes 4 instructions
	most := Arg{0, AtMost, 1} // takes 5
	for _, row := range []struct {
		name string
		args []Arg
		ok   bool
	}{
		{"skips 255", slices.Repeat([]Arg{equal}, 64), true},
		{"skips 256", append([]Arg{most}, slices.Repeat([]Arg{equal}, 63)...), false},
		{"skips 259", slices.Repeat([]Arg{equal}, 65), false},
		{"skips 511", slices.Repeat([]Arg{equal}, 128), false},
	} {
		rules := []Rule{{"write", row.args}}
		if _, err := Compile(rules); row.ok != (err == nil) || !row.ok && !errors.Is(err, ErrRule) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	// The longest jump leads where it should.
	rules := []Rule{{"write", append([]Arg{{0, Equal, 1 << 32}}, slices.Repeat([]Arg{{1, Equal, 0}}, 63)...)}}
	nr, _ := Number("write")
	if got := run(t, rules, archAMD64, nr, 1<<32); got != actionAllow {
		t.Errorf("what all conditions hold for: %#x", got)
	}
	if got := run(t, rules, archAMD64, nr, 0); got == actionAllow {
		t.Error("what the first condition doesn't hold for is allowed")
	}
}

// TestOtherComparison refuses the first number that is not
// a comparison.
func TestOtherComparison(t *testing.T) {
	t.Parallel()
	if _, err := Compile([]Rule{{"write", []Arg{{0, NoBits + 1, 0}}}}); !errors.Is(err, ErrRule) {
		t.Errorf("Compile() = %v", err)
	}
}
