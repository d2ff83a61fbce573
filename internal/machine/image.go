package machine

import (
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/machine/pagetable"
)

// Image is the content with which the memory of a guest starts: kernel, page
// tables and program, from GPA 0 up. It doesn't change, and all machines made
// from it share its pages until they write to them.
type Image struct {
	file   *guestmem.File
	kernel abi.KernelInfo
	entry  uint64 // the kernel's first instruction
	boot   abi.Boot
	// written are the parts that every guest writes to.
	written []span
	// physmap is the GPA of the table whose entries, from its start, lead to the
	// tables that map all memory.
	physmap uint64
}

// kernelEnd is the end of the addresses that a kernel may have.
const kernelEnd = abi.KernelBase + 16<<20

// errKernel means that the kernel image is not one. It is part of the program
// that runs this code, so that this is a mistake in building it.
var errKernel = errors.New("machine: invalid kernel image")

// NewImage lays out a kernel, an ELF file, and a checked program.
func NewImage(kernel []byte, program *elf.Image) (*Image, error) {
	k, err := parseKernel(kernel)
	if err != nil {
		return nil, err
	}
	info, err := kernelInfo(k)
	if err != nil {
		return nil, err
	}

	b := newBuilder()
	b.addKernel(k)
	if err := b.addProgram(program); err != nil {
		return nil, err
	}
	if err := b.mapAll(); err != nil {
		return nil, err
	}
	physmap, err := b.tables.Table(abi.Physmap)
	if err != nil {
		return nil, err
	}
	// The first of the tables that map all memory lies right behind the image. All
	// machines have that one; more than 1 GiB needs more.
	copy(b.table(physmap), pagetable.Links(b.size(), 1))

	file, err := guestmem.NewFile("airlock-image", b.size(), append(b.pieces, guestmem.Piece{Offset: b.end, Data: b.tableBytes}))
	if err != nil {
		return nil, err
	}
	im := &Image{file: file, kernel: info, entry: k.Entry, boot: b.boot, written: b.written(), physmap: physmap}
	im.boot.Magic = abi.BootMagic
	im.boot.ABIVersion = abi.ABIVersion
	im.boot.PageTable = b.tables.Root()
	return im, nil
}

// parseKernel reads the kernel with the same code as programs, though it can be
// trusted: it is part of this library.
func parseKernel(kernel []byte) (*elf.Image, error) {
	k, err := elf.Parse(kernel, elf.Limits{UserStart: abi.KernelBase, UserEnd: kernelEnd, PIEBase: abi.KernelBase})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKernel, err)
	}
	return k, nil
}

// Close frees the image. Machines made from it live on.
func (im *Image) Close() error { return im.file.Close() }

// Size returns the bytes of memory that the image takes.
func (im *Image) Size() uint64 { return im.file.Size() }

// kernelInfo reads what the kernel says about itself in its first bytes.
func kernelInfo(k *elf.Image) (abi.KernelInfo, error) {
	var info abi.KernelInfo
	first := k.Segments[0]
	if first.Addr != abi.KernelBase {
		return info, fmt.Errorf("%w: it starts at %#x, not at %#x", errKernel, first.Addr, uint64(abi.KernelBase))
	}
	if n := copy(abi.Bytes(&info), first.Data); n < len(abi.Bytes(&info)) || info.Magic != abi.KernelMagic {
		return info, fmt.Errorf("%w: it does not begin with the kernel's magic number", errKernel)
	}
	if info.ABIVersion != abi.ABIVersion {
		return info, fmt.Errorf("%w: it has ABI version %d, this library has %d", errKernel, info.ABIVersion, abi.ABIVersion)
	}
	if max(info.GDTLimit, info.IDTLimit) > 0xffff {
		return info, fmt.Errorf("%w: its descriptor tables are longer than 64 KiB", errKernel)
	}
	for _, address := range []uint64{info.Stack, info.SyscallStub, info.Ring0Start, info.Ring0End, info.GDT, info.IDT, info.TSS} {
		if address < abi.KernelBase || address >= kernelEnd {
			return info, fmt.Errorf("%w: its address %#x is not the kernel's", errKernel, address)
		}
	}
	return info, nil
}

// builder lays an image out: first the kernel, then the program, then the page
// tables that map them. Nothing is copied but into the image's file.
type builder struct {
	pieces []guestmem.Piece
	end    uint64 // GPA behind kernel and program, where the tables are

	// mappings are the pages to map when it is known where the tables begin.
	mappings []mapping

	tables     *pagetable.Tables
	tableBytes []byte
	boot       abi.Boot
}

// mapping is a run of pages that are mapped to consecutive GPAs.
type mapping struct {
	address, gpa, size uint64
	perm               pagetable.Perm
}

func newBuilder() *builder { return &builder{end: abi.ImageGPA} }

// size is that of the image.
func (b *builder) size() uint64 { return b.end + uint64(len(b.tableBytes)) }

// table returns the bytes of a page table.
func (b *builder) table(gpa uint64) []byte { return b.tableBytes[gpa-b.end:][:abi.PageSize] }

func (b *builder) newTable() uint64 {
	gpa := b.size()
	b.tableBytes = append(b.tableBytes, make([]byte, abi.PageSize)...)
	return gpa
}

// place puts a segment's bytes into physical memory, its first page at gpa, and
// has size bytes of its pages mapped.
func (b *builder) place(s *elf.Segment, gpa, size uint64) {
	b.pieces = append(b.pieces, guestmem.Piece{Offset: gpa + s.Addr - s.PageStart(), Data: s.Data})
	b.mappings = append(b.mappings, mapping{s.PageStart(), gpa, size, permOf(s.Perm)})
}

// addKernel places the kernel with all of its zeroed memory in one piece, so
// that a kernel address minus KernelBase plus ImageGPA is its GPA.
func (b *builder) addKernel(k *elf.Image) {
	for i := range k.Segments {
		s := &k.Segments[i]
		gpa := s.PageStart() - abi.KernelBase + abi.ImageGPA
		b.place(s, gpa, s.PageEnd()-s.PageStart())
		b.end = gpa + s.PageEnd() - s.PageStart()
	}
}

// addProgram places the pages of the program that have bytes in its file. The
// kernel finds the rest in the regions, and gives it pages on first use.
func (b *builder) addProgram(p *elf.Image) error {
	for i := range p.Segments {
		s := &p.Segments[i]
		if err := b.addRegion(s); err != nil {
			return err
		}
		if len(s.Data) == 0 {
			continue
		}
		size := s.FileEnd() - s.PageStart()
		b.place(s, b.end, size)
		b.end += size
	}
	b.boot.ProgramEntry = p.Entry
	b.boot.ProgramBase = p.Bias
	b.boot.ProgramEnd = p.Segments[len(p.Segments)-1].End()
	b.boot.PhdrAddress = p.PhdrAddr
	b.boot.PhdrCount = uint32(p.PhdrCount) //nolint:gosec // G115: at most elf.Limits.MaxSegments
	b.boot.PhdrSize = uint32(p.PhdrSize)   //nolint:gosec // G115: the size of a C struct
	return nil
}

// written returns the parts that every guest writes to: control and clock page,
// the kernel's data, small data of the program, and the page tables.
func (b *builder) written() []span {
	list := []span{{abi.ControlGPA, abi.ImageGPA}}
	for _, m := range b.mappings {
		if m.perm.Write && (m.address >= abi.KernelBase || m.size <= warmData) {
			list = append(list, span{m.gpa, m.size})
		}
	}
	return append(list, span{b.end, uint64(len(b.tableBytes))})
}

// mapAll builds the page tables. Nothing can be added afterwards.
func (b *builder) mapAll() error {
	b.tables = pagetable.New(b.table, b.newTable)
	for _, m := range b.mappings {
		for offset := uint64(0); offset < m.size; offset += abi.PageSize {
			if err := b.tables.Map(m.address+offset, m.gpa+offset, m.perm); err != nil {
				return err
			}
		}
	}
	return nil
}

// addRegion tells the kernel of a segment, as one with its predecessor if that
// makes no difference.
func (b *builder) addRegion(s *elf.Segment) error {
	r := abi.Region{Start: s.PageStart(), End: s.PageEnd(), Prot: protOf(s.Perm), FileEnd: s.FileEnd()}
	if n := b.boot.RegionCount; n > 0 {
		last := &b.boot.Regions[n-1]
		inFile := r.FileEnd > r.Start
		if last.End == r.Start && last.Prot == r.Prot && (!inFile || last.FileEnd == last.End) {
			last.End = r.End
			if inFile {
				last.FileEnd = r.FileEnd
			}
			return nil
		}
	}
	if b.boot.RegionCount == abi.MaxRegions {
		return fmt.Errorf("machine: the program has more than %d segments", abi.MaxRegions)
	}
	b.boot.Regions[b.boot.RegionCount] = r
	b.boot.RegionCount++
	return nil
}

func permOf(p elf.Perm) pagetable.Perm {
	return pagetable.Perm{Write: p&elf.PermWrite != 0, Exec: p&elf.PermExec != 0}
}

func protOf(p elf.Perm) uint64 {
	var prot uint64
	if p&elf.PermRead != 0 {
		prot |= abi.ProtRead
	}
	if p&elf.PermWrite != 0 {
		prot |= abi.ProtWrite
	}
	if p&elf.PermExec != 0 {
		prot |= abi.ProtExec
	}
	return prot
}
