package snapfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// The format. None of these may change without a new Version, and Version not
// without a way to read the old one or a line in CHANGELOG.md.
const (
	// Version is that of the config.
	Version = 1
	// ArtifactType is that of the manifest.
	ArtifactType = "application/vnd.airlock.snapshot.v1"
	// ConfigType is the media type of the config.
	ConfigType = "application/vnd.airlock.snapshot.config.v1+json"
	// MemoryType is the media type of the layer.
	MemoryType = "application/vnd.airlock.snapshot.memory.v1"
	// DefaultTag is what a snapshot is called that nobody named.
	DefaultTag = "latest"
)

// Limits of what is read.
const (
	// MaxConfig is the most bytes that a config may have.
	MaxConfig = 1 << 20
	// MaxRuns is the most runs, as for all snapshots: guestmem.MaxRuns.
	MaxRuns = 64
	// MaxName is the most bytes of a guest's name.
	MaxName = 255
	// MaxMemory is the most bytes of memory, as for all machines.
	MaxMemory = 0xfe000000

	maxFeatures = 1024
	maxFeature  = 40
	// maxTime is 146 years in ns: far from where sums could wrap.
	maxTime = 1 << 62
)

// Config is all of a snapshot but the content of its memory.
type Config struct {
	Version int    `json:"version"`
	ABI     uint32 `json:"abi"`
	// Guest is the name of the program.
	Guest  string `json:"guest"`
	Memory Memory `json:"memory"`
	JIT    bool   `json:"jit"`
	Trace  bool   `json:"trace"`
	// PageTable is the top-level page table of the boot.
	PageTable Hex       `json:"pageTable"`
	Kernel    Kernel    `json:"kernel"`
	Registers Registers `json:"registers"`
	Clock     Clock     `json:"clock"`
	CPU       CPU       `json:"cpu"`
	// Declaration is the message in which the guest said what it exports and needs.
	Declaration []byte `json:"declaration"`
}

// Memory says what is where in memory.
type Memory struct {
	// Size is the bytes of it.
	Size uint64 `json:"size"`
	// Stdio, Output and Input are where the buffers begin that host and guest share;
	// the sizes are those of the latter two.
	Stdio      Hex    `json:"stdio"`
	Output     Hex    `json:"output"`
	OutputSize uint64 `json:"outputSize"`
	Input      Hex    `json:"input"`
	InputSize  uint64 `json:"inputSize"`
	// Runs are the parts that have content, in order. It is in the layer without
	// gaps; all other memory is zero.
	Runs []Run `json:"runs"`
}

// Run is a number of pages of memory from one on. Whole pages one after the other
// are all that can be said, so that there is little to get wrong. It is written
// as [page, pages]: a snapshot may have thousands.
type Run struct{ Page, Pages uint64 }

// MarshalJSON writes the pair.
func (r Run) MarshalJSON() ([]byte, error) { return json.Marshal([2]uint64{r.Page, r.Pages}) }

// UnmarshalJSON reads the pair.
func (r *Run) UnmarshalJSON(text []byte) error {
	var pair [2]uint64
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	r.Page, r.Pages = pair[0], pair[1]
	return nil
}

// Clock is the guest's time at the capture, in ns.
type Clock struct {
	Monotonic uint64 `json:"monotonic"`
	// Wall counts from 1970.
	Wall uint64 `json:"wall"`
	// Generation is how often the memory was that of a restored machine.
	Generation uint64 `json:"generation"`
}

// CPU is what the guest may have found out about its processor and relies on.
type CPU struct {
	// Features are sorted names of CPUID's bits.
	Features []string `json:"features"`
	// XSave is where the extended state lies that has no fixed place, by component.
	XSave []Component `json:"xsave"`
}

// Component is a part of the extended state: bit Number of XCR0.
type Component struct {
	Number uint32 `json:"number"`
	Offset uint32 `json:"offset"`
	Size   uint32 `json:"size"`
}

// Hex is a number that is written as "0x1f": addresses and bits, which have 64 of
// them, while readers of JSON may keep no more than 53 of a number.
type Hex uint64

// MarshalText writes the number.
func (h Hex) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%#x", uint64(h)), nil }

// UnmarshalText reads it.
func (h *Hex) UnmarshalText(text []byte) error {
	rest, ok := bytes.CutPrefix(text, []byte("0x"))
	n, err := strconv.ParseUint(string(rest), 16, 64)
	if !ok || err != nil {
		return fmt.Errorf("%.30q is not a hexadecimal number of 64 bits, such as \"0x1f\"", text)
	}
	*h = Hex(n)
	return nil
}

// Encode checks the config and returns the one way to write it.
func (c *Config) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	text, err := c.marshal()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxConfig {
		return nil, malformed("", "it has %d bytes, the most is %d: memory has %d runs and the declaration %d bytes",
			len(text), MaxConfig, len(c.Memory.Runs), len(c.Declaration))
	}
	return text, nil
}

func (c *Config) marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads a config and checks all of it that doesn't depend on the host.
// Only what Encode writes is taken, byte for byte: a JSON object that another
// reader could understand differently, by a field that is there twice, is not.
//
// Guest-controlled: the text.
func Decode(text []byte) (*Config, error) {
	if len(text) > MaxConfig {
		return nil, malformed("", "it has %d bytes, the most is %d", len(text), MaxConfig)
	}
	// Other versions have other fields: their number says more than that.
	var versions struct {
		Version int    `json:"version"`
		ABI     uint32 `json:"abi"`
	}
	if err := json.Unmarshal(text, &versions); err != nil {
		return nil, malformed("", "%.300v", err)
	}
	if versions.Version != Version {
		return nil, malformed("version", "it is %d, this version of Airlock reads %d: use the version that wrote it, or take the snapshot again",
			versions.Version, Version)
	}
	if versions.ABI != abi.ABIVersion {
		return nil, incompatible("its guest kernel has ABI version %d, this version of Airlock has %d: use the version that wrote it, or take the snapshot again",
			versions.ABI, abi.ABIVersion)
	}
	c := new(Config)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, malformed("", "%.300v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("", "there is something behind its end")
	}
	if again, err := c.marshal(); err != nil || !bytes.Equal(again, text) {
		return nil, malformed("", "it is not written as Airlock writes it: a field is missing, there twice, or written otherwise")
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// ContentSize returns how many bytes the layer must have. Preconditions: checked.
func (c *Config) ContentSize() uint64 {
	pages := uint64(0)
	for _, r := range c.Memory.Runs {
		pages += r.Pages
	}
	return pages * abi.PageSize
}

// Functions returns what the guest has declared.
func (c *Config) Functions() (wire.Declaration, error) {
	d, err := wire.DecodeDeclaration(c.Declaration)
	if err != nil {
		return d, malformed("declaration", "%v", err)
	}
	return d, nil
}
