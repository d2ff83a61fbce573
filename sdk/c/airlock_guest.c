/*
 * airlock_guest.c: the SDK behind airlock_guest.h.
 *
 * Compile it with the program. It needs no libc, and works beside any: it makes
 * its system calls itself, allocates nothing, and calls no function of a library
 * but memcpy and the like, which compilers call as they please anyway. Without a
 * libc, use -ffreestanding -nostdlib and define AIRLOCK_FREESTANDING: then the
 * last section supplies what is missing.
 *
 * From the top: the contract with the guest kernel, system calls, text, writing
 * messages, reading messages, the exchange of messages, mistakes of programs,
 * calls and their results, the host, serving, and what freestanding programs need.
 */
#include "airlock_guest.h"

#if !defined(__x86_64__) || !defined(__LP64__)
#error "guests of Airlock are x86-64 programs"
#endif

#if defined(AIRLOCK_FREESTANDING) && __STDC_HOSTED__
#error "AIRLOCK_FREESTANDING needs -ffreestanding, or the compiler makes calls of a libc"
#endif

#define SDK_NAME "c"
#define SDK_VERSION "0.1"

/* ---- The contract ------------------------------------------------------- */

/*
 * Restated from abi/airlock_abi.h and abi/schema, so that two files are all that
 * a program needs. A test compares them.
 */
enum {
	ABI_VERSION = 3,
	ABI_SYSCALL = 511,
	PORT_NEXT = 0xa109,
	PORT_HOST = 0xa10a,
};

enum operation {
	OPERATION_INFO = 1,
	OPERATION_DECLARE = 2,
	OPERATION_NEXT = 3,
	OPERATION_HOST = 4,
	OPERATION_LOG = 5,
	OPERATION_ABORT = 6,
};

/* struct airlock_info */
struct info {
	uint32_t abi_version;
	uint32_t serve;
	uint64_t output;
	uint64_t output_size;
	uint64_t input;
	uint64_t input_size;
	uint64_t generation;
	uint64_t inbox;
	uint64_t outbox;
	uint64_t message;
	uint64_t leave;
};

/* struct airlock_outbox */
struct outbox {
	uint32_t sequence;
	uint32_t reserved[15];
};

/* struct airlock_message */
struct message {
	uint64_t length;
	uint64_t answer;
	int32_t result;
	uint32_t sequence;
};

/* struct airlock_inbox */
struct inbox {
	uint32_t sequence;
	uint32_t patience;
};

#define OPERATION_BITS 3u
#define PATIENCE_TICKS 1024u
#define PATIENCE_FOREVER 0xffffffffu

enum {
	MAX_MESSAGE = 0x7fffffff,
	OUTCOME_ERROR = AIRLOCK_VOID + 1, /* in the union Outcome, behind the types */
};

/* Identifiers of messages, as numbers with the first character in the lowest byte. */
#define ID(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define ID_CALL ID('A', 'L', 'F', 'C')
#define ID_RESULT ID('A', 'L', 'F', 'R')
#define ID_ERROR ID('A', 'L', 'E', 'R')
#define ID_LOG ID('A', 'L', 'L', 'R')
#define ID_DECLARATION ID('A', 'L', 'G', 'D')

/* ---- System calls ------------------------------------------------------- */

/* Of Linux on x86-64. */
enum {
	SYSCALL_WRITE = 1,
	SYSCALL_MMAP = 9,
	SYSCALL_FUTEX = 202,
	SYSCALL_EXIT_GROUP = 231,
	FUTEX_WAIT_PRIVATELY = 128,
	FUTEX_WAKE_PRIVATELY = 129,
	PROT_READ_WRITE = 3,
	MAP_PRIVATE_ANONYMOUS = 0x22,
	STDERR = 2,
	ERROR_IO = 5,
};

#ifdef AIRLOCK_TEST_KERNEL
/* The SDK's tests have a kernel of their own. */
int64_t raw_system_call(int64_t number, const int64_t *arguments);
#else
static inline int64_t raw_system_call(int64_t number, const int64_t *arguments)
{
	register int64_t fourth __asm__("r10") = arguments[3];
	register int64_t fifth __asm__("r8") = arguments[4];
	register int64_t sixth __asm__("r9") = arguments[5];
	int64_t result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth),
	                   "r"(fifth), "r"(sixth)
	                 : "rcx", "r11", "memory");
	return result;
}
#endif

/* A result, or a negative error number. */
static inline int64_t system_call(int64_t number, int64_t first, int64_t second, int64_t third, int64_t fourth)
{
	const int64_t arguments[6] = {first, second, third, fourth, -1, 0};

	return raw_system_call(number, arguments);
}

static int64_t operate(enum operation operation, size_t argument)
{
	return system_call(ABI_SYSCALL, operation, (int64_t)argument, 0, 0);
}

/* A hypercall, which every program of a sandbox may make. The host may have changed any memory when it returns. */
static inline void hypercall(uint16_t port) { __asm__ volatile("outl %0, %1" : : "a"(0), "d"(port) : "memory"); }

AIRLOCK_NORETURN static void exit_program(int status)
{
	for (;;)
		system_call(SYSCALL_EXIT_GROUP, status, 0, 0, 0);
}

/* Zeroed memory that is never given back, or NULL. Pages that nothing touches take none. */
static uint8_t *map_memory(size_t size)
{
	int64_t address = system_call(SYSCALL_MMAP, 0, (int64_t)size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS);

	return address < 0 ? NULL : (uint8_t *)(uintptr_t)address;
}

static void write_stderr(struct airlock_string text)
{
	system_call(SYSCALL_WRITE, STDERR, (int64_t)(uintptr_t)text.data, (int64_t)text.size, 0);
}

/*
 * Replaces one value of a word by another, and reports whether it had that. A
 * sandbox has one processor: an instruction is whole to all threads without the LOCK
 * prefix, which takes three times as long. Tests run on more.
 */
static inline bool replace(uint32_t *word, uint32_t from, uint32_t to)
{
#ifdef AIRLOCK_TEST_KERNEL
	return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
#else
	uint32_t found = from;

	__asm__ volatile("cmpxchgl %2, %1" : "+a"(found), "+m"(*word) : "r"(to) : "memory", "cc");
	return found == from;
#endif
}

/* A lock: 0 is free, 1 taken, 2 taken and waited for. It may be zeroed memory. */
static void lock(uint32_t *word)
{
	if (replace(word, 0, 1))
		return;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
		system_call(SYSCALL_FUTEX, (int64_t)(uintptr_t)word, FUTEX_WAIT_PRIVATELY, 2, 0);
}

static void unlock(uint32_t *word)
{
	if (replace(word, 1, 0))
		return;
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		system_call(SYSCALL_FUTEX, (int64_t)(uintptr_t)word, FUTEX_WAKE_PRIVATELY, 1, 0);
}

/* What happens at most once, and what is worth a copy at each place that calls it. */
#define COLD __attribute__((cold, noinline))
#define HOT inline __attribute__((always_inline))

/* ---- Memory and text ---------------------------------------------------- */

static inline void copy(void *to, const void *from, size_t size)
{
	if (size > 0) /* no bytes may be at no address */
		__builtin_memcpy(to, from, size);
}

static inline uint16_t load16(const uint8_t *at)
{
	uint16_t v;

	__builtin_memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint32_t load32(const uint8_t *at)
{
	uint32_t v;

	__builtin_memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint64_t load64(const uint8_t *at)
{
	uint64_t v;

	__builtin_memcpy(&v, at, sizeof(v));
	return v;
}

static inline void store32(uint8_t *at, uint32_t v) { __builtin_memcpy(at, &v, sizeof(v)); }

/* Whether the text up to its NUL is this name, in which there is no NUL. */
static bool is_called(const char *text, struct airlock_string name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (text[i] != name.data[i])
			return false;
	}
	return text[name.size] == 0;
}

/* The length of the UTF-8 character at the start of the text, or 0 if there is none. */
static size_t character(const uint8_t *text, size_t size)
{
	uint8_t first, low = 0x80, high = 0xbf; /* what the second byte may be */
	size_t length;

	if (size == 0)
		return 0;
	first = text[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (size < length)
		return 0;
	if (first == 0xe0)
		low = 0xa0; /* what is below has a shorter form */
	else if (first == 0xed)
		high = 0x9f; /* what is above is half of a surrogate pair */
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f; /* what is above is no character */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

static bool is_utf8(const void *text, size_t size)
{
	const uint8_t *at = (const uint8_t *)text;

	while (size > 0) {
		size_t length = 8;

		if (size < 8 || (load64(at) & 0x8080808080808080u) != 0)
			length = character(at, size);
		if (length == 0)
			return false;
		at += length;
		size -= length;
	}
	return true;
}

struct airlock_string airlock_text(const char *text)
{
	size_t size = 0;

	while (text != NULL && text[size] != 0)
		size++;
	return airlock_text_of(text, size);
}

struct airlock_string airlock_text_of(const char *text, size_t size)
{
	struct airlock_string string = {text, size};

	return string;
}

struct airlock_bytes airlock_bytes_of(const void *data, size_t size)
{
	struct airlock_bytes bytes = {(const uint8_t *)data, size};

	return bytes;
}

/* Text for people, of which the end is missing if it is too long. */
struct note {
	size_t size;
	char data[512]; /* a name, and words */
};

static void note_string(struct note *note, struct airlock_string text)
{
	size_t room = sizeof(note->data) - note->size;
	size_t size = text.size < room ? text.size : room;

	copy(note->data + note->size, text.data, size);
	note->size += size;
}

static void note_text(struct note *note, const char *text) { note_string(note, airlock_text(text)); }

static void note_number(struct note *note, size_t n)
{
	char digits[20];
	size_t start = sizeof(digits);

	do {
		digits[--start] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	note_string(note, airlock_text_of(digits + start, sizeof(digits) - start));
}

static struct airlock_string note_end(const struct note *note) { return airlock_text_of(note->data, note->size); }

/* ---- Values ------------------------------------------------------------- */

static const char *type_name(enum airlock_type type)
{
	static const char *const names[] = {
		"nothing known", "int32", "uint32", "int64", "uint64", "float32",
		"float64",       "bool",  "string", "bytes", "void",
	};

	return names[type <= AIRLOCK_VOID ? type : 0];
}

struct airlock_value airlock_value_int32(int32_t v)
{
	struct airlock_value value = {AIRLOCK_INT32, {0}};

	value.as.int32 = v;
	return value;
}

struct airlock_value airlock_value_uint32(uint32_t v)
{
	struct airlock_value value = {AIRLOCK_UINT32, {0}};

	value.as.uint32 = v;
	return value;
}

struct airlock_value airlock_value_int64(int64_t v)
{
	struct airlock_value value = {AIRLOCK_INT64, {0}};

	value.as.int64 = v;
	return value;
}

struct airlock_value airlock_value_uint64(uint64_t v)
{
	struct airlock_value value = {AIRLOCK_UINT64, {0}};

	value.as.uint64 = v;
	return value;
}

struct airlock_value airlock_value_float32(float v)
{
	struct airlock_value value = {AIRLOCK_FLOAT32, {0}};

	value.as.float32 = v;
	return value;
}

struct airlock_value airlock_value_float64(double v)
{
	struct airlock_value value = {AIRLOCK_FLOAT64, {0}};

	value.as.float64 = v;
	return value;
}

struct airlock_value airlock_value_bool(bool v)
{
	struct airlock_value value = {AIRLOCK_BOOL, {0}};

	value.as.boolean = v;
	return value;
}

struct airlock_value airlock_value_string(struct airlock_string v)
{
	struct airlock_value value = {AIRLOCK_STRING, {0}};

	value.as.string = v;
	return value;
}

struct airlock_value airlock_value_bytes(struct airlock_bytes v)
{
	struct airlock_value value = {AIRLOCK_BYTES, {0}};

	value.as.bytes = v;
	return value;
}

/* ---- Writing messages --------------------------------------------------- */

/*
 * A message is a FlatBuffer of abi/schema, written from its front to its end:
 * first a table, then what its offsets lead to. All fields are written, so that
 * each kind of table has one layout. Tables of the same layout share a vtable.
 */
enum shape {
	SHAPE_EMPTY,       /* no field */
	SHAPE_ONE,         /* one field of up to four bytes */
	SHAPE_LONG,        /* one field of eight bytes */
	SHAPE_TWO,         /* two fields of up to four bytes */
	SHAPE_FUNCTION,    /* name, parameters, type of the result */
	SHAPE_DECLARATION, /* exports, imports, SDK name, SDK version */
	SHAPE_LOG,         /* level, message, source, file, line, attributes */
	SHAPE_COUNT,
};

/* Its own size, the size of the table, and the places of the fields. */
static const uint16_t vtables[SHAPE_COUNT][8] = {
	{4, 4},
	{6, 8, 4},
	{6, 12, 4},
	{8, 12, 4, 8},
	{10, 16, 4, 8, 12},
	{12, 20, 4, 8, 12, 16},
	{16, 28, 4, 8, 12, 16, 20, 24},
};

struct writer {
	uint8_t *data;
	size_t size; /* of data; the position, once something had no room */
	size_t position;
	bool full;                     /* something had no room: the message is useless */
	uint32_t vtables[SHAPE_COUNT]; /* where they were written: 0 if they weren't yet */
};

static void start_writer(struct writer *w, uint8_t *data, size_t size)
{
	const struct writer empty = {data, size < MAX_MESSAGE ? size : MAX_MESSAGE, 0, false, {0}};

	*w = empty;
}

/* Room for so many bytes, or NULL from the first time on that there is not enough. */
static HOT uint8_t *take(struct writer *w, size_t size)
{
	uint8_t *at = w->data + w->position;

	if (size > w->size - w->position || w->full) {
		w->full = true;
		w->size = w->position;
		return NULL;
	}
	w->position += size;
	return at;
}

static void put(struct writer *w, const void *data, size_t size)
{
	uint8_t *at = take(w, size);

	if (at != NULL)
		copy(at, data, size);
}

static HOT void put32(struct writer *w, uint32_t v)
{
	uint8_t *at = take(w, sizeof(v));

	if (at != NULL)
		store32(at, v);
}

static void put_zero(struct writer *w)
{
	uint8_t *at = take(w, 1);

	if (at != NULL)
		*at = 0;
}

static HOT void align(struct writer *w, size_t unit)
{
	while (w->position % unit != 0 && !w->full)
		put_zero(w);
}

/* Leaves room for an offset or a length and returns its place. */
static size_t put_hole(struct writer *w)
{
	put32(w, 0);
	return w->position - 4;
}

static void fill(struct writer *w, size_t hole, size_t v)
{
	if (!w->full)
		store32(w->data + hole, (uint32_t)v);
}

/* Lets an offset lead to a position. */
static void lead(struct writer *w, size_t hole, size_t position) { fill(w, hole, position - hole); }

/* Starts a table to which the hole leads: its fields come next. */
static void put_table(struct writer *w, size_t hole, enum shape shape)
{
	size_t vtable = w->vtables[shape];

	if (vtable == 0) {
		align(w, 2);
		vtable = w->position;
		w->vtables[shape] = (uint32_t)vtable;
		put(w, vtables[shape], vtables[shape][0]);
	}
	align(w, 4);
	if (shape == SHAPE_LONG && w->position % 8 == 0)
		put32(w, 0); /* so that the field behind the next four bytes is aligned */
	lead(w, hole, w->position);
	put32(w, (uint32_t)(w->position - vtable));
}

/* Starts a message with a root table of that shape. */
static void put_header(struct writer *w, uint32_t id, enum shape shape)
{
	size_t root;

	put32(w, 0);
	root = put_hole(w);
	put32(w, id);
	put_table(w, root, shape);
}

/* Ends a message. False if it didn't fit. */
static bool put_end(struct writer *w)
{
	fill(w, 0, w->position - 4);
	return !w->full;
}

/* Starts a vector, whose items come next, and returns the place of its length. */
static size_t put_vector(struct writer *w, size_t hole, size_t length)
{
	align(w, 4);
	lead(w, hole, w->position);
	put32(w, (uint32_t)length);
	return w->position - 4;
}

/* A vector of offsets. Returns the first; the next is four bytes behind it. */
static size_t put_list(struct writer *w, size_t hole, size_t length)
{
	put_vector(w, hole, length);
	for (size_t i = 0; i < length; i++)
		put32(w, 0);
	return w->position - 4 * length;
}

static void put_bytes(struct writer *w, size_t hole, const void *data, size_t size)
{
	put_vector(w, hole, size);
	put(w, data, size);
}

static void put_string(struct writer *w, size_t hole, struct airlock_string text)
{
	put_bytes(w, hole, text.data, text.size);
	put_zero(w);
}

/*
 * Writes a text for people: what is not UTF-8 in it is replaced, and what goes
 * beyond the limit cut off.
 */
static void put_clean(struct writer *w, size_t hole, struct airlock_string text, size_t limit)
{
	static const char replacement[] = "\xef\xbf\xbd", ellipsis[] = "\xe2\x80\xa6";
	size_t length, start, keep; /* up to keep there is room for the ellipsis */

	if (text.size <= limit && is_utf8(text.data, text.size)) {
		put_string(w, hole, text);
		return;
	}
	length = put_vector(w, hole, 0);
	start = keep = w->position;
	for (size_t i = 0; i < text.size && !w->full;) {
		size_t size = character((const uint8_t *)text.data + i, text.size - i);
		size_t room = size > 0 ? size : sizeof(replacement) - 1;

		if (w->position - start + room > limit) {
			w->position = keep;
			put(w, ellipsis, sizeof(ellipsis) - 1);
			break;
		}
		put(w, size > 0 ? text.data + i : replacement, room);
		if (w->position - start + sizeof(ellipsis) - 1 <= limit)
			keep = w->position;
		i += size > 0 ? size : 1;
	}
	fill(w, length, w->position - start);
	put_zero(w);
}

/* The two fields of a union, and the table of its value. */
static void put_value(struct writer *w, const struct airlock_value *value)
{
	size_t hole;

	put32(w, value->type);
	hole = put_hole(w);
	switch (value->type) {
	case AIRLOCK_INT32:
	case AIRLOCK_UINT32:
	case AIRLOCK_FLOAT32:
		put_table(w, hole, SHAPE_ONE);
		put32(w, value->as.uint32);
		break;
	case AIRLOCK_BOOL:
		put_table(w, hole, SHAPE_ONE);
		put32(w, value->as.boolean);
		break;
	case AIRLOCK_INT64:
	case AIRLOCK_UINT64:
	case AIRLOCK_FLOAT64:
		put_table(w, hole, SHAPE_LONG);
		put(w, &value->as.uint64, sizeof(value->as.uint64));
		break;
	case AIRLOCK_STRING:
		put_table(w, hole, SHAPE_ONE);
		hole = put_hole(w);
		put_string(w, hole, value->as.string);
		break;
	case AIRLOCK_BYTES:
		put_table(w, hole, SHAPE_ONE);
		hole = put_hole(w);
		put_bytes(w, hole, value->as.bytes.data, value->as.bytes.size);
		break;
	case AIRLOCK_VOID:
		put_table(w, hole, SHAPE_EMPTY);
		break;
	}
}

/* Each of these writes a message, and returns false if it doesn't fit. */

static bool write_call(struct writer *w, struct airlock_string name, const struct airlock_value *arguments,
                       size_t count)
{
	size_t name_hole, list_hole, item;

	put_header(w, ID_CALL, SHAPE_TWO);
	name_hole = put_hole(w);
	list_hole = put_hole(w);
	put_string(w, name_hole, name);
	item = put_list(w, list_hole, count);
	for (size_t i = 0; i < count; i++, item += 4) {
		put_table(w, item, SHAPE_TWO);
		put_value(w, &arguments[i]);
	}
	return put_end(w);
}

static bool write_result(struct writer *w, const struct airlock_value *value)
{
	put_header(w, ID_RESULT, SHAPE_TWO);
	put_value(w, value);
	return put_end(w);
}

/* Starts a result whose bytes come next, and returns the place of their number. */
static size_t build_result_start(struct writer *w, enum airlock_type type)
{
	size_t hole;

	put_header(w, ID_RESULT, SHAPE_TWO);
	put32(w, type);
	hole = put_hole(w);
	put_table(w, hole, SHAPE_ONE);
	hole = put_hole(w);
	return put_vector(w, hole, 0);
}

/* The same. All of a type start alike: the first is kept. The writer writes no more tables after that. */
static size_t write_result_start(struct writer *w, enum airlock_type type)
{
	static struct {
		uint8_t bytes[64];
		size_t size, number; /* 0: it was not built yet */
	} starts[2];
	size_t index = type == AIRLOCK_BYTES;

	if (starts[index].size == 0) {
		struct writer builder;

		start_writer(&builder, starts[index].bytes, sizeof(starts[index].bytes));
		starts[index].number = build_result_start(&builder, type);
		starts[index].size = builder.position;
	}
	put(w, starts[index].bytes, starts[index].size);
	return starts[index].number;
}

static void put_error(struct writer *w, enum airlock_code code, struct airlock_string message)
{
	size_t hole;

	put32(w, code);
	hole = put_hole(w);
	put_clean(w, hole, message, AIRLOCK_MAX_ERROR);
}

static bool write_result_error(struct writer *w, enum airlock_code code, struct airlock_string message)
{
	size_t hole;

	put_header(w, ID_RESULT, SHAPE_TWO);
	put32(w, OUTCOME_ERROR);
	hole = put_hole(w);
	put_table(w, hole, SHAPE_TWO);
	put_error(w, code, message);
	return put_end(w);
}

static bool write_error(struct writer *w, enum airlock_code code, struct airlock_string message)
{
	put_header(w, ID_ERROR, SHAPE_TWO);
	put_error(w, code, message);
	return put_end(w);
}

static bool write_record(struct writer *w, const struct airlock_record *record)
{
	size_t message, source, file, attributes, item;

	if (record->level < AIRLOCK_LOG_TRACE || record->level > AIRLOCK_LOG_ERROR ||
	    record->attribute_count > AIRLOCK_MAX_ATTRIBUTES)
		return false;
	put_header(w, ID_LOG, SHAPE_LOG);
	put32(w, record->level);
	message = put_hole(w);
	source = put_hole(w);
	file = put_hole(w);
	put32(w, record->line);
	attributes = put_hole(w);
	put_clean(w, message, record->message, AIRLOCK_MAX_LOG);
	put_clean(w, source, record->source, AIRLOCK_MAX_SOURCE);
	put_clean(w, file, record->file, AIRLOCK_MAX_FILE);
	item = put_list(w, attributes, record->attribute_count);
	for (size_t i = 0; i < record->attribute_count; i++, item += 4) {
		size_t key, value;

		put_table(w, item, SHAPE_TWO);
		key = put_hole(w);
		value = put_hole(w);
		put_clean(w, key, record->attributes[i].key, AIRLOCK_MAX_KEY);
		put_clean(w, value, record->attributes[i].value, AIRLOCK_MAX_ATTRIBUTE);
	}
	return put_end(w);
}

static size_t count_parameters(const uint8_t *parameters)
{
	size_t count = 0;

	while (count < AIRLOCK_MAX_PARAMETERS && parameters[count] != 0)
		count++;
	return count;
}

static void put_function(struct writer *w, size_t item, const char *name, uint8_t result, const uint8_t *parameters)
{
	size_t name_hole, list_hole;

	put_table(w, item, SHAPE_FUNCTION);
	name_hole = put_hole(w);
	list_hole = put_hole(w);
	put32(w, result);
	put_string(w, name_hole, airlock_text(name));
	put_bytes(w, list_hole, parameters, count_parameters(parameters));
}

static bool write_declaration(struct writer *w, const struct airlock_program *program, struct airlock_string sdk_name,
                              struct airlock_string sdk_version)
{
	size_t exports, imports, name, version, item;

	put_header(w, ID_DECLARATION, SHAPE_DECLARATION);
	exports = put_hole(w);
	imports = put_hole(w);
	name = put_hole(w);
	version = put_hole(w);
	item = put_list(w, exports, program->function_count);
	for (size_t i = 0; i < program->function_count; i++, item += 4) {
		const struct airlock_function *f = &program->functions[i];

		put_function(w, item, f->name, f->result, f->parameters);
	}
	item = put_list(w, imports, program->import_count);
	for (size_t i = 0; i < program->import_count; i++, item += 4) {
		const struct airlock_import *f = program->imports[i];

		put_function(w, item, f->name, f->result, f->parameters);
	}
	put_string(w, name, sdk_name);
	put_string(w, version, sdk_version);
	return put_end(w);
}

/* ---- Reading messages --------------------------------------------------- */

/*
 * A message is verified while it is read, by the rules of the host's reader, and
 * what was read of one that is refused is not used. Sums of positions, which lie
 * in the message, and 32-bit numbers can't wrap.
 */
struct reader {
	const uint8_t *data; /* nobody else may change them meanwhile */
	size_t size;
	/*
	 * How many bytes were visited. They are more than the message has only if parts
	 * of it are used more than once, which is refused in the end (read_end).
	 */
	uint64_t visited;
};

/* For positions that are at most a few 32-bit numbers behind the end. */
static inline bool has(const struct reader *r, uint64_t position, uint64_t size) { return position + size <= r->size; }

static inline bool read_end(const struct reader *r) { return r->visited <= r->size; }

/* Where the offset at that position leads to: some byte behind it. */
static inline bool follow(const struct reader *r, uint64_t at, uint64_t *position)
{
	uint64_t offset = load32(r->data + at);

	*position = at + offset;
	return offset != 0 && offset < r->size - at;
}

/*
 * Reads the head of a table with fields of these widths: fields gets where they
 * are, 0 for those that are not there.
 */
static HOT bool read_table(struct reader *r, uint64_t table, const uint8_t *widths, size_t count, uint64_t *fields)
{
	uint64_t vtable, length, slots;

	if (table % 4 != 0 || !has(r, table, 4))
		return false;
	/* The number is signed. A vtable before the start becomes a position far behind the end. */
	vtable = table - (uint64_t)(int64_t)(int32_t)load32(r->data + table);
	if (vtable >= r->size || !has(r, vtable, 4) || vtable % 2 != 0)
		return false;
	length = load16(r->data + vtable);
	if (length < 4 || length % 2 != 0 || !has(r, vtable, length))
		return false;
	/* A field may lie beyond this size: some writers share vtables between tables of different sizes. */
	if (load16(r->data + vtable + 2) < 4 || !has(r, table, load16(r->data + vtable + 2)))
		return false;
	slots = (length - 4) / 2;
	if (slots > count)
		return false;
	r->visited += 4;
	for (size_t i = 0; i < count; i++) {
		uint64_t offset = i < slots ? load16(r->data + vtable + 4 + 2 * i) : 0;

		fields[i] = offset == 0 ? 0 : table + offset;
		if (offset == 0)
			continue;
		if (offset < 4 || !has(r, table + offset, widths[i]) || ((table + offset) & (widths[i] - 1u)) != 0)
			return false;
		r->visited += widths[i];
	}
	return true;
}

/* Reads where the items of a vector are and how many. A limit of 0 is none. */
static bool read_vector(struct reader *r, uint64_t at, uint64_t width, uint64_t limit, uint64_t *start,
                        uint64_t *length)
{
	uint64_t position;

	if (!follow(r, at, &position) || position % 4 != 0 || !has(r, position, 4))
		return false;
	*start = position + 4;
	*length = load32(r->data + position);
	r->visited += 4 + *length * width;
	return has(r, *start, *length * width) && (limit == 0 || *length <= limit);
}

static bool read_string(struct reader *r, uint64_t at, uint64_t limit, struct airlock_string *string)
{
	uint64_t start, size;

	if (!read_vector(r, at, 1, limit, &start, &size) || !has(r, start + size, 1) || r->data[start + size] != 0)
		return false;
	*string = airlock_text_of((const char *)r->data + start, size);
	r->visited += 1;
	return is_utf8(string->data, string->size);
}

/* A name has at least one byte and no NUL. */
static bool is_name(struct airlock_string name)
{
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] == 0)
			return false;
	}
	return name.size > 0;
}

static bool read_header(struct reader *r, uint32_t id, uint64_t *root)
{
	return r->size <= MAX_MESSAGE && r->size >= 12 && load32(r->data) == r->size - 4 && load32(r->data + 8) == id &&
	       follow(r, 4, root);
}

/* Reads the table of a value of the type. */
static bool read_typed(struct reader *r, uint64_t table, uint8_t type, struct airlock_value *value)
{
	static const uint8_t widths[] = {0, 4, 4, 8, 8, 4, 8, 1, 4, 4, 0};
	uint64_t field = 0, start, size;

	value->type = (enum airlock_type)type;
	value->as.uint64 = 0;
	if (!read_table(r, table, &widths[type], type != AIRLOCK_VOID, &field))
		return false;
	switch (value->type) {
	case AIRLOCK_INT32:
	case AIRLOCK_UINT32:
	case AIRLOCK_FLOAT32:
		if (field != 0)
			value->as.uint32 = load32(r->data + field);
		return true;
	case AIRLOCK_INT64:
	case AIRLOCK_UINT64:
	case AIRLOCK_FLOAT64:
		if (field != 0)
			value->as.uint64 = load64(r->data + field);
		return true;
	case AIRLOCK_BOOL:
		value->as.boolean = field != 0 && r->data[field] != 0;
		return field == 0 || r->data[field] <= 1;
	case AIRLOCK_STRING:
		return field != 0 && read_string(r, field, 0, &value->as.string);
	case AIRLOCK_BYTES:
		if (field == 0 || !read_vector(r, field, 1, 0, &start, &size))
			return false;
		value->as.bytes = airlock_bytes_of(r->data + start, size);
		return true;
	case AIRLOCK_VOID:
		return true;
	}
	return false;
}

/* A table whose two fields are a union: its type and its value. */
static bool read_union(struct reader *r, uint64_t table, uint8_t last, uint8_t *type, uint64_t *value)
{
	static const uint8_t widths[] = {1, 4};
	uint64_t fields[2];

	if (!read_table(r, table, widths, AIRLOCK_COUNT(widths), fields) || fields[0] == 0 || fields[1] == 0)
		return false;
	*type = r->data[fields[0]];
	return *type != 0 && *type <= last && follow(r, fields[1], value);
}

/* A call, which is made of parts of the message that it was read from. */
struct request {
	struct airlock_string name;
	size_t count;
	struct airlock_value arguments[AIRLOCK_MAX_PARAMETERS];
};

static bool read_call(const uint8_t *data, size_t size, struct request *request)
{
	static const uint8_t widths[] = {4, 4};
	struct reader r = {data, size, 0};
	uint64_t root, fields[2], item = 0, count = 0;

	if (!read_header(&r, ID_CALL, &root) || !read_table(&r, root, widths, AIRLOCK_COUNT(widths), fields) ||
	    fields[0] == 0 || !read_string(&r, fields[0], AIRLOCK_MAX_NAME, &request->name) || !is_name(request->name))
		return false;
	if (fields[1] != 0 && !read_vector(&r, fields[1], 4, AIRLOCK_MAX_PARAMETERS, &item, &count))
		return false;
	for (size_t i = 0; i < count; i++, item += 4) {
		uint64_t table, value;
		uint8_t type;

		if (!follow(&r, item, &table) || !read_union(&r, table, AIRLOCK_BYTES, &type, &value) ||
		    !read_typed(&r, value, type, &request->arguments[i]))
			return false;
	}
	request->count = count;
	return read_end(&r);
}

/* What a function of the host answered: a value, or a code and a string. */
struct outcome {
	enum airlock_code code;
	struct airlock_value value;
};

static bool read_result(const uint8_t *data, size_t size, struct outcome *outcome)
{
	static const uint8_t widths[] = {1, 4}; /* of an error */
	struct reader r = {data, size, 0};
	uint64_t root, value, fields[2];
	uint8_t type;

	if (!read_header(&r, ID_RESULT, &root) || !read_union(&r, root, OUTCOME_ERROR, &type, &value))
		return false;
	outcome->code = AIRLOCK_OK;
	if (type != OUTCOME_ERROR)
		return read_typed(&r, value, type, &outcome->value) && read_end(&r);
	if (!read_table(&r, value, widths, AIRLOCK_COUNT(widths), fields) || fields[0] == 0 || fields[1] == 0)
		return false;
	outcome->code = (enum airlock_code)r.data[fields[0]];
	outcome->value.type = AIRLOCK_STRING;
	return outcome->code != AIRLOCK_OK && outcome->code <= AIRLOCK_ABORTED &&
	       read_string(&r, fields[1], AIRLOCK_MAX_ERROR, &outcome->value.as.string) && read_end(&r);
}

/* ---- The exchange of messages ------------------------------------------- */

/* What a handler has returned so far. */
enum result_state {
	RESULT_NONE,
	RESULT_VALUE, /* in value */
	RESULT_BYTES, /* at the start of the output buffer, as far as it goes */
	RESULT_ERROR, /* in message */
};

struct airlock_call {
	const struct airlock_function *function; /* that runs, or NULL */
	struct request request;                  /* parts of channel.call */
	enum result_state state;
	enum airlock_code code; /* of an error */
	struct airlock_value value;
	struct writer writer; /* of the bytes */
	size_t length;        /* where their number is */
	/* What is longer is cut off when it is sent. So much more says that it is longer. */
	char message[AIRLOCK_MAX_ERROR + 4];
	size_t message_size;
};

/* The one call that there is at a time. */
static struct airlock_call current;

/*
 * The message buffers, which are shared with the host, and memory beside them.
 * Any message overwrites both buffers. A call is therefore copied before it is
 * read, and a result that is in the output buffer already waits aside while a
 * handler, or another thread, sends something else.
 */
static struct {
	uint32_t lock; /* of everything here and of the result in current */
	bool connected;
	uint8_t *output;
	size_t output_size;
	const uint8_t *input;
	size_t input_size;
	uint8_t *call;
	uint8_t *aside;
	struct outbox *outbox;
	const struct inbox *inbox;
	volatile struct message *message;
	const uint32_t *leave;
	const uint64_t *generation; /* changes when the sandbox is restored, or NULL */
	uint64_t seen;
} channel;

/* Says why there are no message buffers, or returns true if there are. */
static bool check_info(const struct info *info, int64_t error, struct note *why)
{
	if (error != 0) {
		note_text(why, "it is not in an Airlock sandbox");
	} else if (info->abi_version != ABI_VERSION) {
		note_text(why, "it was built for ABI version ");
		note_number(why, ABI_VERSION);
		note_text(why, ", and the sandbox has ");
		note_number(why, info->abi_version);
	} else if (info->serve == 0) {
		note_text(why, "it was run, and not called: see \"airlock call\"");
	} else {
		return true;
	}
	return false;
}

/* Finds the message buffers, or says why there are none. */
static bool find_buffers(struct note *why)
{
	union {
		struct info info;
		uint8_t room[256]; /* the kernel of another version may have more to say */
	} answer = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
	const struct info *info = &answer.info;

	if (!check_info(info, operate(OPERATION_INFO, (size_t)(uintptr_t)&answer), why))
		return false;
	channel.call = map_memory(info->input_size + info->output_size);
	if (channel.call == NULL) {
		note_text(why, "there is no memory for messages");
		return false;
	}
	channel.aside = channel.call + info->input_size;
	channel.output = (uint8_t *)(uintptr_t)info->output;
	channel.output_size = info->output_size;
	channel.input = (const uint8_t *)(uintptr_t)info->input;
	channel.input_size = info->input_size;
	channel.outbox = (struct outbox *)(uintptr_t)info->outbox;
	channel.message = (volatile struct message *)(uintptr_t)info->message;
	channel.leave = (const uint32_t *)(uintptr_t)info->leave;
	channel.inbox = (const struct inbox *)(uintptr_t)info->inbox;
	channel.generation = (const uint64_t *)(uintptr_t)info->generation;
	if (channel.generation != NULL)
		channel.seen = __atomic_load_n(channel.generation, __ATOMIC_RELAXED);
	__atomic_store_n(&channel.connected, true, __ATOMIC_RELEASE);
	return true;
}

/* Waits for the answer to a message in the outbox. Returns false when it has waited for as long as it may. */
static bool watch(uint32_t sequence)
{
	const unsigned rounds = 32; /* a look at the clock takes as long as a few at the inbox */
	uint64_t start = 0;

	for (unsigned round = 1;; round++) {
		uint32_t patience;

		if (__atomic_load_n(&channel.inbox->sequence, __ATOMIC_ACQUIRE) == sequence)
			return true;
		__builtin_ia32_pause();
		if (round % rounds != 0)
			continue;
		if (start == 0) {
			start = __builtin_ia32_rdtsc();
			/* The host stores its patience and then looks at the outbox: one of both sees what the other stored. */
			__asm__ volatile("mfence" : : : "memory");
		}
		patience = __atomic_load_n(&channel.inbox->patience, __ATOMIC_RELAXED);
		if (patience != PATIENCE_FOREVER &&
		    __builtin_ia32_rdtsc() - start >= (uint64_t)patience * PATIENCE_TICKS)
			return false;
	}
}

/*
 * Begins to get both buffers, which the host has used on another processor, into
 * the cache: the input as far as it is short, to be read, and the output as far as
 * the last message went, to be written. The next may well be as long.
 */
static void prefetch_buffers(size_t size)
{
	for (size_t at = 0; at < 256; at += 64)
		__builtin_prefetch(channel.input + at);
	for (size_t at = 0; at < size && at < 512; at += 64)
		__asm__ volatile("prefetchw %0" : : "m"(channel.output[at]));
}

/* Sends a message by leaving the machine. */
static int64_t leave_with(enum operation operation, size_t size, uint32_t sequence)
{
	volatile struct message *message = channel.message;

	message->length = size;
	message->answer = 0;
	message->result = -ERROR_IO;
	message->sequence = sequence;
	hypercall(operation == OPERATION_NEXT ? PORT_NEXT : PORT_HOST);
	return message->result < 0 ? message->result : (int64_t)message->answer;
}

/*
 * Gets the message in the output buffer to the host, and returns the length of
 * the answer in the input buffer, or a negative error number. How is said with
 * struct airlock_outbox in airlock_abi.h: by way of the outbox if the host may be
 * watching that, else by leaving the machine, which the kernel does if it has
 * something for the host as well.
 */
static int64_t pass(enum operation operation, size_t size)
{
	uint32_t sequence;

	if (channel.leave == NULL || __atomic_load_n(channel.leave, __ATOMIC_RELAXED) != 0)
		return operate(operation, size);
	if (__atomic_load_n(&channel.inbox->patience, __ATOMIC_RELAXED) == 0)
		return leave_with(operation, size, 0);
	sequence = ((channel.outbox->sequence >> OPERATION_BITS) + 1) << OPERATION_BITS | operation;
	__atomic_store_n(&channel.outbox->sequence, sequence, __ATOMIC_RELEASE);
	if (!watch(sequence))
		return leave_with(operation, size, sequence);
	prefetch_buffers(size);
	return (int64_t)load32(channel.input) + 4;
}

/* Connects with the host, once, or says why it can't. */
static bool connect_host(struct note *why)
{
	bool connected;

	why->size = 0;
	lock(&channel.lock);
	connected = channel.connected || find_buffers(why);
	unlock(&channel.lock);
	return connected;
}

/* The same for who needs no reason. */
static COLD bool reconnect(void)
{
	struct note why;

	return connect_host(&why);
}

/* Takes the buffers for a message. Returns false, without them, if there are none. */
static bool begin_message(struct writer *w)
{
	if (!__atomic_load_n(&channel.connected, __ATOMIC_ACQUIRE) && !reconnect())
		return false;
	lock(&channel.lock);
	if (current.state == RESULT_BYTES)
		copy(channel.aside, channel.output, current.writer.position);
	start_writer(w, channel.output, channel.output_size);
	return true;
}

static void end_message(void)
{
	if (current.state == RESULT_BYTES)
		copy(channel.output, channel.aside, current.writer.position);
	unlock(&channel.lock);
}

/* True if the sandbox was restored since it was asked last. */
static bool restored(void)
{
	uint64_t before = channel.seen;

	if (channel.generation != NULL)
		channel.seen = __atomic_load_n(channel.generation, __ATOMIC_RELAXED);
	return channel.seen != before;
}

/* ---- The end of the program --------------------------------------------- */

AIRLOCK_NORETURN static COLD void abort_program(enum airlock_code code, struct airlock_string message)
{
	struct writer w;

	if (begin_message(&w) && write_error(&w, code, message))
		operate(OPERATION_ABORT, w.position);
	/* Only if the host did not listen. */
	write_stderr(message);
	write_stderr(airlock_text("\n"));
	exit_program(1);
}

void airlock_abort(const char *message) { abort_program(AIRLOCK_ABORTED, airlock_text(message)); }

/* Ends a program whose author has made a mistake with a function: its name, and up to four words about it. */
AIRLOCK_NORETURN static COLD void mistake(const char *name, const char *what, const char *more, const char *rest)
{
	struct note note;

	note.size = 0;
	note_text(&note, name);
	note_text(&note, ": ");
	note_text(&note, what);
	note_text(&note, more);
	note_text(&note, rest);
	abort_program(AIRLOCK_PANICKED, note_end(&note));
}

/* Ends a program that has nobody to serve. */
AIRLOCK_NORETURN static COLD void stop(struct airlock_string reason)
{
	write_stderr(airlock_text("this program serves function calls: "));
	write_stderr(reason);
	write_stderr(airlock_text("\n"));
	exit_program(1);
}

/* ---- Calls and their results -------------------------------------------- */

/* Ends a program that read an argument as another type than the one declared. */
AIRLOCK_NORETURN static COLD void wrong_argument(const struct airlock_call *call, size_t index, enum airlock_type type)
{
	struct note note;

	if (call->function == NULL)
		mistake("argument", "it was read when no call was in progress", NULL, NULL);
	note.size = 0;
	note_text(&note, call->function->name);
	note_text(&note, ": argument ");
	note_number(&note, index);
	note_text(&note, " was read as ");
	note_text(&note, type_name(type));
	note_text(&note, " and is ");
	note_text(&note, index < call->request.count ? type_name(call->request.arguments[index].type) : "not there");
	abort_program(AIRLOCK_PANICKED, note_end(&note));
}

static const struct airlock_value *argument(const struct airlock_call *call, size_t index, enum airlock_type type)
{
	if (call->function == NULL || index >= call->request.count || call->request.arguments[index].type != type)
		wrong_argument(call, index, type);
	return &call->request.arguments[index];
}

int32_t airlock_argument_int32(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_INT32)->as.int32;
}

uint32_t airlock_argument_uint32(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_UINT32)->as.uint32;
}

int64_t airlock_argument_int64(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_INT64)->as.int64;
}

uint64_t airlock_argument_uint64(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_UINT64)->as.uint64;
}

float airlock_argument_float32(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_FLOAT32)->as.float32;
}

double airlock_argument_float64(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_FLOAT64)->as.float64;
}

bool airlock_argument_bool(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_BOOL)->as.boolean;
}

struct airlock_string airlock_argument_string(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_STRING)->as.string;
}

struct airlock_bytes airlock_argument_bytes(const struct airlock_call *call, size_t index)
{
	return argument(call, index, AIRLOCK_BYTES)->as.bytes;
}

/* Ends a program that returns another type than the one declared. */
static void check_result(const struct airlock_call *call, enum airlock_type type)
{
	if (call->function == NULL)
		mistake("result", "it was returned when no call was in progress", NULL, NULL);
	if (call->function->result != type)
		mistake(call->function->name, type_name(type), " was returned, and is declared to be ",
		        type_name((enum airlock_type)call->function->result));
}

static void return_value(struct airlock_call *call, struct airlock_value value)
{
	check_result(call, value.type);
	lock(&channel.lock);
	call->state = RESULT_VALUE;
	call->value = value;
	unlock(&channel.lock);
}

static void return_bytes(struct airlock_call *call, enum airlock_type type, const void *data, size_t size)
{
	check_result(call, type);
	lock(&channel.lock);
	call->state = RESULT_BYTES;
	start_writer(&call->writer, channel.output, channel.output_size);
	call->length = write_result_start(&call->writer, type);
	put(&call->writer, data, size);
	unlock(&channel.lock);
}

static void append_message(struct airlock_call *call, const void *data, size_t size)
{
	size_t room = sizeof(call->message) - call->message_size;

	if (size > room)
		size = room;
	copy(call->message + call->message_size, data, size);
	call->message_size += size;
}

static void append(struct airlock_call *call, const void *data, size_t size)
{
	enum result_state state;

	lock(&channel.lock);
	state = call->state;
	if (state == RESULT_BYTES)
		put(&call->writer, data, size);
	else if (state == RESULT_ERROR)
		append_message(call, data, size);
	unlock(&channel.lock);
	if (state == RESULT_NONE || state == RESULT_VALUE)
		mistake(call->function != NULL ? call->function->name : "result",
		        "appended to a result that is no string, bytes or error", NULL, NULL);
}

/* Makes the call fail. */
static void fail(struct airlock_call *call, enum airlock_code code, struct airlock_string message)
{
	lock(&channel.lock);
	call->state = RESULT_ERROR;
	call->code = code;
	call->message_size = 0;
	append_message(call, message.data, message.size);
	unlock(&channel.lock);
}

void airlock_return_int32(struct airlock_call *call, int32_t v) { return_value(call, airlock_value_int32(v)); }
void airlock_return_uint32(struct airlock_call *call, uint32_t v) { return_value(call, airlock_value_uint32(v)); }
void airlock_return_int64(struct airlock_call *call, int64_t v) { return_value(call, airlock_value_int64(v)); }
void airlock_return_uint64(struct airlock_call *call, uint64_t v) { return_value(call, airlock_value_uint64(v)); }
void airlock_return_float32(struct airlock_call *call, float v) { return_value(call, airlock_value_float32(v)); }
void airlock_return_float64(struct airlock_call *call, double v) { return_value(call, airlock_value_float64(v)); }
void airlock_return_bool(struct airlock_call *call, bool v) { return_value(call, airlock_value_bool(v)); }

void airlock_return_string(struct airlock_call *call, struct airlock_string v)
{
	return_bytes(call, AIRLOCK_STRING, v.data, v.size);
}

void airlock_return_bytes(struct airlock_call *call, struct airlock_bytes v)
{
	return_bytes(call, AIRLOCK_BYTES, v.data, v.size);
}

void airlock_return_error(struct airlock_call *call, const char *message)
{
	if (call->function == NULL)
		mistake("error", "it was returned when no call was in progress", NULL, NULL);
	fail(call, AIRLOCK_FAILED, airlock_text(message));
}

void airlock_append_string(struct airlock_call *call, struct airlock_string v) { append(call, v.data, v.size); }
void airlock_append_bytes(struct airlock_call *call, struct airlock_bytes v) { append(call, v.data, v.size); }

/* Ends the message of a result that is in the output buffer. Returns why it can't be sent, or NULL. */
static const char *finish_bytes(struct airlock_call *call)
{
	struct writer *w = &call->writer;
	size_t start = call->length + 4, size = w->position - start;

	call->code = AIRLOCK_TOO_LARGE;
	if (w->full)
		return "the result does not fit into the message buffer";
	fill(w, call->length, size);
	if (call->function->result == AIRLOCK_STRING) {
		put_zero(w);
		if (!is_utf8(w->data + start, size)) {
			call->code = AIRLOCK_FAILED;
			return "the result is a string that is not valid UTF-8";
		}
	}
	return put_end(w) ? NULL : "the result does not fit into the message buffer";
}

/* Makes the message that ends the call, in the output buffer, and returns its size. */
static size_t finish_call(struct airlock_call *call)
{
	const char *problem = NULL;
	struct writer w;

	if (call->state == RESULT_BYTES) {
		problem = finish_bytes(call);
		if (problem == NULL)
			return call->writer.position;
	}
	start_writer(&w, channel.output, channel.output_size);
	if (problem != NULL)
		write_result_error(&w, call->code, airlock_text(problem));
	else if (call->state == RESULT_ERROR)
		write_result_error(&w, call->code, airlock_text_of(call->message, call->message_size));
	else
		write_result(&w, &call->value);
	return w.position;
}

/* ---- What repeats ------------------------------------------------------- */

/*
 * Most messages are of the same function as the one before, and end with one
 * text or some bytes: all that comes before the number of those is the same then.
 */

/* Where the number of a value's bytes is, if these end the message; else 0. */
static size_t find_tail(const uint8_t *message, size_t size, const struct airlock_value *value)
{
	const void *start = NULL;
	size_t tail = 0;

	if (value->type == AIRLOCK_STRING) {
		start = value->as.string.data;
		tail = value->as.string.size + 1;
	} else if (value->type == AIRLOCK_BYTES) {
		start = value->as.bytes.data;
		tail = value->as.bytes.size;
	}
	if (start == NULL || (const uint8_t *)start != message + size - tail)
		return 0;
	return size - tail - sizeof(uint32_t);
}

/* Reads a value whose number of bytes is there, and has its type. False if the message doesn't end with it. */
static bool read_tail(const uint8_t *message, size_t size, size_t at, struct airlock_value *value)
{
	const uint8_t *start = message + at + sizeof(uint32_t);
	uint64_t length = load32(message + at);

	if (value->type == AIRLOCK_BYTES) {
		value->as.bytes = airlock_bytes_of(start, length);
		return at + sizeof(uint32_t) + length == size;
	}
	value->as.string = airlock_text_of((const char *)start, length);
	return at + sizeof(uint32_t) + length + 1 == size && start[length] == 0 && is_utf8(start, length);
}

/* True if a message begins with these bytes, but for its size, which has to be right, and goes on behind them. */
static bool begins_with(const uint8_t *message, size_t size, const uint8_t *bytes, size_t count)
{
	const size_t prefix = sizeof(uint32_t);

	return count > 0 && size >= count + sizeof(uint32_t) && load32(message) == size - prefix &&
	       __builtin_memcmp(message + prefix, bytes + prefix, count - prefix) == 0;
}

/* ---- The host ----------------------------------------------------------- */

/* The last call of the host, and its last answer, as far as the next ones may repeat them. */
static struct {
	const struct airlock_import *function; /* NULL: there is nothing to repeat */
	uint8_t bytes[192];
	size_t size;
} asked;

static struct {
	enum airlock_type type;
	uint8_t bytes[64];
	size_t size; /* 0: there is nothing to repeat */
} answered;

/* Writes a call of the host. False if it doesn't fit. */
static bool write_ask(struct writer *w, const struct airlock_import *function, const struct airlock_value *arguments,
                      size_t count)
{
	size_t fixed, size;

	if (count == 1 && asked.function == function) {
		const bool is_text = arguments->type == AIRLOCK_STRING;

		size = is_text ? arguments->as.string.size : arguments->as.bytes.size;
		put(w, asked.bytes, asked.size);
		put32(w, (uint32_t)size);
		put(w, is_text ? (const void *)arguments->as.string.data : arguments->as.bytes.data, size);
		if (is_text)
			put_zero(w);
		return put_end(w);
	}
	asked.function = NULL;
	if (!write_call(w, airlock_text(function->name), arguments, count))
		return false;
	if (count != 1 || (arguments->type != AIRLOCK_STRING && arguments->type != AIRLOCK_BYTES))
		return true;
	size = arguments->type == AIRLOCK_STRING ? arguments->as.string.size + 1 : arguments->as.bytes.size;
	fixed = w->position - size - sizeof(uint32_t);
	if (fixed <= sizeof(asked.bytes)) {
		copy(asked.bytes, w->data, fixed);
		asked.size = fixed;
		asked.function = function;
	}
	return true;
}

/* Reads the host's answer. False if it is not a result. */
static bool read_answer(const uint8_t *message, size_t size, struct outcome *outcome)
{
	if (begins_with(message, size, answered.bytes, answered.size)) {
		outcome->code = AIRLOCK_OK;
		outcome->value.type = answered.type;
		if (read_tail(message, size, answered.size, &outcome->value))
			return true;
	}
	answered.size = 0;
	if (!read_result(message, size, outcome))
		return false;
	if (outcome->code == AIRLOCK_OK) {
		size_t fixed = find_tail(message, size, &outcome->value);

		if (fixed > 0 && fixed <= sizeof(answered.bytes)) {
			copy(answered.bytes, message, fixed);
			answered.type = outcome->value.type;
			answered.size = fixed;
		}
	}
	return true;
}

static enum airlock_code refuse(struct airlock_value *value, enum airlock_code code, const char *why)
{
	*value = airlock_value_string(airlock_text(why));
	return code;
}

/* Refuses arguments that are not those of the function, or can't be sent. */
static enum airlock_code check_arguments(const struct airlock_import *function, const struct airlock_value *arguments,
                                         size_t count, struct airlock_value *value)
{
	struct airlock_string name = airlock_text(function->name);

	if (name.size == 0 || name.size > AIRLOCK_MAX_NAME || !is_utf8(name.data, name.size))
		return refuse(value, AIRLOCK_MALFORMED, "the function's name is not one");
	for (size_t i = 0; i < count; i++) {
		if (arguments == NULL || arguments[i].type != function->parameters[i] ||
		    arguments[i].type > AIRLOCK_BYTES)
			return refuse(value, AIRLOCK_WRONG_PARAMETERS, "the arguments are not those of the import");
		if (arguments[i].type == AIRLOCK_STRING &&
		    !is_utf8(arguments[i].as.string.data, arguments[i].as.string.size))
			return refuse(value, AIRLOCK_MALFORMED, "an argument is a string that is not valid UTF-8");
	}
	return AIRLOCK_OK;
}

/* Calls the host. The value, or the string that says why there is none, may be a part of the input buffer. */
static enum airlock_code ask_host(struct writer *w, const struct airlock_import *function,
                                  const struct airlock_value *arguments, struct airlock_value *value)
{
	size_t count = count_parameters(function->parameters);
	enum airlock_code code = check_arguments(function, arguments, count, value);
	struct outcome outcome;
	int64_t length;

	if (code != AIRLOCK_OK)
		return code;
	if (!write_ask(w, function, arguments, count))
		return refuse(value, AIRLOCK_TOO_LARGE, "the arguments do not fit into the message buffer");
	length = pass(OPERATION_HOST, w->position);
	if (length < 0)
		return refuse(value, AIRLOCK_DENIED, "the host takes no calls now");
	if ((uint64_t)length > channel.input_size || !read_answer(channel.input, (size_t)length, &outcome))
		return refuse(value, AIRLOCK_MALFORMED, "the host's answer is not a result");
	if (outcome.code == AIRLOCK_OK && outcome.value.type != function->result)
		return refuse(value, AIRLOCK_MALFORMED, "the host's result has another type than the import");
	*value = outcome.value;
	return outcome.code;
}

/* Copies a text and a NUL to the caller's buffer, as far as there is room, and not half a character. */
static struct airlock_string copy_text(void *buffer, size_t capacity, struct airlock_string text)
{
	size_t size = text.size;

	if (capacity == 0)
		return airlock_text_of("", 0);
	if (size >= capacity) {
		size = capacity - 1;
		while (size > 0 && ((uint8_t)text.data[size] & 0xc0) == 0x80)
			size--;
	}
	copy(buffer, text.data, size);
	((char *)buffer)[size] = 0;
	return airlock_text_of((const char *)buffer, size);
}

/* Gives the caller what the host has answered. */
static enum airlock_code deliver(enum airlock_code code, const struct airlock_value *value,
                                 struct airlock_value *result, void *buffer, size_t capacity)
{
	static const char small[] = "the result does not fit into the buffer that was given for it";

	if (code == AIRLOCK_OK && value->type == AIRLOCK_STRING && value->as.string.size >= capacity) {
		*result = airlock_value_string(copy_text(buffer, capacity, airlock_text(small)));
		return AIRLOCK_TOO_LARGE;
	}
	if (code == AIRLOCK_OK && value->type == AIRLOCK_BYTES && value->as.bytes.size > capacity) {
		*result = airlock_value_string(copy_text(buffer, capacity, airlock_text(small)));
		return AIRLOCK_TOO_LARGE;
	}
	*result = *value;
	if (value->type == AIRLOCK_STRING) {
		result->as.string = copy_text(buffer, capacity, value->as.string);
	} else if (value->type == AIRLOCK_BYTES) {
		copy(buffer, value->as.bytes.data, value->as.bytes.size);
		result->as.bytes = airlock_bytes_of(buffer, value->as.bytes.size);
	}
	return code;
}

enum airlock_code airlock_call_host(const struct airlock_import *function, const struct airlock_value *arguments,
                                    struct airlock_value *result, void *buffer, size_t capacity)
{
	struct airlock_value value;
	enum airlock_code code;
	struct writer w;

	if (!begin_message(&w)) {
		code = refuse(&value, AIRLOCK_DENIED, "there is no host that calls this program");
		return result == NULL ? code : deliver(code, &value, result, buffer, capacity);
	}
	code = ask_host(&w, function, arguments, &value);
	if (result != NULL)
		code = deliver(code, &value, result, buffer, capacity);
	end_message();
	return code;
}

bool airlock_log_record(const struct airlock_record *record)
{
	struct writer w;
	bool sent;

	if (!begin_message(&w))
		return false;
	sent = write_record(&w, record) && operate(OPERATION_LOG, w.position) >= 0;
	end_message();
	return sent;
}

bool airlock_log(enum airlock_level level, const char *source, const char *message)
{
	struct airlock_record record = {level, {NULL, 0}, {NULL, 0}, {NULL, 0}, 0, NULL, 0};

	record.source = airlock_text(source);
	record.message = airlock_text(message);
	return airlock_log_record(&record);
}

/* ---- Serving ------------------------------------------------------------ */

/* The exports by name: a hash table of their indexes plus one, at most half full. */
static const struct airlock_function *exports;
static uint16_t export_slots[2 * AIRLOCK_MAX_FUNCTIONS];

static size_t hash(struct airlock_string name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < name.size; i++)
		h = (h ^ (uint8_t)name.data[i]) * 16777619u;
	return h % AIRLOCK_COUNT(export_slots);
}

static const struct airlock_function *find_export(struct airlock_string name)
{
	for (size_t at = hash(name); export_slots[at] != 0; at = (at + 1) % AIRLOCK_COUNT(export_slots)) {
		const struct airlock_function *function = &exports[export_slots[at] - 1];

		if (is_called(function->name, name))
			return function;
	}
	return NULL;
}

static void check_function(const char *name, uint8_t result, const uint8_t *parameters)
{
	struct airlock_string text = airlock_text(name);

	if (text.size == 0 || text.size > AIRLOCK_MAX_NAME || !is_utf8(text.data, text.size))
		mistake(name, "a function's name is 1 to 255 bytes of UTF-8", NULL, NULL);
	if (result < AIRLOCK_INT32 || result > AIRLOCK_VOID)
		mistake(name, "the type of its result is not one", NULL, NULL);
	for (size_t i = 0; i < count_parameters(parameters); i++) {
		if (parameters[i] > AIRLOCK_BYTES)
			mistake(name, "the type of a parameter is not one", NULL, NULL);
	}
}

/* Checks what the program exports and needs, and fills the table of exports. */
static void check_program(const struct airlock_program *program)
{
	if (program->function_count > AIRLOCK_MAX_FUNCTIONS || program->import_count > AIRLOCK_MAX_FUNCTIONS)
		mistake("airlock_serve", "there are more than 1024 exports or imports", NULL, NULL);
	for (size_t i = 0; i < program->import_count; i++) {
		const struct airlock_import *function = program->imports[i];

		check_function(function->name, function->result, function->parameters);
		for (size_t j = 0; j < i; j++) {
			if (is_called(program->imports[j]->name, airlock_text(function->name)))
				mistake(function->name, "it is imported twice", NULL, NULL);
		}
	}
	exports = program->functions;
	for (size_t i = 0; i < program->function_count; i++) {
		const struct airlock_function *function = &program->functions[i];
		struct airlock_string name = airlock_text(function->name);
		size_t at = hash(name);

		check_function(function->name, function->result, function->parameters);
		if (function->handler == NULL)
			mistake(function->name, "it has no handler", NULL, NULL);
		if (find_export(name) != NULL)
			mistake(function->name, "it is exported twice", NULL, NULL);
		while (export_slots[at] != 0)
			at = (at + 1) % AIRLOCK_COUNT(export_slots);
		export_slots[at] = (uint16_t)(i + 1);
	}
}

static bool accepts(const struct airlock_function *function, const struct request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		if (request->arguments[i].type != function->parameters[i])
			return false;
	}
	return request->count == AIRLOCK_MAX_PARAMETERS || function->parameters[request->count] == 0;
}

static void declare(const struct airlock_program *program)
{
	struct writer w;
	int64_t length = 0;
	bool fits;

	check_program(program);
	begin_message(&w);
	fits = write_declaration(&w, program, airlock_text(SDK_NAME), airlock_text(SDK_VERSION));
	if (fits)
		length = operate(OPERATION_DECLARE, w.position);
	end_message();
	if (!fits)
		mistake("airlock_serve", "the list of exports and imports does not fit into the message buffer", NULL,
		        NULL);
	if (length < 0)
		stop(airlock_text("the host refused the declaration"));
}

/* What the next call may repeat of the last one. */
static struct {
	const struct airlock_function *function; /* NULL: there is nothing to repeat */
	size_t fixed;                            /* bytes up to that length */
	bool repeated;                           /* the message in channel.call begins like the last */
} previous;

/* Notes what the next call may repeat of this one. */
static void remember(const struct airlock_function *function, size_t size)
{
	const struct request *request = &current.request;

	previous.function = NULL;
	if (request->count == 0)
		return;
	previous.fixed = find_tail(channel.call, size, &request->arguments[request->count - 1]);
	if (previous.fixed > 0)
		previous.function = function;
}

/* Whether the message in the input buffer begins like the last one, which is in channel.call. */
static bool is_repeated(size_t size)
{
	return previous.function != NULL && begins_with(channel.input, size, channel.call, previous.fixed);
}

/* Reads the last argument of a repeated call. The others are what they were. */
static bool repeat_call(size_t size)
{
	return read_tail(channel.call, size, previous.fixed, &current.request.arguments[current.request.count - 1]);
}

/* Sends what ended the last call, and waits for the next one. Returns the size of its message. */
static size_t next_call(bool first)
{
	int64_t length;

	lock(&channel.lock);
	length = first ? operate(OPERATION_NEXT, 0) : pass(OPERATION_NEXT, finish_call(&current));
	if (length < 0 || (uint64_t)length > channel.input_size)
		stop(airlock_text("the host is gone"));
	previous.repeated = is_repeated((size_t)length);
	copy(channel.call, channel.input, (size_t)length);
	current.function = NULL;
	current.state = RESULT_NONE;
	unlock(&channel.lock);
	return (size_t)length;
}

/* Runs a function with the arguments of the current call. */
static void run(const struct airlock_program *program, const struct airlock_function *function)
{
	if (restored() && program->on_restore != NULL)
		program->on_restore();
	current.function = function;
	function->handler(&current);
	if (current.state != RESULT_NONE)
		return;
	if (function->result != AIRLOCK_VOID)
		mistake(function->name, "it returned nothing", NULL, NULL);
	current.state = RESULT_VALUE;
	current.value.type = AIRLOCK_VOID;
}

/* Runs the function that a message asks for. */
static void answer(const struct airlock_program *program, size_t size)
{
	const struct airlock_function *function = previous.function;

	if (previous.repeated && repeat_call(size)) {
		run(program, function);
		return;
	}
	previous.function = NULL;
	if (!read_call(channel.call, size, &current.request)) {
		fail(&current, AIRLOCK_MALFORMED, airlock_text("the message is not a call"));
		return;
	}
	function = find_export(current.request.name);
	if (function == NULL) {
		fail(&current, AIRLOCK_UNKNOWN_FUNCTION, current.request.name);
		return;
	}
	if (!accepts(function, &current.request)) {
		fail(&current, AIRLOCK_WRONG_PARAMETERS, current.request.name);
		return;
	}
	remember(function, size);
	run(program, function);
}

void airlock_serve(const struct airlock_program *program)
{
	static bool serving;
	struct note why;
	size_t size;

	if (!connect_host(&why))
		stop(note_end(&why));
	if (serving)
		mistake("airlock_serve", "it was called again", NULL, NULL);
	serving = true;
	declare(program);
	size = next_call(true);
	for (;;) {
		answer(program, size);
		size = next_call(false);
	}
}

/* ---- Without a libc ----------------------------------------------------- */

#ifdef AIRLOCK_FREESTANDING

/*
 * What a libc has beside its functions: the entry of the program, and the four
 * functions that compilers call for assignments and loops. They are weak, so that
 * a program may have better ones.
 */
int main(void);

/* The stack is aligned otherwise here than at the start of a function that is called. */
__attribute__((weak, noreturn, force_align_arg_pointer)) void _start(void);
__attribute__((weak, noreturn, force_align_arg_pointer)) void _start(void) { exit_program(main()); }

__attribute__((weak)) void *memcpy(void *restrict to, const void *restrict from, size_t size);
__attribute__((weak)) void *memmove(void *to, const void *from, size_t size);
__attribute__((weak)) void *memset(void *to, int byte, size_t size);
__attribute__((weak)) int memcmp(const void *a, const void *b, size_t size);

/* In assembly, because compilers would see the loops as calls of these functions. */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *last = (char *)to + size - 1;
	const char *last_from = (const char *)from + size - 1;

	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(to, from, size);
	__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(last), "+S"(last_from), "+c"(size) : : "memory", "cc");
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *left = (const uint8_t *)a, *right = (const uint8_t *)b;

	for (; size > 0; size--, left++, right++) {
		if (*left != *right)
			return *left < *right ? -1 : 1;
		__asm__ volatile("" : : : "memory");
	}
	return 0;
}

#endif
