package airlock

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/kernel"
	"github.com/airlockvm/airlock/internal/machine"
)

// MaxGuestFile is the size in bytes up to which guest files are read.
const MaxGuestFile = elf.DefaultMaxFile

// Guest is a checked guest program: one file, from which any number of
// sandboxes can be made. It is safe for concurrent use. Its memory is freed
// when it is no longer reachable.
type Guest struct {
	name string
	file *elf.Image // nil if it is known from a snapshot only

	image func() (*machine.Image, error) // laid out once, on first use
}

// LoadGuest reads a static Linux program for x86-64 from a file and checks it.
// No virtual machine is made. A file that can't be a guest is refused with a
// [*GuestFormatError] that says why and how to build one that can.
func LoadGuest(path string) (*Guest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("airlock: load guest: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	content, err := io.ReadAll(io.LimitReader(f, MaxGuestFile+1))
	if err != nil {
		return nil, fmt.Errorf("airlock: load guest: %w", err)
	}
	return NewGuest(filepath.Base(path), content)
}

// NewGuest checks a guest program that is in memory. The name is for error
// messages, logs and the program's argument 0. The Guest keeps file, which must
// not change afterwards.
func NewGuest(name string, file []byte) (*Guest, error) {
	parsed, err := elf.Parse(file, elf.Limits{
		UserStart: abi.UserStart,
		UserEnd:   abi.ProgramEnd,
		PIEBase:   abi.PIEBase,
	})
	if err != nil {
		return nil, fmt.Errorf("airlock: guest %q: %w", name, err)
	}
	g := &Guest{name: name, file: parsed}
	g.image = sync.OnceValues(func() (*machine.Image, error) {
		image, err := machine.NewImage(kernel.Image, parsed)
		if err != nil {
			return nil, err
		}
		runtime.AddCleanup(g, func(image *machine.Image) { _ = image.Close() }, image)
		return image, nil
	})
	return g, nil
}

// snapshotGuest is the guest of a snapshot from disk: no program file, a name.
func snapshotGuest(name string) *Guest { return &Guest{name: name} }

// Name returns the name that the guest was loaded under.
func (g *Guest) Name() string { return g.name }

// Segment is a piece of a guest program as it is loaded into memory.
type Segment struct {
	// Addr is the guest-virtual address.
	Addr uint64
	// Size is in bytes, FileSize the part of it that the file gives; the rest is zero.
	Size, FileSize uint64
	// Perm is "r--", "r-x" or "rw-".
	Perm string
}

// GuestInfo describes a guest program.
type GuestInfo struct {
	// Name is what the guest was loaded under.
	Name string
	// Kind is "exec" for a program with fixed addresses, "pie" for one without,
	// and "snapshot" for one that [LoadSnapshot] read, of which only the name and the
	// version of the contract are known.
	Kind string
	// Entry is the address of the first instruction.
	Entry uint64
	// Segments are sorted by address.
	Segments []Segment
	// Memory is the least Options.Memory that holds the program, in bytes; what it
	// allocates when it runs comes on top.
	Memory uint64
	// ABIVersion is the version of the contract with the guest kernel that this
	// package speaks.
	ABIVersion int
}

// Info describes the guest.
func (g *Guest) Info() GuestInfo {
	if g.file == nil {
		return GuestInfo{Name: g.name, Kind: "snapshot", ABIVersion: abi.ABIVersion}
	}
	info := GuestInfo{
		Name:       g.name,
		Kind:       g.file.Kind.String(),
		Entry:      g.file.Entry,
		ABIVersion: abi.ABIVersion,
	}
	for _, s := range g.file.Segments {
		info.Memory += roundUp(uint64(len(s.Data)), abi.PageSize) // the rest is zero, and taken when it is touched
		info.Segments = append(info.Segments, Segment{
			Addr: s.Addr, Size: s.MemSize, FileSize: uint64(len(s.Data)), Perm: s.Perm.String(),
		})
	}
	info.Memory = roundUp(info.Memory+minMemory, abi.MemoryUnit)
	return info
}

// fits returns why a sandbox of this configuration can't hold the guest, or nil.
func (g *Guest) fits(config machine.Config) error {
	if g.file == nil {
		return fmt.Errorf("%w: guest %q is that of a loaded snapshot, which has no program file: use Snapshot.New", ErrOptions, g.name)
	}
	need := g.Info().Memory
	if config.Memory < need {
		return fmt.Errorf("%w: guest %q needs at least %d MiB of memory, Memory is %d MiB",
			ErrOptions, g.name, need>>20, config.Memory>>20)
	}
	// In minMemory, which is in need, there is room for buffers of the default size.
	if size := config.InputSize; size > DefaultMessageSize && need+2*(size-DefaultMessageSize) > config.Memory {
		return fmt.Errorf("%w: Memory is %d bytes, which does not hold two message buffers of %d bytes (MessageSize) and guest %q",
			ErrOptions, config.Memory, size, g.name)
	}
	return nil
}

func roundUp(n, unit uint64) uint64 { return (n + unit - 1) / unit * unit }
