package seccomp

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

const (
	archAMD64 = 0xc000003e // AUDIT_ARCH_X86_64
	arch386   = 0x40000003 // AUDIT_ARCH_I386
)

var testRuntime = Runtime{PID: 1234, Epoll: 5, Wake: 6}

// run simulates the program of rules.
func run(t *testing.T, rules []Rule, arch uint32, nr int, args ...uint64) uint32 {
	t.Helper()
	return simulate(t, simulator(t, rules), arch, nr, args...)
}

func simulator(t *testing.T, rules []Rule) *bpf.VM {
	t.Helper()
	program, err := assemble(rules)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func simulate(t *testing.T, vm *bpf.VM, arch uint32, nr int, args ...uint64) uint32 {
	t.Helper()
	// The kernel's words are little-endian, those of network packets big-endian: a
	// packet with the words of struct seccomp_data in their places.
	words := []uint32{uint32(nr), arch, 0, 0}
	for i := range 6 {
		var arg uint64
		if i < len(args) {
			arg = args[i]
		}
		words = append(words, uint32(arg), uint32(arg>>32))
	}
	var packet []byte
	for _, word := range words {
		packet = binary.BigEndian.AppendUint32(packet, word)
	}
	action, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(action)
}

func nr(t *testing.T, name string) int {
	t.Helper()
	n, ok := Number(name)
	if !ok {
		t.Fatal(name)
	}
	return n
}

// meaning is what the comparisons are to mean.
var meaning = map[Op]func(arg, value uint64) bool{
	Equal:    func(a, v uint64) bool { return a == v },
	NotEqual: func(a, v uint64) bool { return a != v },
	AtMost:   func(a, v uint64) bool { return a <= v },
	AtLeast:  func(a, v uint64) bool { return a >= v },
	AnyBits:  func(a, v uint64) bool { return a&v != 0 },
	NoBits:   func(a, v uint64) bool { return a&v == 0 },
}

// TestConditions tries each comparison below, at and above its value, in both
// halves of an argument.
func TestConditions(t *testing.T) {
	t.Parallel()
	values := []uint64{0, 1, 2, 3, 4, 1<<32 - 1, 1 << 32, 1<<32 + 1, 3<<32 + 2, 1<<63 + 1, 1<<64 - 1}
	for op, holds := range meaning {
		for index := range uint8(6) {
			for _, value := range values {
				rules := []Rule{{"write", []Arg{{index, op, value}}}, {Name: "read"}}
				for _, arg := range values {
					args := make([]uint64, 6)
					args[index] = arg
					want := actionNotify
					if holds(arg, value) {
						want = actionAllow
					}
					if got := run(t, rules, archAMD64, nr(t, "write"), args...); got != want {
						t.Fatalf("operation %d, argument %d: %#x with %#x gives %#x", op, index, arg, value, got)
					}
				}
			}
		}
	}
}

// TestRandomRules compares programs with what their rules mean, for arguments that are
// numbers of system calls as well: an argument must never be taken for a number.
func TestRandomRules(t *testing.T) {
	t.Parallel()
	allowed := func(rules []Rule, name string, args []uint64) bool {
		return slices.ContainsFunc(rules, func(r Rule) bool {
			return r.Name == name && !slices.ContainsFunc(r.Args, func(a Arg) bool { return !meaning[a.Op](args[a.Index], a.Value) })
		})
	}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		number := func() uint64 { return random.Uint64N(340) }
		var rules []Rule
		if seed%2 == 0 {
			rules = append(rules, Base(testRuntime)...)
			for fd := range random.IntN(150) {
				rules = append(rules, WriteTo([]int{fd})...)
			}
		}
		for range 1 + random.IntN(60) {
			name := Name(int(number()))
			if _, ok := Number(name); !ok {
				continue
			}
			var args []Arg
			for range random.IntN(4) {
				args = append(args, Arg{uint8(random.IntN(6)), Op(1 + random.IntN(6)), number() << (32 * random.IntN(2))})
			}
			rules = append(rules, Rule{name, args})
		}
		if len(rules) == 0 {
			continue
		}
		vm := simulator(t, rules)
		for range 300 {
			name := rules[random.IntN(len(rules))].Name
			args := make([]uint64, 6)
			for i := range args {
				args[i] = number() << (32 * random.IntN(2))
			}
			if random.IntN(2) == 0 {
				args[0], args[1] = 0x53564d41, number() // PR_SET_VMA
			}
			want := actionNotify
			if allowed(rules, name, args) {
				want = actionAllow
			}
			if got := simulate(t, vm, archAMD64, nr(t, name), args...); got != want {
				t.Fatalf("seed %d: %s%x: %#x, want %#x", seed, name, args, got, want)
			}
		}
	}
}

// TestRules: conditions of one rule must all hold, of several rules one.
func TestRules(t *testing.T) {
	t.Parallel()
	rules := []Rule{
		{"socket", []Arg{{0, Equal, 1}, {1, Equal, 2}}},
		{"socket", []Arg{{0, Equal, 10}}},
		{"close", []Arg{{0, Equal, 1}}},
		{Name: "close"},
	}
	for _, c := range []struct {
		name    string
		args    []uint64
		allowed bool
	}{
		{"socket", []uint64{1, 2}, true},
		{"socket", []uint64{1, 3}, false},
		{"socket", []uint64{10, 3}, true},
		{"socket", []uint64{2, 2}, false},
		{"close", []uint64{7}, true},
		{"read", nil, false},
	} {
		if got := run(t, rules, archAMD64, nr(t, c.name), c.args...) == actionAllow; got != c.allowed {
			t.Errorf("%s%v is allowed: %v", c.name, c.args, got)
		}
	}
}

// TestBase: of all system calls, by all interfaces, only those of the base are
// allowed, and those with conditions not without.
func TestBase(t *testing.T) {
	t.Parallel()
	base := Base(testRuntime)
	free := map[int]bool{}
	for _, rule := range base {
		if len(rule.Args) == 0 {
			free[nr(t, rule.Name)] = true
		}
	}
	for n := range 1024 {
		impossible := []uint64{99, 99, 4, 0, 0, 0}
		if got := run(t, base, archAMD64, n, impossible...) == actionAllow; got != free[n] {
			t.Errorf("%s is allowed: %v", Name(n), got)
		}
		for _, other := range []struct {
			arch uint32
			nr   int
		}{{arch386, n}, {archAMD64, n | 0x40000000}, {archAMD64, -n - 1}} {
			if run(t, base, other.arch, other.nr, impossible...) != actionNotify {
				t.Errorf("call %#x of architecture %#x is allowed", other.nr, other.arch)
			}
		}
	}
}

// TestSets tries the sets of rules with arguments that they are about.
func TestSets(t *testing.T) {
	t.Parallel()
	const readOnly, writeOnly, create = 0x80000, 0x80001, 0x80040
	files, output := ReadFiles(testRuntime), WriteTo([]int{1, 7})
	sockets := Sockets(testRuntime, []int{1, 10})
	for _, c := range []struct {
		what    string
		rules   []Rule
		name    string
		args    []uint64
		allowed bool
	}{
		{"read-only", files, "openat", []uint64{^uint64(99), 0, readOnly}, true},
		{"for writing", files, "openat", []uint64{^uint64(99), 0, writeOnly}, false},
		{"for both", files, "openat", []uint64{^uint64(99), 0, 2}, false},
		{"creating", files, "openat", []uint64{^uint64(99), 0, create}, false},
		{"truncating", files, "openat", []uint64{^uint64(99), 0, 0x200}, false},
		{"with openat2", files, "openat2", nil, false},
		{"to file 1", files, "write", []uint64{1}, false},
		{"F_DUPFD", files, "fcntl", []uint64{1, 0}, false},
		{"F_SETOWN", files, "fcntl", []uint64{1, 8}, false},
		{"F_GETFL", files, "fcntl", []uint64{1, 3}, true},
		{"another epoll", files, "epoll_ctl", []uint64{9}, false},
		{"to 1", output, "write", []uint64{1}, true},
		{"to 7", output, "writev", []uint64{7}, true},
		{"to 2", output, "write", []uint64{2}, false},
		{"to 1 and more", output, "write", []uint64{1<<32 + 1}, false},
		{"inet6", sockets, "socket", []uint64{10}, true},
		{"inet", sockets, "socket", []uint64{2}, false},
		{"server", sockets, "bind", nil, false},
		{"none", Sockets(testRuntime, nil), "connect", nil, false},
	} {
		if got := run(t, append(Base(testRuntime), c.rules...), archAMD64, nr(t, c.name), c.args...) == actionAllow; got != c.allowed {
			t.Errorf("%s %s is allowed: %v", c.name, c.what, got)
		}
	}
}

// TestCompileOrder: the order and the repetition of rules make no difference.
func TestCompileOrder(t *testing.T) {
	t.Parallel()
	a, err := Compile([]Rule{{Name: "read"}, {"write", []Arg{{0, Equal, 1}}}, {"write", []Arg{{0, Equal, 2}}}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compile([]Rule{
		{"write", []Arg{{0, Equal, 2}}},
		{"write", []Arg{{0, Equal, 1}}},
		{Name: "read"},
		{"write", []Arg{{0, Equal, 2}}},
		{"read", []Arg{{0, Equal, 2}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%v\n%v", a, b)
	}
}

func TestCompileRefusals(t *testing.T) {
	t.Parallel()
	var long []Rule
	for i := range uint64(2000) {
		long = append(long, Rule{"write", []Arg{{0, Equal, i}}})
	}
	for what, rules := range map[string][]Rule{
		"unknown name":     Allow("frobnicate"),
		"no name":          {{}},
		"argument 6":       {{"write", []Arg{{6, Equal, 0}}}},
		"no comparison":    {{"write", []Arg{{0, OpInvalid, 0}}}},
		"other comparison": {{"write", []Arg{{0, 99, 0}}}},
		"too many":         long,
	} {
		if _, err := Compile(rules); !errors.Is(err, ErrRule) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	if got := Name(257); got != "openat" {
		t.Error(got)
	}
	if got := Name(9999); got != "system call 9999" {
		t.Error(got)
	}
}
