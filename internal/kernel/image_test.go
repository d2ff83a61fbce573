package kernel_test

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kernel"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// The committed image is only worth something if it is what the sources build
// to. Anyone can check the checksums; who has the toolchain that TOOLCHAIN names
// can build the image again.

var update = flag.Bool("update", false, "write kernel.sum for the image that was just built")

// sumFile has the SHA-256 of the image and of everything that it is built from,
// as sha256sum(1) prints it: "sha256sum -c kernel.sum" checks it too.
const sumFile = "kernel.sum"

// TestImageIsCurrent fails when the image is older than its sources. It needs no
// compiler.
func TestImageIsCurrent(t *testing.T) {
	got := sums(t)
	if *update {
		if missing := toolchainMismatch(t); missing != "" {
			t.Fatalf("%s: the image is to be built with it, or TOOLCHAIN to be changed", missing)
		}
		writeSums(t, got)
	}
	want := readSums(t)
	names := maps.Clone(want)
	maps.Copy(names, got)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch {
		case want[name] == "":
			t.Errorf("%s: is new since the image was built", name)
		case got[name] == "":
			t.Errorf("%s: is gone since the image was built", name)
		case got[name] != want[name]:
			t.Errorf("%s: has changed since the image was built", name)
		}
	}
	if t.Failed() {
		t.Log("the guest kernel's image is stale: run 'make kernel' and commit kernel.elf and kernel.sum")
	}
}

// TestImageIsReproducible builds the image twice, in two places, and compares
// the bytes with each other and with the committed image.
func TestImageIsReproducible(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		kvmtest.Skip(t, "the image is built on linux/amd64, this is "+runtime.GOOS+"/"+runtime.GOARCH)
	}
	for _, tool := range []string{"gcc", "ld", "readelf"} {
		if _, err := exec.LookPath(tool); err != nil {
			kvmtest.Skip(t, "no "+tool+": install gcc and binutils (Debian: apt-get install gcc libc6-dev)")
		}
	}
	first := build(t, filepath.Join(t.TempDir(), "a"))
	second := build(t, filepath.Join(t.TempDir(), "a-rather-longer", "path"))
	if !bytes.Equal(first, second) {
		t.Fatal("two builds in different directories differ")
	}
	if bytes.Equal(first, kernel.Image) {
		return
	}
	if mismatch := toolchainMismatch(t); mismatch != "" {
		kvmtest.Skip(t, "this toolchain builds another image: "+mismatch)
	}
	t.Error("kernel.elf is not what its sources build to: run 'make kernel' and commit the result")
}

// TestImageIsSafe checks what the loader, the boot state and the memory
// protection count on.
func TestImageIsSafe(t *testing.T) {
	t.Parallel()
	file, err := elf.NewFile(bytes.NewReader(kernel.Image))
	if err != nil {
		t.Fatal(err)
	}
	if file.Type != elf.ET_EXEC || file.Machine != elf.EM_X86_64 {
		t.Errorf("the image is %v for %v", file.Type, file.Machine)
	}
	checkSegments(t, file)
	checkSections(t, file)
	checkSymbols(t, file)
	checkInfo(t, file)
}

func checkSegments(t *testing.T, file *elf.File) {
	t.Helper()
	end := uint64(abi.KernelBase)
	for i, p := range file.Progs {
		if p.Type != elf.PT_LOAD && p.Type != elf.PT_GNU_STACK {
			t.Errorf("segment %d is a %v: nothing would look at it", i, p.Type)
		}
		if p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
			t.Errorf("segment %d at %#x is writable and executable", i, p.Vaddr)
		}
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Vaddr%abi.PageSize != 0 || p.Vaddr < end {
			t.Errorf("segment %d at %#x shares a page with the one before, which ends at %#x", i, p.Vaddr, end)
		}
		end = p.Vaddr + p.Memsz
	}
}

func checkSections(t *testing.T, file *elf.File) {
	t.Helper()
	for _, s := range file.Sections {
		switch {
		case s.Size == 0:
		case s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA || s.Type == elf.SHT_DYNAMIC:
			t.Errorf("section %s is a %v: nobody relocates the kernel", s.Name, s.Type)
		case strings.HasPrefix(s.Name, ".got") || strings.HasPrefix(s.Name, ".plt"):
			t.Errorf("section %s has %d bytes: something was not built with lib/hidden.h", s.Name, s.Size)
		}
	}
}

func checkSymbols(t *testing.T, file *elf.File) {
	t.Helper()
	symbols, err := file.Symbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Section == elf.SHN_UNDEF && s.Name != "" {
			t.Errorf("symbol %s is undefined", s.Name)
		}
	}
}

// checkInfo checks what the image says about itself in its first bytes.
func checkInfo(t *testing.T, file *elf.File) {
	t.Helper()
	first := file.Progs[0]
	if first.Vaddr != abi.KernelBase || first.Flags&(elf.PF_W|elf.PF_X) != 0 {
		t.Fatalf("the first segment is at %#x, %v", first.Vaddr, first.Flags)
	}
	var info abi.KernelInfo
	if _, err := first.ReadAt(abi.Bytes(&info), 0); err != nil {
		t.Fatal(err)
	}
	if info.Magic != abi.KernelMagic || info.ABIVersion != abi.ABIVersion {
		t.Errorf("magic %#x, ABI version %d; want %#x, %d", info.Magic, info.ABIVersion, uint64(abi.KernelMagic), abi.ABIVersion)
	}
	within := func(what string, address uint64, flags elf.ProgFlag) {
		for _, p := range file.Progs {
			if address >= p.Vaddr && address-p.Vaddr < p.Memsz && p.Flags == flags {
				return
			}
		}
		t.Errorf("%s is at %#x, which is in no segment with %v", what, address, flags)
	}
	within("the entry", file.Entry, elf.PF_R|elf.PF_X)
	within("the system call stub", info.SyscallStub, elf.PF_R|elf.PF_X)
	within("the last ring-0 byte", info.Ring0End-1, elf.PF_R|elf.PF_X)
	within("the stack", info.Stack-1, elf.PF_R|elf.PF_W)
	within("the GDT", info.GDT+uint64(info.GDTLimit), elf.PF_R|elf.PF_W)
	within("the IDT", info.IDT+uint64(info.IDTLimit), elf.PF_R|elf.PF_W)
	within("the TSS", info.TSS+uint64(info.TSSLimit), elf.PF_R|elf.PF_W)
	if info.SyscallStub < info.Ring0Start || info.SyscallStub >= info.Ring0End {
		t.Errorf("the system call stub at %#x is not in ring 0, %#x to %#x", info.SyscallStub, info.Ring0Start, info.Ring0End)
	}
}

// inputs returns what the image is built from, relative to this directory.
func inputs(t *testing.T) []string {
	t.Helper()
	list := []string{"../../abi/airlock_abi.h", "TOOLCHAIN", "build.sh"}
	err := fs.WalkDir(os.DirFS("."), "src", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// sums returns the checksum of the image and of each of its inputs, by name.
func sums(t *testing.T) map[string]string {
	t.Helper()
	list := make(map[string]string)
	for _, name := range append(inputs(t), "kernel.elf") {
		content, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		list[name] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return list
}

func readSums(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(sumFile)
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			t.Fatalf("%s: not a checksum and a name: %q", sumFile, line)
		}
		list[name] = sum
	}
	return list
}

func writeSums(t *testing.T, list map[string]string) {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(list)) {
		fmt.Fprintf(&text, "%s  %s\n", list[name], name)
	}
	if err := os.WriteFile(sumFile, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// build copies the image's sources to a new directory, laid out as here, and
// builds them.
func build(t *testing.T, root string) []byte {
	t.Helper()
	here := filepath.Join(root, "internal", "kernel")
	for _, name := range inputs(t) {
		content, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(here, filepath.FromSlash(path.Clean(name)))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	output := filepath.Join(root, "kernel.elf")
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(here, "build.sh"), output)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); name != "CC" && name != "LD" {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, text)
	}
	image, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// toolchainMismatch says how the tools here differ from those that TOOLCHAIN
// names, a line each as they print it for --version. It is empty if they don't.
func toolchainMismatch(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("TOOLCHAIN")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	var differ []string
	for i, tool := range []string{"gcc", "ld"} {
		output, err := exec.CommandContext(t.Context(), tool, "--version").Output()
		got, _, _ := strings.Cut(string(output), "\n")
		if err != nil {
			got = err.Error()
		}
		if i >= len(want) || got != want[i] {
			differ = append(differ, fmt.Sprintf("%s is %q, TOOLCHAIN names %q", tool, got, want[min(i, len(want)-1)]))
		}
	}
	return strings.Join(differ, "; ")
}
