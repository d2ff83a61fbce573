package snapfile

import (
	"encoding/binary"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
	"github.com/airlockvm/airlock/internal/wire"
)

const sampleKernel = abi.KernelBase

// sample is a config that passes.
func sample(tb testing.TB) *Config {
	tb.Helper()
	declaration, err := wire.AppendDeclaration(nil, &wire.Declaration{
		Exports: []wire.Function{{Name: "Add", Params: []wire.Kind{wire.KindInt32, wire.KindInt32}, Return: wire.KindInt32}},
		SDKName: "sample", SDKVersion: "1",
	})
	if err != nil {
		tb.Fatal(err)
	}
	kernel := abi.KernelInfo{
		Stack: sampleKernel + 0x9000, SyscallStub: sampleKernel + 0x1000, Ring0Start: sampleKernel + 0x1000, Ring0End: sampleKernel + 0x1800,
		GDT: sampleKernel + 0x4100, IDT: sampleKernel + 0x4200, TSS: sampleKernel + 0x5000,
		GDTLimit: 79, IDTLimit: 527, TSSLimit: 8296, TrapStubSize: 32,
		TrapStubs: sampleKernel + 0x1010, TickStub: sampleKernel + 0x1700,
		TablesStart: sampleKernel + 0x4000, TablesEnd: sampleKernel + 0x8000,
	}
	p := Processor{State: bootstate.New(bootstate.Params{Kernel: kernel, Entry: abi.UserStart, PageTable: 0x20000, XCR0: 7})}
	p.Regs.RAX = 1<<64 - 1
	p.Sregs.FS.Base = 0x1234
	p.Debug = kvm.DebugRegs{DR6: 0xffff0ff0 | 1<<14, DR7: 0x400}
	p.XSave[0], p.XSave[1], p.XSave[24], p.XSave[25] = 0x7f, 0x03, 0x80, 0x1f
	p.XSave[28], p.XSave[464] = 0xff, 1 // which NewRegisters drops
	p.XSave[512] = 7
	p.XSave[576] = 9
	return &Config{
		Version: Version, ABI: abi.ABIVersion, Guest: "sample & co",
		Memory: Memory{
			Size: 4 << 20, Stdio: 0x3d0000, Output: 0x3e0000, OutputSize: 64 << 10, Input: 0x3f0000, InputSize: 64 << 10,
			Runs: []Run{{0, 2}, {32, 1}, {1023, 1}},
		},
		Trace: true, PageTable: 0x20000, Kernel: NewKernel(&kernel), Registers: NewRegisters(&p),
		Clock:       Clock{Monotonic: 1_000_000_000, Wall: 1_700_000_000_000_000_000, Generation: 3},
		CPU:         CPU{Features: []string{"avx", "fpu", "sse2"}, XSave: []Component{{2, 576, 256}}},
		Declaration: declaration,
	}
}

// wide makes the sample one of a processor with AVX-512.
func wide(c *Config) {
	c.Registers.XCR0 = 0xe7
	c.CPU.XSave = []Component{{2, 576, 256}, {5, 832, 64}, {6, 896, 512}, {7, 1408, 1024}}
	c.CPU.Features = []string{"avx", "avx512f"}
}

func setXSave(c *Config, offset int, value uint64) {
	binary.LittleEndian.PutUint64(c.Registers.XSave[offset:], value)
}
