package snapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

const golden = "testdata/config.json"

// TestFormat pins what must not change while there are snapshots on disks.
func TestFormat(t *testing.T) {
	for _, row := range []struct{ got, want any }{
		{Version, 1},
		{ArtifactType, "application/vnd.airlock.snapshot.v1"},
		{ConfigType, "application/vnd.airlock.snapshot.config.v1+json"},
		{MemoryType, "application/vnd.airlock.snapshot.memory.v1"},
		{DefaultTag, "latest"},
		{MaxConfig, 1 << 20},
	} {
		if row.got != row.want {
			t.Errorf("%v is not %v: snapshots on disk would not be read any more", row.got, row.want)
		}
	}
}

// TestGolden compares with a config that was written once. A change of it needs
// another Version.
func TestGolden(t *testing.T) {
	text, err := sample(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the config has another form than that of version %d:\n%s", Version, text)
	}
	c, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, sample(t)) {
		t.Errorf("it was read as %+v", c)
	}
}

func TestRoundTrip(t *testing.T) {
	c := sample(t)
	p := c.Registers.Processor()
	if again := NewRegisters(&p); !reflect.DeepEqual(again, c.Registers) {
		t.Errorf("registers\n%+v became\n%+v", c.Registers, again)
	}
	info := c.Kernel.Info()
	if NewKernel(&info) != c.Kernel {
		t.Errorf("kernel %+v became %+v", c.Kernel, NewKernel(&info))
	}
	if size := c.ContentSize(); size != 4*4096 {
		t.Errorf("ContentSize() = %d", size)
	}
	if got := c.Created(); !got.Equal(time.Unix(1_700_000_000, 0)) {
		t.Errorf("Created() = %v", got)
	}
	d, err := c.Functions()
	if err != nil || len(d.Exports) != 1 || d.Exports[0].Name != "Add" {
		t.Errorf("Functions() = %+v, %v", d, err)
	}
	wide(c)
	if _, err := c.Encode(); err != nil {
		t.Errorf("with AVX-512: %v", err)
	}
	c.CPU.Features = []string{"misalignsse"}
	setXSave(c, 24, 0x21f80)
	if _, err := c.Encode(); err != nil {
		t.Errorf("with AMD's bit of MXCSR: %v", err)
	}
}

// TestEveryRegister sets each register of KVM's structs to another number, and
// expects them back: none may be forgotten.
func TestEveryRegister(t *testing.T) {
	var p Processor
	n := uint64(0)
	fill(reflect.ValueOf(&p.Regs).Elem(), &n)
	fill(reflect.ValueOf(&p.Sregs).Elem(), &n)
	for _, s := range []*kvm.Segment{&p.Sregs.CS, &p.Sregs.DS, &p.Sregs.ES, &p.Sregs.FS, &p.Sregs.GS, &p.Sregs.SS, &p.Sregs.TR, &p.Sregs.LDT} {
		s.Unusable = 0 // else the rest is dropped
	}
	p.Sregs.InterruptBitmap = [4]uint64{} // always zero without an interrupt controller of KVM's
	p.MSRs = []kvm.MSR{{Index: 1, Data: 2}, {Index: 3, Data: 4}}
	p.XCR0 = 5
	fill(reflect.ValueOf(p.Debug.DB[:]), &n)
	p.Debug.DR6, p.Debug.DR7 = 6, 7
	for i := range p.XSave {
		p.XSave[i] = byte(i%255 + 1)
	}
	clear(p.XSave[28:32])
	clear(p.XSave[464:512])
	r := NewRegisters(&p)
	if again := r.Processor(); !reflect.DeepEqual(again, p) {
		t.Errorf("%+v\nbecame\n%+v", p, again)
	}
}

func fill(v reflect.Value, n *uint64) {
	if kind := v.Kind(); kind == reflect.Struct {
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(v.Field(i), n)
			}
		}
		return
	} else if kind == reflect.Array || kind == reflect.Slice {
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
		return
	}
	*n++
	v.SetUint(*n)
}

func TestFits(t *testing.T) {
	host := func() *Host {
		return &Host{CPU: CPU{Features: []string{"avx", "avx512f", "fpu", "sse2"}, XSave: []Component{{2, 576, 256}, {5, 832, 64}, {6, 896, 512}, {7, 1408, 1024}}}, XCR0: 0xe7}
	}
	for _, row := range []struct {
		name   string
		change func(c *Config, h *Host)
		want   string // in the error, or empty
	}{
		{"the same", func(*Config, *Host) {}, ""},
		{"a larger guest", func(c *Config, _ *Host) { wide(c) }, ""},
		{"a smaller processor", func(c *Config, h *Host) { wide(c); h.Features = []string{"avx"} }, "lacks avx512f"},
		{"features", func(c *Config, _ *Host) { c.CPU.Features = []string{"aes", "sha_ni"} }, "lacks aes, sha_ni"},
		{"many features", func(_ *Config, h *Host) { h.Features = nil }, "avx, fpu, sse2"},
		{"extended state", func(_ *Config, h *Host) { h.XCR0 = 3 }, "XCR0 0x7"},
		{"places", func(c *Config, h *Host) { wide(c); h.XSave[1].Offset = 1088 }, "avx512 (masks)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, h := sample(t), host()
			row.change(c, h)
			err := c.Fits(h)
			if row.want == "" {
				if err != nil {
					t.Errorf("Fits() = %v", err)
				}
				return
			}
			if !errors.Is(err, ErrIncompatible) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Fits() = %v, want one with %q", err, row.want)
			}
		})
	}
	c := sample(t)
	c.CPU.Features = slices.Repeat([]string{"f"}, 30)
	if err := c.Fits(host()); !strings.Contains(err.Error(), ", ...") {
		t.Errorf("a long list: %v", err)
	}
}

// TestTextRefusals changes the text of a config.
func TestTextRefusals(t *testing.T) {
	text, err := sample(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, from, to, want string }{
		{"unknown field", `{"version":1,`, `{"version":1,"more":1,`, `unknown field "more"`},
		{"field twice", `{"version":1,`, `{"version":1,"guest":"a",`, "not written as Airlock writes it"},
		{"other letters", `"guest":`, `"Guest":`, "not written as Airlock writes it"},
		{"space", `{"version"`, `{ "version"`, "not written as Airlock writes it"},
		{"missing field", `"jit":false,`, ``, "not written as Airlock writes it"},
		{"long run", `[32,1]`, `[32,1,5]`, "not written as Airlock writes it"},
		{"null", `"runs":[[0,2],[32,1],[1023,1]]`, `"runs":null`, "memory.runs"},
		{"run that is none", `[32,1]`, `"x"`, "cannot unmarshal"},
		{"negative", `[32,1]`, `[-32,1]`, "cannot unmarshal"},
		{"enormous", `[32,1]`, `[` + strings.Repeat("9", 100_000) + `,1]`, "cannot unmarshal"},
		{"enormous version", `{"version":1,`, `{"version":` + strings.Repeat("9", 100_000) + `,`, "cannot unmarshal"},
		{"number for an address", `"cr3":"0x20000"`, `"cr3":131072`, "cannot unmarshal"},
		{"decimal address", `"cr3":"0x20000"`, `"cr3":"131072"`, "hexadecimal"},
		{"long address", `"cr3":"0x20000"`, `"cr3":"0x10000000000020000"`, "hexadecimal"},
		{"base64", `"declaration":"`, `"declaration":"!`, "illegal base64"},
		{"version", `{"version":1,`, `{"version":2,`, "it is 2, this version of Airlock reads 1"},
		{"no object", string(text), `[]`, "cannot unmarshal"},
		{"nothing", string(text), ``, "unexpected end"},
		{"truncated", string(text), string(text[:len(text)/2]), "unexpected end"},
		{"more behind it", string(text), string(text) + "{}", "after top-level value"},
		{"newline behind it", string(text), string(text) + "\n", "not written as Airlock writes it"},
		{"too long", string(text), strings.Repeat(" ", MaxConfig+1), "the most is"},
		{"deep", string(text), strings.Repeat("[", 100_000), "exceeded max depth"},
	} {
		t.Run(row.name, func(t *testing.T) {
			changed := strings.Replace(string(text), row.from, row.to, 1)
			if changed == string(text) {
				t.Fatal("nothing was changed")
			}
			_, err := Decode([]byte(changed))
			refused(t, err, row.want)
		})
	}
	other := strings.Replace(string(text), `"abi":3`, `"abi":7`, 1)
	if _, err := Decode([]byte(other)); !errors.Is(err, ErrIncompatible) || !strings.Contains(err.Error(), "ABI version 7") {
		t.Errorf("another ABI version: %v", err)
	}
	c := sample(t)
	c.ABI = 7
	_, err = c.Encode()
	refused(t, err, "ABI version 7")
}

// TestLongest: with as many runs and functions as there may be a config is short enough.
func TestLongest(t *testing.T) {
	c := sample(t)
	c.Memory.Size = MaxMemory / (2 << 20) * (2 << 20)
	c.Memory.Input = Hex(c.Memory.Size - 64<<10)
	c.Memory.Output, c.Memory.Stdio = c.Memory.Input-64<<10, c.Memory.Input-128<<10
	c.Memory.Runs = nil
	for i := range uint64(MaxRuns) {
		c.Memory.Runs = append(c.Memory.Runs, Run{Page: 20 * i, Pages: 1})
	}
	var d wire.Declaration
	for i := range wire.MaxFunctions {
		f := wire.Function{Name: fmt.Sprintf("%0255d", i), Return: wire.KindVoid}
		d.Exports, d.Imports = append(d.Exports, f), append(d.Imports, f)
	}
	var err error
	if c.Declaration, err = wire.AppendDeclaration(nil, &d); err != nil {
		t.Fatal(err)
	}
	text, err := c.Encode()
	if err != nil || len(text) < MaxConfig/4 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	if _, err := Decode(text); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	text, err := sample(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"version":1,"abi":3}`))
	for _, row := range refusals {
		c := sample(f)
		row.spoil(c)
		if text, err := c.marshal(); err == nil && len(text) < 64<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Decode(text)
		if err != nil {
			if !errors.Is(err, ocilayout.ErrFormat) && !errors.Is(err, ErrIncompatible) {
				t.Errorf("an error without a name: %v", err)
			}
			return
		}
		again, err := c.Encode()
		if err != nil || !bytes.Equal(again, text) {
			t.Errorf("what was read can't be written as it was: %v", err)
		}
		if c.ContentSize() > MaxMemory {
			t.Errorf("content of %d bytes", c.ContentSize())
		}
		_ = c.Fits(&Host{})
	})
}

// TestLimits takes what is just within them.
func TestLimits(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"stub at the end":      func(c *Config) { c.Kernel.TickStub = kernelEnd - 1 },
		"times":                func(c *Config) { c.Clock = Clock{1 << 62, 1 << 62, 1 << 62} },
		"name":                 func(c *Config) { c.Guest = strings.Repeat("x", MaxName) },
		"feature":              func(c *Config) { c.CPU.Features = []string{strings.Repeat("a", maxFeature)} },
		"component at the end": func(c *Config) { c.CPU.XSave[0].Offset = 4096 - 256; clear(c.Registers.XSave[576:]) },
	} {
		c := sample(t)
		change(c)
		text, err := c.Encode()
		if err == nil {
			_, err = Decode(text)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLongDeclaration: what a guest declares may be long without saying much.
func TestLongDeclaration(t *testing.T) {
	c := sample(t)
	c.Declaration = append(c.Declaration, make([]byte, MaxConfig)...)
	binary.LittleEndian.PutUint32(c.Declaration, uint32(len(c.Declaration)-4))
	_, err := c.Encode()
	refused(t, err, "the most is 1048576")
}
