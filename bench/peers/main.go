// Command peers runs WebAssembly modules with the runtimes that Airlock is
// compared with. It is a module of its own, so that neither the library nor its
// benchmark depends on them, and takes its orders from the benchmark by pipes:
// a JSON object a line on standard input, each answered by one on standard
// output. So the benchmark measures all contenders in turn.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// request is what the benchmark wants measured once.
type request struct {
	Engine string `json:"engine"`
	What   string `json:"what"`
	// Module is a file.
	Module string `json:"module"`

	Function string `json:"function,omitempty"` // of a call
	Size     int    `json:"size,omitempty"`     // of its argument and its result

	Args []string `json:"args,omitempty"` // of a program
}

// answer is the outcome.
type answer struct {
	// Versions is the answer to the empty request, by engine.
	Versions map[string]string `json:"versions,omitempty"`

	NS     float64 `json:"ns,omitempty"`
	Output string  `json:"output,omitempty"` // of a program
	Error  string  `json:"error,omitempty"`
}

// An engine makes modules of files. There is one for each runtime and setting.
type engine interface {
	compile(ctx context.Context, file []byte) (module, error)
}

// module is compiled code.
type module interface {
	instantiate(ctx context.Context) (instance, error)
	// run runs a program to its end and returns its output.
	run(ctx context.Context, args []string) (string, error)
}

// instance is a module with memory of its own.
type instance interface {
	// reserve makes room in the instance's memory for messages of a size.
	reserve(ctx context.Context, size int) error
	// call puts an argument there, calls a function, and returns a copy of its result.
	call(ctx context.Context, function string, argument []byte) ([]byte, error)
	// settle calls the function of that name, if the module has it.
	settle(ctx context.Context) error
	close(ctx context.Context) error
}

func main() {
	if err := serve(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func serve() error {
	// A context that can be cancelled, without which there would be nothing that
	// could stop a guest.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	engines, err := newEngines(ctx)
	if err != nil {
		return err
	}
	b := &bench{engines: engines, modules: make(map[string]module), warm: make(map[string]*called)}
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		a, err := b.measure(ctx, &r)
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

func newEngines(ctx context.Context) (map[string]engine, error) {
	engines := make(map[string]engine)
	var errs []error
	for _, stoppable := range []bool{false, true} {
		suffix := ""
		if stoppable {
			suffix = ", stoppable"
		}
		z, err := newWazero(ctx, stoppable)
		errs = append(errs, err)
		engines["wazero"+suffix] = z
		w, err := newWasmtime(stoppable)
		errs = append(errs, err)
		engines["wasmtime"+suffix] = w
	}
	return engines, errors.Join(errs...)
}

// versions are those of the libraries that this program was built with.
func versions() map[string]string {
	list := make(map[string]string)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return list
	}
	for _, m := range info.Deps {
		for name, path := range map[string]string{"wazero": "tetratelabs/wazero", "wasmtime": "bytecodealliance/wasmtime-go"} {
			if strings.Contains(m.Path, path) {
				list[name] = m.Version
			}
		}
	}
	return list
}
