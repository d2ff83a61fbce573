package abi_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
)

// TestGenerated regenerates zabi.go with the C compiler and compares. Without a
// compiler, that the sizes and offsets in it are right is checked at every
// build, by the function at its end.
func TestGenerated(t *testing.T) {
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("in CI nothing is skipped: %v", err)
		}
		t.Skipf("needs a C compiler: %v", err)
	}
	file := filepath.Join(t.TempDir(), "zabi.go")
	out, err := exec.Command("go", "run", "./gen", "-header", "../../abi/airlock_abi.h", "-o", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("zabi.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("zabi.go is not what abi/airlock_abi.h says: run \"go generate ./internal/abi\"\n%s", diff(string(got), string(want)))
	}
}

// diff lists the lines that only one of the texts has, in both directions.
func diff(got, want string) string {
	has := func(lines []string) map[string]bool {
		m := make(map[string]bool)
		for _, l := range lines {
			m[l] = true
		}
		return m
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var b strings.Builder
	for _, l := range g {
		if !has(w)[l] {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	for _, l := range w {
		if !has(g)[l] {
			fmt.Fprintf(&b, "+ %s\n", l)
		}
	}
	return b.String()
}

// TestMemoryMap checks what the host side takes for granted of the layout.
func TestMemoryMap(t *testing.T) {
	if size := unsafe.Sizeof(abi.Control{}); size > abi.PageSize {
		t.Errorf("the control page has %d bytes", size)
	}
	if abi.ClockGPA < abi.ControlGPA+abi.PageSize || abi.ImageGPA < abi.ClockGPA+abi.PageSize {
		t.Error("control page, clock page and image overlap")
	}
	if abi.VDSO != abi.VVAR+abi.PageSize || abi.VDSO >= abi.UserEnd {
		t.Error("the vDSO is not right behind the clock page, in user space")
	}
	// One third-level table serves the physmap from its start and the kernel.
	const topLevel = 1 << 39
	if abi.Physmap%topLevel != 0 || abi.Physmap/topLevel != abi.KernelBase/topLevel {
		t.Error("physmap and kernel are not in one entry of the top-level table")
	}
	if abi.UserEnd > abi.Physmap {
		t.Error("user space reaches into the physmap")
	}
	if abi.UserCS&3 != 3 || abi.UserSS&3 != 3 || abi.Ring0CS&3 != 0 || abi.Ring0SS != abi.Ring0CS+8 {
		t.Error("selectors")
	}
}

func TestBytes(t *testing.T) {
	f := abi.Fault{Kind: 1, Access: 2, Address: 0x1122334455667788}
	b := abi.Bytes(&f)
	if len(b) != int(unsafe.Sizeof(f)) || b[0] != 1 || b[4] != 2 || b[16] != 0x88 {
		t.Errorf("Bytes() = %x", b)
	}
	b[0] = 9
	if f.Kind != 9 {
		t.Error("Bytes is a copy")
	}
}

func TestNames(t *testing.T) {
	type name interface {
		fmt.Stringer
		Valid() bool
	}
	check := func(kind string, first, last uint32, of func(uint32) name) {
		t.Helper()
		seen := make(map[string]bool)
		for i := range last + 1 {
			text := of(i).String()
			if text == "" || seen[text] || strings.HasPrefix(text, "unknown ") && i < first {
				t.Errorf("%s %d is called %q", kind, i, text)
			}
			seen[text] = true
			if of(i).Valid() != (i >= first) {
				t.Errorf("%s %d: Valid() = %v", kind, i, of(i).Valid())
			}
		}
		for _, i := range []uint32{last + 1, ^uint32(0)} {
			if of(i).Valid() || !strings.Contains(of(i).String(), fmt.Sprint(i)) {
				t.Errorf("%s %d: %q, Valid() = %v", kind, i, of(i), of(i).Valid())
			}
		}
	}
	check("fault", 1, abi.FaultLast, func(i uint32) name { return abi.FaultKind(i) })
	check("access", 0, abi.AccessLast, func(i uint32) name { return abi.Access(i) })
	check("trace", 1, abi.TraceLast, func(i uint32) name { return abi.TraceKind(i) })
}
