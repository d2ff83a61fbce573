package kvm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// TestConstants compares every number of this package with the C compiler's,
// from the kernel's own headers.
func TestConstants(t *testing.T) {
	names := map[string]uint64{
		"KVM_API_VERSION":                  APIVersion,
		"KVM_CPUID_FLAG_SIGNIFCANT_INDEX":  CPUIDSignificantIndex,
		"KVM_EXIT_IO_OUT":                  ioOut,
		"KVM_VCPU_TSC_CTRL":                attrGroupTSC,
		"KVM_VCPU_TSC_OFFSET":              attrTSCOffset,
		"KVM_MSR_FILTER_READ":              msrFilterRead,
		"KVM_MSR_FILTER_WRITE":             msrFilterWrite,
		"KVM_MSR_FILTER_DEFAULT_DENY":      msrFilterDefaultDeny,
		"KVM_VCPUEVENT_VALID_NMI_PENDING":  EventsNMIPending,
		"KVM_VCPUEVENT_VALID_SHADOW":       EventsShadow,
		"KVM_VCPUEVENT_VALID_TRIPLE_FAULT": EventsTripleFault,
		"KVM_SYNC_X86_REGS":                syncX86Regs,
		"KVM_MEM_LOG_DIRTY_PAGES":          MemLogDirtyPages,
		"KVM_SYNC_X86_SREGS":               syncX86Sregs,
		"KVM_SYNC_X86_EVENTS":              syncX86Events,

		"KVM_GET_API_VERSION":        reqGetAPIVersion,
		"KVM_CREATE_VM":              reqCreateVM,
		"KVM_CHECK_EXTENSION":        reqCheckExtension,
		"KVM_GET_VCPU_MMAP_SIZE":     reqGetVCPUMmapSize,
		"KVM_GET_SUPPORTED_CPUID":    reqGetSupportedCPUID,
		"KVM_CREATE_VCPU":            reqCreateVCPU,
		"KVM_SET_USER_MEMORY_REGION": uint64(reqSetUserMemoryRegion),
		"KVM_SET_TSS_ADDR":           reqSetTSSAddr,
		"KVM_GET_DIRTY_LOG":          uint64(reqGetDirtyLog),
		"KVM_CLEAR_DIRTY_LOG":        uint64(reqClearDirtyLog),
		"KVM_ENABLE_CAP":             uint64(reqEnableCap),
		"KVM_RUN":                    reqRun,
		"KVM_GET_REGS":               uint64(reqGetRegs),
		"KVM_SET_REGS":               uint64(reqSetRegs),
		"KVM_GET_SREGS":              uint64(reqGetSregs),
		"KVM_SET_SREGS":              uint64(reqSetSregs),
		"KVM_INTERRUPT":              uint64(reqInterrupt),
		"KVM_GET_MSRS":               reqGetMSRs,
		"KVM_SET_MSRS":               reqSetMSRs,
		"KVM_SET_CPUID2":             reqSetCPUID2,
		"KVM_GET_VCPU_EVENTS":        uint64(reqGetVCPUEvents),
		"KVM_SET_VCPU_EVENTS":        uint64(reqSetVCPUEvents),
		"KVM_GET_DEBUGREGS":          uint64(reqGetDebugRegs),
		"KVM_SET_DEBUGREGS":          uint64(reqSetDebugRegs),
		"KVM_GET_TSC_KHZ":            reqGetTSCKHz,
		"KVM_GET_XSAVE":              uint64(reqGetXSave),
		"KVM_SET_XSAVE":              uint64(reqSetXSave),
		"KVM_GET_XCRS":               uint64(reqGetXCRS),
		"KVM_SET_XCRS":               uint64(reqSetXCRS),
		"KVM_X86_SET_MSR_FILTER":     uint64(reqX86SetMSRFilter),
		"KVM_SET_DEVICE_ATTR":        uint64(reqSetDeviceAttr),
		"KVM_GET_DEVICE_ATTR":        uint64(reqGetDeviceAttr),
	}
	for reason, name := range exitNames {
		names[name] = uint64(reason)
	}
	for capability, name := range capabilityNames {
		names[name] = uint64(capability)
	}
	got := compile(t, macros(names))
	for name, want := range names {
		if g, ok := got[name]; ok && g != want {
			t.Errorf("%s is %d, the header says %d", name, want, g)
		}
	}
	if len(got) < len(names)*4/5 {
		t.Errorf("the header has only %d of %d names", len(got), len(names))
	}
}

// TestLayouts compares the mirrored structs with the header's.
func TestLayouts(t *testing.T) {
	layouts := map[string]uintptr{
		"sizeof(struct kvm_regs)":                                 unsafe.Sizeof(Regs{}),
		"sizeof(struct kvm_segment)":                              unsafe.Sizeof(Segment{}),
		"sizeof(struct kvm_dtable)":                               unsafe.Sizeof(DescriptorTable{}),
		"sizeof(struct kvm_sregs)":                                unsafe.Sizeof(Sregs{}),
		"sizeof(struct kvm_msr_entry)":                            unsafe.Sizeof(MSR{}),
		"sizeof(struct kvm_cpuid_entry2)":                         unsafe.Sizeof(CPUIDEntry{}),
		"sizeof(struct kvm_xsave)":                                unsafe.Sizeof(XSave{}),
		"sizeof(struct kvm_xcrs)":                                 unsafe.Sizeof(xcrs{}),
		"sizeof(struct kvm_debugregs)":                            unsafe.Sizeof(DebugRegs{}),
		"sizeof(struct kvm_vcpu_events)":                          unsafe.Sizeof(VCPUEvents{}),
		"sizeof(struct kvm_userspace_memory_region)":              unsafe.Sizeof(MemoryRegion{}),
		"sizeof(struct kvm_device_attr)":                          unsafe.Sizeof(deviceAttr{}),
		"sizeof(struct kvm_msr_filter)":                           unsafe.Sizeof(msrFilter{}),
		"sizeof(struct kvm_msr_filter_range)":                     unsafe.Sizeof(msrFilterRange{}),
		"sizeof(struct kvm_interrupt)":                            unsafe.Sizeof(interrupt{}),
		"sizeof(struct kvm_sync_regs)":                            unsafe.Sizeof(syncRegs{}),
		"sizeof(struct kvm_cpuid2)":                               unsafe.Offsetof(CPUIDTable{}.entries),
		"sizeof(struct kvm_msrs)":                                 unsafe.Offsetof(msrs{}.entries),
		"offsetof(struct kvm_regs, rip)":                          unsafe.Offsetof(Regs{}.RIP),
		"offsetof(struct kvm_regs, rsp)":                          unsafe.Offsetof(Regs{}.RSP),
		"offsetof(struct kvm_segment, selector)":                  unsafe.Offsetof(Segment{}.Selector),
		"offsetof(struct kvm_segment, dpl)":                       unsafe.Offsetof(Segment{}.DPL),
		"offsetof(struct kvm_segment, l)":                         unsafe.Offsetof(Segment{}.L),
		"offsetof(struct kvm_segment, g)":                         unsafe.Offsetof(Segment{}.G),
		"offsetof(struct kvm_segment, unusable)":                  unsafe.Offsetof(Segment{}.Unusable),
		"offsetof(struct kvm_sregs, ss)":                          unsafe.Offsetof(Sregs{}.SS),
		"offsetof(struct kvm_sregs, tr)":                          unsafe.Offsetof(Sregs{}.TR),
		"offsetof(struct kvm_sregs, gdt)":                         unsafe.Offsetof(Sregs{}.GDT),
		"offsetof(struct kvm_sregs, cr4)":                         unsafe.Offsetof(Sregs{}.CR4),
		"offsetof(struct kvm_sregs, efer)":                        unsafe.Offsetof(Sregs{}.EFER),
		"offsetof(struct kvm_vcpu_events, nmi)":                   unsafe.Offsetof(VCPUEvents{}.NMIInjected),
		"offsetof(struct kvm_vcpu_events, flags)":                 unsafe.Offsetof(VCPUEvents{}.Flags),
		"offsetof(struct kvm_vcpu_events, exception_payload)":     unsafe.Offsetof(VCPUEvents{}.ExceptionPayload),
		"offsetof(struct kvm_run, immediate_exit)":                1,
		"offsetof(struct kvm_run, exit_reason)":                   unsafe.Offsetof(runPage{}.exitReason),
		"offsetof(struct kvm_run, ready_for_interrupt_injection)": unsafe.Offsetof(runPage{}.readyForIRQ),
		"offsetof(struct kvm_run, if_flag)":                       unsafe.Offsetof(runPage{}.interruptFlag),
		"offsetof(struct kvm_run, io)":                            unsafe.Offsetof(runPage{}.exit),
		"offsetof(struct kvm_run, kvm_valid_regs)":                unsafe.Offsetof(runPage{}.validRegs),
		"offsetof(struct kvm_run, kvm_dirty_regs)":                unsafe.Offsetof(runPage{}.dirtyRegs),
		"offsetof(struct kvm_run, s.regs)":                        unsafe.Offsetof(runPage{}.synced),
		"offsetof(struct kvm_run, io.port)":                       unsafe.Offsetof(runPage{}.exit) + unsafe.Offsetof(io{}.port),
		"offsetof(struct kvm_run, io.data_offset)":                unsafe.Offsetof(runPage{}.exit) + unsafe.Offsetof(io{}.dataOffset),
		"offsetof(struct kvm_run, mmio.is_write)":                 unsafe.Offsetof(runPage{}.exit) + unsafe.Offsetof(mmio{}.isWrite),
		"offsetof(struct kvm_run, internal.data)":                 unsafe.Offsetof(runPage{}.exit) + unsafe.Offsetof(internalError{}.data),
	}
	var c strings.Builder
	for expr := range layouts {
		fmt.Fprintf(&c, "\tprintf(\"%%llu %s\\n\", (unsigned long long)(%s));\n", expr, expr)
	}
	got := compile(t, c.String())
	for expr, want := range layouts {
		if got[expr] != uint64(want) {
			t.Errorf("%s is %d, the header says %d", expr, want, got[expr])
		}
	}
}

// macros is C that prints those of the names that the header has: the machine's
// header may be older than the newest names.
func macros(names map[string]uint64) string {
	var c strings.Builder
	for name := range names {
		fmt.Fprintf(&c, "#ifdef %s\n\tprintf(\"%%llu %s\\n\", (unsigned long long)(%s));\n#endif\n", name, name, name)
	}
	return c.String()
}

// compile runs C statements that print numbers with names.
func compile(t *testing.T, statements string) map[string]uint64 {
	t.Helper()
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
	dir := t.TempDir()
	source, program := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	text := "#include <linux/kvm.h>\n#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\nint main(void) {\n" + statements + "\treturn 0;\n}\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]uint64)
	for line := range strings.Lines(string(out)) {
		var v uint64
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, err := fmt.Sscan(number, &v); err != nil {
			t.Fatal(err)
		}
		values[name] = v
	}
	return values
}
