package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/airlockvm/airlock"
)

// buildPatience is how long a cancelled build may take to end.
const buildPatience = 2 * time.Second

// program is the file that an argument GUEST means.
type program struct {
	path string
	temp string // the directory to remove when it is no longer needed, or empty
}

// findProgram returns the program that GUEST means: itself, or, when it is a
// directory, what the Go package there builds to. What the build prints goes to
// stderr.
func findProgram(ctx context.Context, stderr io.Writer, guest string) (*program, error) {
	info, err := os.Stat(guest)
	if err != nil {
		return nil, pathFailure(guest, err)
	}
	if !info.IsDir() {
		return &program{path: guest}, nil
	}
	return build(ctx, stderr, guest)
}

// remove deletes what findProgram made.
func (p *program) remove() {
	if p.temp != "" {
		_ = os.RemoveAll(p.temp) // it lies in the system's directory for such
	}
}

// load reads and checks the program. It returns the bytes of its file, too: a
// path may be one that can be read only once.
func (p *program) load() (*airlock.Guest, []byte, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, nil, pathFailure(p.path, err)
	}
	defer func() { _ = f.Close() }()                                      // it was only read
	content, err := io.ReadAll(io.LimitReader(f, airlock.MaxGuestFile+1)) // one too many is refused below
	if err != nil {
		return nil, nil, pathFailure(p.path, err)
	}
	guest, err := airlock.NewGuest(filepath.Base(p.path), content)
	return guest, content, err
}

// loadGuest finds, builds if need be, reads and checks the guest that an
// argument means.
func loadGuest(ctx context.Context, stderr io.Writer, arg string) (*airlock.Guest, error) {
	program, err := findProgram(ctx, stderr, arg)
	if err != nil {
		return nil, err
	}
	defer program.remove() // it is in memory then
	guest, _, err := program.load()
	return guest, err
}

// build builds the Go main package in a directory with the go command, for a
// sandbox.
func build(ctx context.Context, stderr io.Writer, dir string) (*program, error) {
	sources, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.go"))
	if err != nil {
		return nil, pathFailure(dir, err)
	}
	if len(sources) == 0 {
		return nil, failf("%s: a directory without Go files: GUEST is a program, or the directory of a Go main package", name(dir))
	}
	temp, err := os.MkdirTemp("", "airlock-build-")
	if err != nil {
		return nil, failf("build %s: %v", name(dir), err)
	}
	p := &program{temp: temp}
	if p.path, err = goBuild(ctx, stderr, dir, temp); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// escapeGlob takes the meaning for filepath.Glob from a path.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// goBuild builds the package in dir and returns the path of the program, which
// lies in the directory out.
func goBuild(ctx context.Context, stderr io.Writer, dir, out string) (string, error) {
	// With a directory to put the program in, the go command chooses its name, and
	// refuses packages that are no programs. It would ask git for the version, and a
	// directory's configuration can have git run programs.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", out+string(filepath.Separator), ".") //nolint:gosec // G204: out is ours
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = buildPatience
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case errors.As(err, &exit):
			return "", failf("%s: the Go program can't be built: see above", name(dir))
		case errors.Is(err, exec.ErrNotFound):
			return "", failf("%s: building it needs the go command, which is not in PATH", name(dir))
		}
		return "", failf("%s: go build: %v", name(dir), err)
	}
	built, err := os.ReadDir(out)
	if err != nil {
		return "", failf("%s: go build: %v", name(dir), err)
	}
	if len(built) != 1 {
		return "", failf("%s: go build made %d files instead of a program", name(dir), len(built))
	}
	return filepath.Join(out, built[0].Name()), nil
}

// name returns a path as it is shown: quoted if anything in it could mislead.
func name(path string) string {
	if quoted := strconv.Quote(path); quoted != `"`+path+`"` || path == "" || strings.ContainsAny(path, " :") {
		return quoted
	}
	return path
}

// pathFailure is the error of a path that can't be used, without the name of the
// system call that said so.
func pathFailure(path string, err error) error {
	if detail, ok := errors.AsType[*fs.PathError](err); ok {
		err = detail.Err
	}
	return failf("%s: %v", name(path), err)
}
