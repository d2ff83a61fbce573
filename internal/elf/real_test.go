package elf

import (
	"bytes"
	debugelf "debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// toolchainBuild is one program built by a real toolchain, and what Parse must
// make of it.
type toolchainBuild struct {
	name   string
	source string
	// tool is the compiler and its arguments. "$OUT" stands for the program and
	// "$SRC" for the source.
	tool string
	// kind is what an accepted program is; reason and want are for a refused one.
	kind   Kind
	reason Reason
	want   string
	// symbol is a function that must be found by its address.
	symbol string
	// stripped says that no function may be found.
	stripped bool
	// noteOwner and noteType name a note that must be there.
	noteOwner string
	noteType  uint32
}

const (
	goSource = `package main
import "fmt"
func main() { fmt.Println("hello") }
`
	cSource = `#include <stdio.h>
__thread int counter = 3;
int main(void) { printf("hello %d\n", counter); return 0; }
`
	goSmall    = "package main\nfunc main() {}\n"
	bareSource = "int data = 1;\nvoid _start(void) { for (;;) data++; }\n"
	cLibrary   = "int answer(void) { return 42; }\n"
	rustSource = "#[no_mangle] pub fn guest_function() { println!(\"hello\"); }\nfn main() { guest_function() }\n"
)

var toolchainBuilds = []toolchainBuild{
	{
		name: "go", source: goSource, tool: "go build -o $OUT $SRC", kind: KindExec,
		symbol: "main.main", noteOwner: "Go", noteType: 4,
	},
	{
		name: "go stripped", source: goSource, tool: "go build -ldflags=-s -o $OUT $SRC", kind: KindExec,
		stripped: true,
	},
	{
		name: "go PIE", source: goSmall, tool: "go build -buildmode=pie -o $OUT $SRC",
		reason: ErrInterpreter, want: "without -buildmode=pie",
	},
	{
		name: "gcc static", source: cSource, tool: "gcc -static -Wl,--build-id -o $OUT $SRC", kind: KindExec,
		symbol: "main", noteOwner: "GNU", noteType: 3,
	},
	{
		name: "gcc static stripped", source: cSource, tool: "gcc -static -s -o $OUT $SRC", kind: KindExec,
		stripped: true,
	},
	{
		name: "gcc static PIE", source: cSource, tool: "gcc -static-pie -Wl,--build-id -o $OUT $SRC", kind: KindPIE,
		symbol: "main", noteOwner: "GNU", noteType: 3,
	},
	{
		name: "gcc static PIE, large pages", source: cSource, kind: KindPIE, symbol: "main",
		tool: "gcc -static-pie -Wl,-z,max-page-size=0x200000 -o $OUT $SRC",
	},
	{
		name: "gcc dynamic", source: cSource, tool: "gcc -o $OUT $SRC",
		reason: ErrInterpreter, want: `"/lib64/ld-linux-x86-64.so.2"`,
	},
	{
		name: "gcc shared", source: cLibrary, tool: "gcc -shared -fPIC -Wl,--no-as-needed -o $OUT $SRC",
		reason: ErrSharedLibrary, want: "DT_NEEDED",
	},
	{
		name: "gcc shared without needs", source: cLibrary, tool: "gcc -shared -fPIC -nostdlib -o $OUT $SRC",
		reason: ErrEntry, want: "not a library",
	},
	{
		name: "gcc object", source: cSource, tool: "gcc -c -o $OUT $SRC",
		reason: ErrType, want: "ET_REL",
	},
	{
		name: "gcc omagic", source: bareSource, tool: "gcc -static -nostdlib -Wl,--omagic -o $OUT $SRC",
		reason: ErrWriteExec, want: "-N",
	},
	{
		name: "rust", source: rustSource, kind: KindPIE, symbol: "guest_function",
		tool: "rustc -C target-feature=+crt-static --target x86_64-unknown-linux-gnu -o $OUT $SRC",
	},
}

// build runs the toolchain and returns the program. Without the tool it skips,
// but not in CI, where a missing tool would hide a missing test.
func (r *toolchainBuild) build(tb testing.TB) []byte {
	tb.Helper()
	args := strings.Fields(r.tool)
	if _, err := exec.LookPath(args[0]); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("CI must have every toolchain: %v", err)
		}
		tb.Skipf("this test builds a program: %v", err)
	}
	if args[0] != "go" && runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" {
		tb.Skipf("%s does not build for linux/amd64 on this machine", args[0])
	}
	dir := tb.TempDir()
	out := filepath.Join(dir, "out")
	src := filepath.Join(dir, "guest"+map[string]string{"go": ".go", "gcc": ".c", "rustc": ".rs"}[args[0]])
	if err := os.WriteFile(src, []byte(r.source), 0o600); err != nil {
		tb.Fatal(err)
	}
	for i := range args {
		args[i] = strings.NewReplacer("$OUT", out, "$SRC", src).Replace(args[i])
	}
	cmd := exec.CommandContext(tb.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", args, err, msg)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func TestToolchains(t *testing.T) {
	t.Parallel()
	for _, tt := range toolchainBuilds {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := tt.build(t)
			if tt.kind == KindInvalid {
				_, err := Parse(file, testLimits())
				if !errors.Is(err, tt.reason) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Parse = %v, want %v with %q", err, tt.reason, tt.want)
				}
				return
			}
			im := mustParse(t, file, testLimits())
			if im.Kind != tt.kind || im.PhdrAddr == 0 || im.ExecStack {
				t.Errorf("kind %v, program headers at %#x, exec stack %v", im.Kind, im.PhdrAddr, im.ExecStack)
			}
			ref, err := debugelf.NewFile(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			compareSegments(t, im, ref)
			found := compareSymbols(t, im, ref)
			if tt.symbol != "" && !found[tt.symbol] || tt.stripped && len(found) > 0 {
				t.Errorf("%d symbols found, among them %q: %v", len(found), tt.symbol, found[tt.symbol])
			}
			if desc, ok := im.Note(tt.noteOwner, tt.noteType); tt.noteOwner != "" && (!ok || len(desc) == 0) {
				t.Errorf("Note(%q, %d) = %q, %v", tt.noteOwner, tt.noteType, desc, ok)
			}
		})
	}
}

// compareSegments checks the plan against what debug/elf reads from the file.
func compareSegments(t *testing.T, im *Image, ref *debugelf.File) {
	t.Helper()
	if im.Entry != ref.Entry+im.Bias {
		t.Errorf("entry %#x, debug/elf says %#x", im.Entry, ref.Entry)
	}
	if im.PhdrCount != len(ref.Progs) {
		t.Errorf("%d program headers, debug/elf says %d", im.PhdrCount, len(ref.Progs))
	}
	rest := im.Segments
	for _, p := range ref.Progs {
		if p.Type == debugelf.PT_PHDR && im.PhdrAddr != p.Vaddr+im.Bias {
			t.Errorf("program headers at %#x, debug/elf says %#x", im.PhdrAddr, p.Vaddr)
		}
		if p.Type != debugelf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if len(rest) == 0 {
			t.Fatalf("only %d segments", len(im.Segments))
		}
		s := rest[0]
		rest = rest[1:]
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil && p.Filesz > 0 {
			t.Fatal(err)
		}
		if s.Addr != p.Vaddr+im.Bias || s.MemSize != p.Memsz || s.Perm.String() != permString(p.Flags) || !bytes.Equal(s.Data, data) {
			t.Errorf("segment %#x+%#x %v, debug/elf says %#x+%#x %v", s.Addr, s.MemSize, s.Perm, p.Vaddr, p.Memsz, p.Flags)
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d segments too many", len(rest))
	}
}

// permString is an independent Perm.String.
func permString(flags debugelf.ProgFlag) string {
	text := ""
	for i, flag := range []debugelf.ProgFlag{debugelf.PF_R, debugelf.PF_W, debugelf.PF_X} {
		if flags&flag != 0 {
			text += "rwx"[i : i+1]
		} else {
			text += "-"
		}
	}
	return text
}

// compareSymbols looks every function that debug/elf knows up by its address,
// and returns the names that were found.
func compareSymbols(t *testing.T, im *Image, ref *debugelf.File) map[string]bool {
	t.Helper()
	list, err := ref.Symbols()
	if err != nil && !errors.Is(err, debugelf.ErrNoSymbols) {
		t.Fatal(err)
	}
	names := map[uint64][]string{}
	for _, s := range list {
		typ := debugelf.ST_TYPE(s.Info)
		addr := s.Value + im.Bias
		if (typ == debugelf.STT_FUNC || typ == debugelf.STT_GNU_IFUNC) && im.execSegment(addr) != nil {
			if len(s.Name) > maxSymbolName {
				s.Name = s.Name[:maxSymbolName-3] + "..."
			}
			names[addr] = append(names[addr], s.Name)
		}
	}
	found := map[string]bool{}
	for addr, want := range names {
		name, offset, ok := im.Symbol(addr)
		if !ok || offset != 0 || !slices.Contains(want, name) {
			t.Errorf("Symbol(%#x) = %q, %#x, %v, want one of %q", addr, name, offset, ok, want)
		}
		found[name] = true
	}
	if name, _, ok := im.Symbol(im.Entry); ok != (len(names) > 0) {
		t.Errorf("Symbol of the entry point = %q, %v", name, ok)
	}
	return found
}

func BenchmarkParse(b *testing.B) {
	file := toolchainBuilds[0].build(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(file, testLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSymbol measures the first lookup, which reads the symbol table, and
// those that follow.
func BenchmarkSymbol(b *testing.B) {
	file := toolchainBuilds[0].build(b)
	im := mustParse(b, file, testLimits())
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			im.indexSymbols()
		}
	})
	b.Run("next", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			im.Symbol(im.Entry)
		}
	})
}
