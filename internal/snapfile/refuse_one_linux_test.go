package snapfile

import (
	"bytes"
	_ "crypto/sha512" // which an application may use
	"encoding/binary"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/ocilayout"
)

// refusalsOfOne are refused by one check each: they pass
// all the others, or have words in their error that no other check has.
var refusalsOfOne = []struct {
	name  string
	spoil func(c *Config)
	want  string
}{
	{"buffers that wrap", func(c *Config) {
		m := &c.Memory
		m.InputSize, m.OutputSize = 1<<63, 1<<63
		m.Input, m.Output, m.Stdio = Hex(m.Size-1<<63), Hex(m.Size), Hex(m.Size-abi.StdioSize)
	}, "up to half of memory"},
	{"one run too many", func(c *Config) {
		c.Memory.Runs = nil
		for i := range uint64(MaxRuns + 1) {
			c.Memory.Runs = append(c.Memory.Runs, Run{Page: 2 * i, Pages: 1})
		}
	}, "there are 65"},
	{"kernel stack behind the end", func(c *Config) { c.Kernel.Stack = kernelEnd }, "kernel.stack"},
	{"kernel stack far away", func(c *Config) { c.Kernel.Stack = 1<<64 - 8 }, "kernel.stack"},
	{"kernel tables far away", func(c *Config) { c.Kernel.TablesEnd = 1<<64 - 4096 }, "kernel.tablesEnd"},
	{"kernel TSS across the end by one", func(c *Config) { c.Kernel.TSS = Hex(kernelEnd - uint64(c.Kernel.TSSLimit)) }, "kernel.tss"},
	{"segment bit 2", func(c *Config) { c.Registers.DS = c.Registers.SS; c.Registers.DS.AVL = 2 }, "segment register"},
	{"segment DPL 4", func(c *Config) { c.Registers.DS = c.Registers.SS; c.Registers.DS.DPL = 4 }, "segment register"},
	{"feature empty", func(c *Config) { c.CPU.Features[0] = "" }, "not the name of a feature"},
	{"component twice, in two places", func(c *Config) { wide(c); c.CPU.XSave[1].Number = 2 }, "out of order"},
	{"component behind the end", func(c *Config) { c.CPU.XSave[0].Offset = 4097 }, "overlaps another or the end"},
	{"component that reaches behind the end", func(c *Config) { c.CPU.XSave[0].Offset = 4096 - 255 }, "overlaps another or the end"},
}

func TestRefusalsOfOne(t *testing.T) {
	for _, row := range refusalsOfOne {
		t.Run(row.name, func(t *testing.T) {
			c := sample(t)
			row.spoil(c)
			_, err := c.Encode()
			refused(t, err, row.want)
			text, err := c.marshal()
			if err != nil {
				t.Fatal(err)
			}
			_, err = Decode(text)
			refused(t, err, row.want)
		})
	}
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

// TestManifestRefusals: each by its own check, before anything else is read.
func TestManifestRefusals(t *testing.T) {
	sha512 := digest.Digest("sha512:" + strings.Repeat("0", 128))
	for _, row := range []struct {
		name  string
		spoil func(m *v1.Manifest)
		want  string
	}{
		{"schema", func(m *v1.Manifest) { m.SchemaVersion = 1 }, "schemaVersion 1"},
		{"config digest", func(m *v1.Manifest) { m.Config.Digest = "nothing" }, "must have sha256 digests"},
		{"config digest of another kind", func(m *v1.Manifest) { m.Config.Digest = sha512 }, "must have sha256 digests"},
		{"memory digest", func(m *v1.Manifest) { m.Layers[0].Digest = "sha256:zz" }, "must have sha256 digests"},
		{"memory digest of another kind", func(m *v1.Manifest) { m.Layers[0].Digest = sha512 }, "must have sha256 digests"},
		{"config large", func(m *v1.Manifest) { m.Config.Size = MaxConfig + 1 }, "the config has 1048577 bytes"},
		{"config empty", func(m *v1.Manifest) { m.Config.Size = 0 }, "the config has 0 bytes"},
		{"memory empty", func(m *v1.Manifest) { m.Layers[0].Size = 0 }, "not whole pages"},
		{"memory negative", func(m *v1.Manifest) { m.Layers[0].Size = -4096 }, "not whole pages"},
		{"memory a page too large", func(m *v1.Manifest) { m.Layers[0].Size = MaxMemory + 4096 }, "not whole pages"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlace(t)
			p.manifest(row.spoil)
			_, _, err := load(t.Context(), p.dir, "a")
			refused(t, err, row.want)
		})
	}
}

// TestCheckConfigContent: a digest says who wrote a config, not that it is good.
func TestCheckConfigContent(t *testing.T) {
	p := newPlace(t)
	l, err := ocilayout.Open(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := Find(l, "a")
	if err != nil {
		t.Fatal(err)
	}
	text := encoded(t, nil)
	for _, row := range []struct{ from, to, want string }{
		{`{"version":1,`, `{"version":9,`, "version: it is 9"},
		{`[1023,1]`, `[1020,2]`, "its runs have"},
	} {
		bad := bytes.Replace(text, []byte(row.from), []byte(row.to), 1)
		s.Config.Digest, s.Config.Size = digest.FromBytes(bad), int64(len(bad))
		_, err := s.CheckConfig(bytes.NewReader(bad))
		refused(t, err, row.want)
	}
}
