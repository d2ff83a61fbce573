package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peers is the running program of that directory.
type peers struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// peerRequest and peerAnswer are what peers/main.go says they are.
type peerRequest struct {
	Engine   string   `json:"engine,omitempty"`
	What     string   `json:"what,omitempty"`
	Module   string   `json:"module,omitempty"`
	Function string   `json:"function,omitempty"`
	Size     int      `json:"size,omitempty"`
	Args     []string `json:"args,omitempty"`
}

type peerAnswer struct {
	Versions map[string]string `json:"versions"`
	NS       float64           `json:"ns"`
	Output   string            `json:"output"`
	Error    string            `json:"error"`
}

// needSetup ends what is said about something that could not be built.
const needSetup = "scripts/setup-bench.sh installs or names what it needs"

// startPeers builds the program and starts it.
func startPeers(ctx context.Context, dir string) (*peers, error) {
	path := filepath.Join(dir, "peers")
	build := exec.CommandContext(ctx, "go", "build", "-C", "peers", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("WebAssembly runtimes: bench/peers can't be built; %s: %s", needSetup, problem(out, err))
	}
	p := &peers{cmd: exec.CommandContext(ctx, path)} //nolint:gosec // G204: a program that was just made
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewScanner(out)
	return p, p.cmd.Start()
}

func (b *bench) stopPeers() {
	if b.peers != nil {
		_ = b.peers.close() // everything was measured
	}
}

func (p *peers) close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }

func (p *peers) ask(r *peerRequest) (*peerAnswer, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	if !p.out.Scan() {
		return nil, errors.Join(p.out.Err(), errors.New("the program of bench/peers has ended"))
	}
	var a peerAnswer
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		return nil, err
	}
	if a.Error != "" {
		return nil, fmt.Errorf("%s: %s: %s", r.Engine, r.What, a.Error)
	}
	return &a, nil
}

// runtimes returns the running program; nil if there is none, which the report
// says then.
func (b *bench) runtimes(ctx context.Context) *peers {
	if b.noPeers || b.peers != nil || b.peersFailed {
		return b.peers
	}
	_, _ = fmt.Fprintln(b.progress, "building bench/peers ...")
	p, err := startPeers(ctx, b.temp)
	if err == nil {
		var a *peerAnswer
		if a, err = p.ask(&peerRequest{}); err == nil {
			b.peers, b.versions = p, a.Versions
			return p
		}
		err = errors.Join(err, p.close())
	}
	b.peersFailed = true
	b.lack(err)
	return nil
}

// lack notes what could not be measured, once.
func (b *bench) lack(err error) {
	if text := err.Error(); !b.lacking[text] {
		b.lacking[text] = true
		b.lacks = append(b.lacks, text)
	}
}

// wasmModule is a WebAssembly module of the same source as a program.
type wasmModule struct {
	name    string
	source  string // as a program's
	reactor bool   // it is called, not run
	path    string
	err     error
}

// modules are all there are.
type modules struct{ computeC, computeGo, plainC, plainGo wasmModule }

func newModules() *modules {
	return &modules{
		computeC:  wasmModule{name: "compute-c.wasm", source: "compute.c"},
		computeGo: wasmModule{name: "compute-go.wasm", source: "compute"},
		plainC:    wasmModule{name: "plain-c.wasm", source: "plain.c", reactor: true},
		plainGo:   wasmModule{name: "plain-go.wasm", source: "plain", reactor: true},
	}
}

// build makes the module's file in a directory, if that was not tried before.
func (m *wasmModule) build(ctx context.Context, dir string) error {
	if m.path != "" {
		return m.err
	}
	m.path = filepath.Join(dir, m.name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", m.path)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	last := "./guest/" + m.source
	if m.reactor {
		cmd.Args = append(cmd.Args, "-buildmode=c-shared")
	}
	if strings.HasSuffix(m.source, ".c") {
		// Both runtimes have vectors of 128 bits, as the native programs have.
		cmd = exec.CommandContext(ctx, "clang", "--target=wasm32-wasi", "-O2", "-msimd128", "-o", m.path) //nolint:gosec // G204: sources of this directory
		last = "guest/" + m.source
		if m.reactor {
			cmd.Args = append(cmd.Args, "-mexec-model=reactor")
		}
	}
	cmd.Args = append(cmd.Args, last)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.err = fmt.Errorf("%s: %s %w or not able to compile it; %s: %s", m.name, cmd.Args[0], errNoCompiler, needSetup, problem(out, err))
	}
	return m.err
}

// problem is what a compiler's output ends with, or how it could not start.
func problem(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return err.Error()
}

// wasmSides are the sides of the WebAssembly runtimes for one request.
func (b *bench) wasmSides(ctx context.Context, m *wasmModule, r peerRequest, value func(*peerAnswer) (float64, error)) []side {
	p := b.runtimes(ctx)
	if p == nil {
		return nil
	}
	if err := m.build(ctx, b.temp); err != nil {
		b.lack(err)
		return nil
	}
	var list []side
	for _, engine := range engines() {
		request := r
		request.Engine, request.Module = engine, m.path
		list = append(list, side{engine, func() (float64, error) {
			a, err := p.ask(&request)
			if err != nil {
				return 0, err
			}
			return value(a)
		}})
	}
	return list
}

// itsTime is the value of an answer that is a time.
func itsTime(a *peerAnswer) (float64, error) { return a.NS, nil }
