package airlock_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// callGuests are the guests that the behaviour tests are run with: programs in
// several languages that export the same functions and need the same ones, with
// the command that builds each, in which OUT is the file to make. A guest in
// another language is one more line here and in languageFunctions.
var callGuests = map[string][]string{
	"callguest":   goBuild("callguest"),
	"callguest-c": {"gcc", "@testdata/callguest-c/gcc.opts", "-o", "OUT"},
}

// languageFunctions are what only one of callGuests exports, because it is about
// its language: tests that call one of them are for that guest alone.
// TestCallGuestsAlike sees to it that there are no others.
var languageFunctions = map[string][]string{
	"callguest": {
		"Panic", "Fault", // which Go's runtime makes something of
		"Goroutines", "GoNil", "GoDivide", "GoGoroutinePanic", "GoGoexit", "GoDeadlock", "GoStack", "GoHeap", "GoFloat32Bits",
	},
	"callguest-c": {
		"CThreads", "CThreadStack", "CThreadAbort", "CThreadExit", "CDoubleFree", "CStackSmash", "CHeap", "CHandled",
		"CHostUnknown", "CHostWrongType", "CHostWrongCount", "CFloat32Bits", "CWrongType", "CNoResult", "CRefuseSnapshots",
	},
}

// goBuild builds a Go package below testdata.
func goBuild(name string) []string { return []string{"go", "build", "-o", "OUT", "./testdata/" + name} }

// builtGuests are guests that were built, each once.
var builtGuests guestCache

type guestCache struct {
	mu     sync.Mutex
	files  map[string][]byte         // guarded by mu
	guests map[string]*airlock.Guest // guarded by mu
}

// file builds a guest and returns its program file.
func (c *guestCache) file(tb testing.TB, name string) []byte {
	tb.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if file, ok := c.files[name]; ok {
		return file
	}
	if dir := os.Getenv("AIRLOCK_GUESTS"); dir != "" { // they were built elsewhere: test/nested
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			tb.Fatal(err)
		}
		return file
	}
	build, ok := callGuests[name]
	if !ok {
		build = goBuild(name)
	}
	if _, err := exec.LookPath(build[0]); err != nil {
		kvmtest.Skip(tb, err.Error())
	}
	readSources(tb, name)
	out := filepath.Join(tb.TempDir(), name)
	command := exec.CommandContext(tb.Context(), build[0])
	for _, arg := range build[1:] {
		command.Args = append(command.Args, strings.ReplaceAll(arg, "OUT", out))
	}
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if text, err := command.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", command.Args, err, text)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	if c.files == nil {
		c.files = map[string][]byte{}
	}
	c.files[name] = file
	return file
}

// readSources reads what a compiler is going to read, so that the go command
// knows what the tests depend on, and runs them again when it has changed.
func readSources(tb testing.TB, name string) {
	tb.Helper()
	for _, pattern := range []string{"testdata/" + name + "/*", "guest/*.go", "sdk/c/*.[ch]"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			tb.Fatalf("no sources in %s: %v", pattern, err)
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// guest builds and loads a guest.
func (c *guestCache) guest(tb testing.TB, name string) *airlock.Guest {
	tb.Helper()
	file := c.file(tb, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if g, ok := c.guests[name]; ok {
		return g
	}
	g, err := airlock.NewGuest(name, file)
	if err != nil {
		tb.Fatal(err)
	}
	if c.guests == nil {
		c.guests = map[string]*airlock.Guest{}
	}
	c.guests[name] = g
	return g
}

// forget lets go of all guests, so that they can be freed.
func (c *guestCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guests = nil
}

// buildGuest returns one of callGuests, or a Go package below testdata, as a
// guest.
func buildGuest(tb testing.TB, name string) *airlock.Guest {
	tb.Helper()
	return builtGuests.guest(tb, name)
}

// hosts are the host functions that callguest needs.
func hosts() airlock.HostFuncs {
	return airlock.HostFuncs{
		"Weekday": airlock.Func(func(context.Context) (string, error) { return "Monday", nil }),
		"Double":  airlock.Func(func(v int32) int32 { return 2 * v }),
		"Fails": airlock.Func(func(visible bool) error {
			if visible {
				return airlock.Visible(errors.New("what you may know"))
			}
			return errors.New("what you must not know")
		}),
		"Panics":      airlock.Func(func() { panic("secret of the host") }),
		"Sleeps":      airlock.Func(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }),
		"Reenter":     airlock.Func(func() {}),
		"Large":       airlock.Func(func(n int64) []byte { return make([]byte, n) }),
		"EchoInt32":   airlock.Func(func(v int32) int32 { return v }),
		"EchoUint32":  airlock.Func(func(v uint32) uint32 { return v }),
		"EchoInt64":   airlock.Func(func(v int64) int64 { return v }),
		"EchoUint64":  airlock.Func(func(v uint64) uint64 { return v }),
		"EchoFloat32": airlock.Func(func(v float32) float32 { return v }),
		"EchoFloat64": airlock.Func(func(v float64) float64 { return v }),
		"EchoBool":    airlock.Func(func(v bool) bool { return v }),
		"EchoString":  airlock.Func(func(v string) string { return v }),
		"EchoBytes":   airlock.Func(func(v []byte) []byte { return v }),
		"EchoVoid":    airlock.Func(func() {}),
	}
}

// newSandbox makes a sandbox that is closed after the test, with the host
// functions of hosts if the options have none.
func newSandbox(tb testing.TB, name string, options airlock.Options) *airlock.Sandbox {
	tb.Helper()
	kvmtest.Require(tb)
	return sandboxOf(tb, buildGuest(tb, name), options)
}

func sandboxOf(tb testing.TB, g *airlock.Guest, options airlock.Options) *airlock.Sandbox {
	tb.Helper()
	if options.HostFuncs == nil {
		options.HostFuncs = hosts()
	}
	sb, err := airlock.New(tb.Context(), g, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sb.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return sb
}

// ready fails the test unless the sandbox still answers.
func ready(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	if v, err := airlock.Call[int32](t.Context(), sb, "Int32", 7); v != 7 || err != nil {
		t.Fatalf("the sandbox is not usable: %d, %v", v, err)
	}
}

// poisoned fails the test unless the sandbox refuses to go on.
func poisoned(t *testing.T, sb *airlock.Sandbox) {
	t.Helper()
	for what, err := range map[string]error{
		"Call":      last(sb.Call(t.Context(), "Int32", 7)),
		"unknown":   last(sb.Call(t.Context(), "NoSuchFunction")),
		"Run":       last(sb.Run(t.Context(), airlock.Process{})),
		"Functions": last(sb.Functions(t.Context())),
	} {
		if !errors.Is(err, airlock.ErrPoisoned) {
			t.Fatalf("%s: the sandbox is not poisoned: %v", what, err)
		}
	}
}

// TestCallGuestsAlike: what is tested with one guest is tested with each: they
// export the same functions, but for those about their language, and need the
// same ones of the host.
func TestCallGuestsAlike(t *testing.T) {
	t.Parallel()
	functions := func(name string) (exports, imports []string) {
		list, err := newSandbox(t, name, airlock.Options{}).Functions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list.Exports {
			if !slices.Contains(languageFunctions[name], f.Name) {
				exports = append(exports, f.String())
			}
		}
		if n := len(list.Exports) - len(exports); n != len(languageFunctions[name]) {
			t.Errorf("%s lacks some of %v: %v", name, languageFunctions[name], list.Exports)
		}
		for _, f := range list.Imports {
			imports = append(imports, f.String())
		}
		slices.Sort(exports)
		slices.Sort(imports)
		return exports, imports
	}
	exports, imports := functions("callguest")
	for guest := range callGuests {
		gotExports, gotImports := functions(guest)
		if !slices.Equal(gotExports, exports) || !slices.Equal(gotImports, imports) {
			t.Errorf("%s exports\n%v\nand not\n%v\nit needs\n%v\nand not\n%v", guest, gotExports, exports, gotImports, imports)
		}
	}
}

func last[T any](_ T, err error) error { return err }
