/*
 * airlock_abi.h: the contract between the host and the guest kernel.
 *
 * Both sides build from this file: the guest kernel includes it, and the Go
 * mirror in internal/abi is generated from it and checked against it by a
 * test. It must stay self-contained: nothing but C99 headers.
 *
 * Raise AIRLOCK_ABI_VERSION with every change of a layout, a number or a
 * meaning. A host refuses a kernel or a snapshot of another version.
 *
 * Words: "host" is the Go library, "kernel" the guest kernel in the VM,
 * "program" the guest program that it runs. GPA is a guest-physical address,
 * an offset into the one memory buffer that the VM has.
 */
#ifndef AIRLOCK_ABI_H
#define AIRLOCK_ABI_H

#include <stdint.h>

#define AIRLOCK_ABI_VERSION 3u
#define AIRLOCK_PAGE_SIZE 4096u

/*
 * Guest-virtual layout. Everything lies in the lower half, because all guest
 * code, the kernel too, runs in ring 3.
 *
 *   USER_START .. USER_END   the program: ELF segments, heap, mappings, stack
 *   PROGRAM_END              its ELF segments end below this
 *   MESSAGES                 the message buffers, output then input, and the outbox, if the program asks for them
 *   VVAR, VDSO               the clock page and the vDSO, at the top of it
 *   PHYSMAP                  all guest-physical memory, read-write, never executable
 *   KERNEL_BASE              the kernel image, at its link address
 */
#define AIRLOCK_USER_START 0x0000000000010000ull
#define AIRLOCK_USER_END 0x00007f8000000000ull
#define AIRLOCK_PROGRAM_END 0x00007f0000000000ull
#define AIRLOCK_PIE_BASE 0x0000555555554000ull
#define AIRLOCK_MESSAGES 0x00007f7000000000ull
#define AIRLOCK_VVAR 0x00007f7fffff0000ull
#define AIRLOCK_VDSO 0x00007f7fffff1000ull
#define AIRLOCK_PHYSMAP 0x00007f8000000000ull
#define AIRLOCK_KERNEL_BASE 0x00007fc000000000ull

/*
 * Guest-physical layout, from the bottom:
 *
 *   CONTROL_GPA   struct airlock_control
 *   CLOCK_GPA     struct airlock_clock
 *   OUTBOX_GPA    struct airlock_outbox
 *   IMAGE_GPA     kernel image, first page tables, program image
 *   pool_start    free pages, all zero at boot
 *   pool_end      stdio buffer, output messages, input messages, up to memory_size
 */
#define AIRLOCK_CONTROL_GPA 0x0000u
#define AIRLOCK_CLOCK_GPA 0x1000u
#define AIRLOCK_OUTBOX_GPA 0x2000u
#define AIRLOCK_IMAGE_GPA 0x3000u

/* Memory is a whole number of these, so that the physmap can use large pages. */
#define AIRLOCK_MEMORY_UNIT 0x200000ull

/*
 * Hypercalls: a 32-bit OUT of 0 to one of these ports. Arguments and results
 * are in struct airlock_control. Any other port, width, direction or repeat
 * is a guest fault.
 */
#define AIRLOCK_PORT_EXIT 0xa101u   /* the program has ended: control.exit */
#define AIRLOCK_PORT_FAULT 0xa102u  /* the program was killed: control.fault */
#define AIRLOCK_PORT_PANIC 0xa103u  /* the kernel found itself broken: control.panic */
#define AIRLOCK_PORT_OUTPUT 0xa104u /* bytes for stdout or stderr: control.output */
#define AIRLOCK_PORT_INPUT 0xa105u  /* bytes wanted of stdin: control.input */
#define AIRLOCK_PORT_WAIT 0xa106u   /* nothing can run: control.wait */
#define AIRLOCK_PORT_TRACE 0xa107u  /* trace records: control.trace */

/*
 * Messages: what programs send through the kernel with AIRLOCK_SYSCALL, in the
 * output message buffer; control.message says how long it is and how long the
 * answer in the input message buffer, which programs can't write to. FlatBuffers
 * of abi/schema.
 */
#define AIRLOCK_PORT_DECLARE 0xa108u /* guest declaration -> host functions */
#define AIRLOCK_PORT_NEXT 0xa109u    /* function result, or nothing the first time -> function call */
#define AIRLOCK_PORT_HOST 0xa10au    /* host function call -> function result */
#define AIRLOCK_PORT_LOG 0xa10bu     /* log record -> nothing */
#define AIRLOCK_PORT_ABORT 0xa10cu   /* error -> never */

/* The interrupt vector of the tick that the host injects while tick_wanted is set. */
#define AIRLOCK_TICK_VECTOR 32u

/* Memory protection bits of struct airlock_region: those of mmap(2). */
#define AIRLOCK_PROT_READ 1u
#define AIRLOCK_PROT_WRITE 2u
#define AIRLOCK_PROT_EXEC 4u

/* A piece of the program image that the host has loaded and mapped. */
struct airlock_region {
	uint64_t start;    /* first byte, page-aligned */
	uint64_t end;      /* first byte behind it, page-aligned */
	uint64_t prot;     /* AIRLOCK_PROT_* */
	uint64_t file_end; /* first byte, page-aligned, behind what the file has bytes for; from there on are no pages */
};

#define AIRLOCK_BOOT_MAGIC 0x4b434f4c52494131ull
#define AIRLOCK_MAX_REGIONS 32u

/* Bits of airlock_boot.flags. */
#define AIRLOCK_BOOT_TRACE 1u /* report every system call */
#define AIRLOCK_BOOT_JIT 2u   /* anonymous memory may become executable */
#define AIRLOCK_BOOT_SERVE 4u /* the host will call functions of the program */

/*
 * The stdio buffer: what passes between program and host as plain bytes. Its
 * parts are for output, trace records and input.
 */
#define AIRLOCK_STDIO_OUTPUT_SIZE 0x8000u
#define AIRLOCK_STDIO_TRACE_SIZE 0x4000u
#define AIRLOCK_STDIO_INPUT_SIZE 0x4000u
#define AIRLOCK_STDIO_SIZE 0x10000u

/* What the kernel must know to start. Written by the host before the first entry. */
struct airlock_boot {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t flags;
	uint64_t memory_size; /* bytes of guest-physical memory */
	uint64_t pool_start;  /* GPA of the first free page */
	uint64_t pool_end;    /* GPA behind the last free page */
	uint64_t stdio_gpa;
	uint64_t output_gpa; /* message buffers, whole pages */
	uint64_t output_size;
	uint64_t input_gpa;
	uint64_t input_size;
	uint64_t page_table; /* GPA of the top-level page table */
	uint64_t xcr0;       /* extended state that the host has enabled */
	uint64_t program_entry;
	uint64_t program_base; /* load bias of a position-independent program */
	uint64_t program_end;  /* first byte behind its last segment: brk starts here */
	uint64_t phdr_address; /* AT_PHDR, 0 if the headers are not in memory */
	uint32_t phdr_count;
	uint32_t phdr_size;
	uint32_t region_count;
	uint32_t argument_count;    /* NUL-terminated strings at the start of the input message buffer */
	uint32_t environment_count; /* then these */
	uint32_t argument_bytes;    /* of both */
	uint8_t seed[32];           /* fresh randomness, at boot and for every new value of clock.generation */
	struct airlock_region regions[AIRLOCK_MAX_REGIONS];
};

/* AIRLOCK_PORT_EXIT */
struct airlock_exit {
	uint32_t status; /* 0 to 255 */
	uint32_t reserved;
};

/* Why a program was killed. */
enum airlock_fault_kind {
	AIRLOCK_FAULT_INVALID = 0,
	AIRLOCK_FAULT_PAGE = 1,
	AIRLOCK_FAULT_DIVIDE = 2,
	AIRLOCK_FAULT_OPCODE = 3,
	AIRLOCK_FAULT_PROTECTION = 4,
	AIRLOCK_FAULT_BREAKPOINT = 5,
	AIRLOCK_FAULT_DEBUG = 6,
	AIRLOCK_FAULT_FLOAT = 7,
	AIRLOCK_FAULT_ALIGNMENT = 8,
	AIRLOCK_FAULT_MEMORY = 9,  /* the page pool is empty */
	AIRLOCK_FAULT_SIGNAL = 10, /* a signal that the program sent */
	AIRLOCK_FAULT_LAST = 10,
};

enum airlock_access {
	AIRLOCK_ACCESS_NONE = 0,
	AIRLOCK_ACCESS_READ = 1,
	AIRLOCK_ACCESS_WRITE = 2,
	AIRLOCK_ACCESS_EXEC = 3,
	AIRLOCK_ACCESS_LAST = 3,
};

/* AIRLOCK_PORT_FAULT */
struct airlock_fault {
	uint32_t kind;   /* enum airlock_fault_kind */
	uint32_t access; /* enum airlock_access, of a page fault */
	uint32_t signal; /* Linux signal number that killed the program */
	uint32_t thread; /* id of the thread it happened in */
	uint64_t address; /* of a page fault */
	uint64_t rip;
	uint64_t rsp;
};

#define AIRLOCK_PANIC_TEXT 200u

/* AIRLOCK_PORT_PANIC */
struct airlock_panic {
	uint64_t rip;     /* where, or 0 */
	uint64_t address; /* of a page fault, or 0 */
	uint32_t vector;  /* exception, or 0xffffffff */
	uint32_t length;  /* bytes of text */
	char text[AIRLOCK_PANIC_TEXT];
};

/* AIRLOCK_PORT_OUTPUT: length bytes in the output part of the stdio buffer. */
struct airlock_output {
	uint32_t descriptor; /* 1 or 2 */
	uint32_t length;
	int32_t result; /* host: 0, or the negative errno that writers get from now on */
	uint32_t reserved;
};

/*
 * AIRLOCK_PORT_INPUT. The host answers at once. When it has nothing yet it
 * starts to read and raises AIRLOCK_EVENT_INPUT when there is something.
 */
struct airlock_input {
	uint32_t want;  /* most bytes to put into the input part of the stdio buffer; 0 asks only whether there are any */
	int32_t result; /* host: bytes (with want 0: bytes that wait), 0 at the end of stdin, or -EAGAIN */
};

/* AIRLOCK_PORT_WAIT: return at the deadline or when an event is raised. */
struct airlock_wait {
	uint64_t deadline; /* monotonic guest time in ns; ~0 for none */
};

/*
 * AIRLOCK_PORT_TRACE: count records in the trace part of the stdio buffer.
 * They are there, and counted, before the call is made: the host looks at them
 * too when it stops the program.
 */
struct airlock_trace {
	uint32_t count;
	uint32_t reserved;
};

/* AIRLOCK_PORT_DECLARE, NEXT, HOST, LOG, ABORT */
struct airlock_message {
	uint64_t length; /* of the message in the output message buffer */
	uint64_t answer; /* host: of the one in the input message buffer */
	int32_t result;  /* host: 0, or a negative errno */
	uint32_t sequence; /* of the message in the outbox, if this is the same one; else 0 */
};

/*
 * The system call by which programs reach the host: syscall(AIRLOCK_SYSCALL,
 * operation, argument, sequence). Linux has no such number. Results are a length
 * of an answer or a negative errno. The sequence is that of struct
 * airlock_message; operations that aren't NEXT or HOST have none.
 */
#define AIRLOCK_SYSCALL 511u

enum airlock_operation {
	AIRLOCK_OPERATION_INVALID = 0,
	AIRLOCK_OPERATION_INFO = 1, /* argument: where to put a struct airlock_info */
	AIRLOCK_OPERATION_DECLARE = 2, /* from here on: length of the message */
	AIRLOCK_OPERATION_NEXT = 3,
	AIRLOCK_OPERATION_HOST = 4,
	AIRLOCK_OPERATION_LOG = 5,
	AIRLOCK_OPERATION_ABORT = 6,
	AIRLOCK_OPERATION_LAST = 6,
};

/* The message buffers in the program's address space. */
struct airlock_info {
	uint32_t abi_version;
	uint32_t serve; /* not 0: the host will call functions */
	uint64_t output;
	uint64_t output_size;
	uint64_t input;
	uint64_t input_size;
	uint64_t generation; /* where airlock_clock.generation is, which programs may read */
	uint64_t inbox;      /* where airlock_clock.inbox is, likewise */
	uint64_t outbox;     /* the outbox, which the program writes */
	uint64_t message;    /* where airlock_control.message is, which the program may write */
	uint64_t leave;      /* where airlock_control.leave is */
};

/*
 * Hot calls: host and program each on a processor, meeting in shared memory, so
 * that messages NEXT and HOST and their answers pass without leaving the VM.
 *
 * The program, for each message: if control.leave is not 0, it makes the system
 * call, with sequence 0. If patience is 0, it leaves the VM, with sequence 0. Else
 * it writes the next sequence: the operation, and above AIRLOCK_OPERATION_BITS a
 * number that was not there before. The message's length is in its first four
 * bytes. It watches inbox.sequence until that is the same: there is the answer,
 * whose length is in its first bytes too. When it has watched for longer than
 * inbox.patience, which it reads again each time, it leaves the VM with that
 * sequence, and gets the answer from there.
 *
 * To leave the VM it writes control.message as the kernel does it, with an answer
 * of 0 and a result of -EIO, and makes the hypercall, or the system call, which
 * takes a little longer.
 *
 * The host takes a message where it sees it first: in the outbox or in
 * control.message, where it recognises one that it has taken by its sequence.
 * Before it sleeps it sets patience to 0 and looks at the outbox again. The
 * program has a full barrier between its writing sequence and its reading
 * patience, the host one between its writing patience and its reading sequence.
 *
 * Nothing else that changes with a message is in the two words' cache lines:
 * each write there takes the line from a processor that watches it.
 */
struct airlock_outbox {
	uint32_t sequence;
	uint32_t reserved[15];
};

struct airlock_inbox {
	uint32_t sequence; /* of the message that this answers */
	uint32_t patience; /* how long the program watches, in units of AIRLOCK_PATIENCE_TICKS; ~0 for ever */
};

#define AIRLOCK_OPERATION_BITS 3u

/* Ticks of the time stamp counter. */
#define AIRLOCK_PATIENCE_TICKS 1024u

enum airlock_trace_kind {
	AIRLOCK_TRACE_INVALID = 0,
	AIRLOCK_TRACE_CALL = 1,    /* a system call that returned */
	AIRLOCK_TRACE_UNKNOWN = 2, /* one that the kernel does not have */
	AIRLOCK_TRACE_NORETURN = 3,
	AIRLOCK_TRACE_SIGNAL = 4, /* delivery of signal number, address in args[0] */
	AIRLOCK_TRACE_LAST = 4,
};

#define AIRLOCK_TRACE_TEXT 40u

struct airlock_trace_record {
	uint32_t kind; /* enum airlock_trace_kind */
	uint32_t thread;
	uint32_t number; /* system call or signal */
	uint32_t text_length;
	uint64_t time; /* monotonic guest time in ns at the call */
	uint64_t duration; /* ns to the return */
	uint64_t args[6];
	int64_t result;
	char text[AIRLOCK_TRACE_TEXT]; /* what a path or buffer argument holds, from its start */
};

/* Bits of airlock_control.events, set by the host, cleared by the kernel. */
/* Values of airlock_control.tick_pending. */
#define AIRLOCK_TICK_INJECTED 1u /* an interrupt has come or will: no other comes before the kernel has cleared this */
#define AIRLOCK_TICK_SOON 2u     /* none comes: the kernel, which is just being entered, looks before it leaves */

#define AIRLOCK_EVENT_INPUT 1u /* stdin has bytes or has ended */

/* Bits of airlock_control.leave. */
#define AIRLOCK_LEAVE_OUTPUT 1u
#define AIRLOCK_LEAVE_TRACE 2u

/*
 * The control page. The host writes boot, then only results and events; what
 * it reads of the rest is untrusted, copied once and checked.
 */
struct airlock_control {
	struct airlock_boot boot;
	/* kernel to host */
	uint32_t tick_wanted;  /* not 0: threads or timers wait while another thread runs */
	uint32_t tick_pending; /* AIRLOCK_TICK_*, set by the host, cleared by the kernel; 0: none */
	uint32_t events;       /* AIRLOCK_EVENT_* */
	uint32_t reserved;
	uint64_t unknown_calls; /* system calls that the kernel does not have, so far */
	struct airlock_exit exit;
	struct airlock_fault fault;
	struct airlock_panic panic;
	struct airlock_output output;
	struct airlock_input input;
	struct airlock_wait wait;
	struct airlock_trace trace;
	struct airlock_message message;
	uint32_t leave; /* AIRLOCK_LEAVE_*: what the kernel has for the host before a message */
	uint32_t reserved2;
};

/*
 * The clock page, mapped read-only for programs: the vDSO reads it.
 *
 *   monotonic = base_ns + ((rdtsc - base_tsc) * multiplier >> 32)
 *   wall      = monotonic + wall_offset
 *
 * sequence is odd while the host writes.
 *
 * generation counts what the kernel can't see: the host raises it whenever it
 * puts the memory of another time, or a copy of it, before the vCPU. What was
 * random then is known to others now, and boot.seed is new.
 */
struct airlock_clock {
	uint32_t sequence;
	uint32_t reserved;
	uint64_t base_tsc;
	uint64_t base_ns;
	uint64_t multiplier;
	uint64_t wall_offset;
	uint64_t generation;
	uint64_t reserved2[2]; /* inbox has a cache line to itself */
	struct airlock_inbox inbox;
};

#define AIRLOCK_KERNEL_MAGIC 0x4c4e524b4c524941ull

/*
 * The first bytes of the kernel image, at AIRLOCK_KERNEL_BASE: addresses that
 * the host puts into the virtual CPU's registers, and what leads into ring 0:
 * gate N of the IDT below 32 to trap_stubs + N * trap_stub_size, gate 32 to
 * tick_stub. GDT, IDT and TSS have the pages from tables_start to tables_end to
 * themselves. While neither these nor page tables nor the kernel's read-only
 * pages change, nothing else runs in ring 0.
 */
struct airlock_kernel_info {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t reserved;
	uint64_t stack;        /* initial stack pointer; the ELF entry is the first instruction */
	uint64_t syscall_stub; /* LSTAR */
	uint64_t ring0_start;  /* all ring-0 code: no interrupt may land there */
	uint64_t ring0_end;
	uint64_t gdt;
	uint64_t idt;
	uint64_t tss;
	uint32_t gdt_limit;
	uint32_t idt_limit;
	uint32_t tss_limit;
	uint32_t trap_stub_size;
	uint64_t trap_stubs;
	uint64_t tick_stub;
	uint64_t tables_start;
	uint64_t tables_end;
};

/* Segment selectors. User selectors are those of Linux: KVM-PVM needs them. */
#define AIRLOCK_RING0_CS 0x10u
#define AIRLOCK_RING0_SS 0x18u
#define AIRLOCK_USER_SS 0x2bu
#define AIRLOCK_USER_CS 0x33u
#define AIRLOCK_TSS_SELECTOR 0x40u

#endif
