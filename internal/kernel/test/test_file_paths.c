/* What is at which path, and what the pseudo files say. */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "file/proc.h"
#include "mm/space.h"

#include "file_fake.h"

#define HERE ((u64)AT_FDCWD)
#define TYPE 0170000u
#define DIRECTORY 0040000u
#define REGULAR 0100000u
#define DEVICE 0020000u
#define LINK 0120000u

struct regions user_regions;

struct region *region_alloc(void) { return calloc(1, sizeof(struct region)); }
void region_release(struct region *region) { free(region); }
void kernel_random(void *to, size_t size) { memset(to, 0x5a, size); }

static i64 open_at(const char *path, u64 flags) { return CALL(sys_openat, HERE, ADDRESS(path), flags, 0); }

/* The mode, or a negative errno. struct stat is that of the kernel, not of the libc: the mode is at byte 24. */
static i64 mode_of(const char *path, u64 flags)
{
	u8 stat[144];
	i64 result = CALL(sys_newfstatat, HERE, ADDRESS(path), ADDRESS(stat), flags);
	u32 mode;

	memcpy(&mode, stat + 24, sizeof(mode));
	return result < 0 ? result : mode;
}

static void test_what_is_there(void)
{
	static const char *const files[] = {"/proc/self/maps", "//proc/./self/fd/../status", "proc/2/stat",
	                                    "/proc/self/task/3/stat"};
	static const char *const directories[] = {"/",      ".",     "..", "/dev", "/dev/", "/proc/self/fd/", "/sys/devices/.",
	                                          "/proc/self/task/2/"};
	static const char *const missing[] = {
		"/etc/passwd",       "/d",         "/devices",       "/dev/nullx",       "/proc/self/cgroup",
		"/proc/self/task/1", "/proc/self/task/2x/comm", "/proc/self/fd/99/", "/tmp/file/", "/proc/self/exe", "/proc/self/fd/03", "/proc/self/fd/1/1",
	};

	for (u32 i = 0; i < ARRAY_LENGTH(files); i++)
		CHECK_EQUAL(mode_of(files[i], 0), REGULAR | 0444);
	for (u32 i = 0; i < ARRAY_LENGTH(directories); i++) {
		CHECK_EQUAL(mode_of(directories[i], 0), DIRECTORY | 0555);
		CHECK_EQUAL(open_at(directories[i], O_RDONLY | O_DIRECTORY), -EACCES);
	}
	for (u32 i = 0; i < ARRAY_LENGTH(missing); i++) {
		CHECK_EQUAL(mode_of(missing[i], 0), -ENOENT);
		CHECK_EQUAL(open_at(missing[i], O_RDONLY), -ENOENT);
	}
	CHECK_EQUAL(mode_of("proc/2/comm", 0), REGULAR | 0644);
	CHECK_EQUAL(mode_of("/dev/null", 0), DEVICE | 0666);
	CHECK_EQUAL(mode_of("/dev/null/", 0), -ENOTDIR);
	CHECK_EQUAL(mode_of("", 0), -ENOENT);
	CHECK_EQUAL(mode_of("", AT_EMPTY_PATH), DIRECTORY | 0555);
	CHECK_EQUAL(mode_of("/dev/null", 1), -EINVAL);
	CHECK_EQUAL(mode_of("/proc/self/exe", AT_SYMLINK_NOFOLLOW) & TYPE, LINK);
	CHECK_EQUAL(mode_of("/dev/stdin", AT_SYMLINK_NOFOLLOW) & TYPE, LINK);
	CHECK_EQUAL(mode_of("/dev/stdin", 0), 0010600);
	WANT(-EFAULT, sys_stat, ADDRESS(bad_page), ADDRESS(good_page));
	WANT(-EFAULT, sys_stat, ADDRESS("/"), ADDRESS(bad_page));
	WANT(-ENOTDIR, sys_newfstatat, 1, ADDRESS("dev"), ADDRESS(good_page), 0);
	WANT(-EBADF, sys_newfstatat, 9, ADDRESS("dev"), ADDRESS(good_page), 0);
	WANT(0, sys_newfstatat, 9, ADDRESS("/dev"), ADDRESS(good_page), 0);
	WANT(0, sys_newfstatat, 1, ADDRESS(""), ADDRESS(good_page), AT_EMPTY_PATH);
	WANT(0, sys_statx, HERE, ADDRESS("/dev/zero"), 0, 0x7ff, ADDRESS(good_page));
}

static void test_long_paths(void)
{
	char path[5000];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	CHECK_EQUAL(open_at(path, O_RDONLY), -ENAMETOOLONG);
	for (u32 length = 100; length < 300; length++) {
		path[length] = 0;
		CHECK_EQUAL(open_at(path, O_RDONLY), -ENOENT);
		CHECK_EQUAL(open_at(path + 1, O_RDONLY), -ENOENT);
		path[length] = 'a';
	}
	for (u32 length = 100; length < 200; length++) {
		memset(path, 'a', sizeof(path));
		memcpy(path, "/dev/fd/", 8);
		path[length] = 0;
		CHECK_EQUAL(open_at(path, O_RDONLY), -ENOENT);
	}
	for (u32 i = 0; i < 1000; i++)
		memcpy(path + 3 * i, "/..", 3);
	memcpy(path + 3000, "/dev/null", 10);
	CHECK_EQUAL(mode_of(path, 0), DEVICE | 0666);
}

static void test_nothing_changes(void)
{
	CHECK_EQUAL(open_at("/x", O_WRONLY | O_CREAT), -EROFS);
	CHECK_EQUAL(open_at("/tmp/x", O_WRONLY | O_CREAT), -ENOENT);
	CHECK_EQUAL(open_at("/dev/null", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
	CHECK_EQUAL(open_at("/proc/meminfo", O_RDWR), -EACCES);
	CHECK_EQUAL(open_at("/dev", O_WRONLY), -EISDIR);
	CHECK_EQUAL(open_at("/dev/null", O_DIRECTORY), -ENOTDIR);
	WANT(-EROFS, sys_creat, ADDRESS("x"), 0);
	WANT(-EROFS, sys_mkdir, ADDRESS("/x"), 0);
	WANT(-EEXIST, sys_mkdir, ADDRESS("/dev"), 0);
	WANT(-ENOENT, sys_mkdir, ADDRESS("/x/y"), 0);
	WANT(-EROFS, sys_unlink, ADDRESS("/dev/null"));
	WANT(-ENOENT, sys_unlinkat, HERE, ADDRESS("x"), 0);
	WANT(-ENOENT, sys_rename, ADDRESS("x"), ADDRESS("y"));
	WANT(-EROFS, sys_rename, ADDRESS("/dev/null"), ADDRESS("y"));
	WANT(-EROFS, sys_link, ADDRESS("/dev/null"), ADDRESS("y"));
	WANT(-EEXIST, sys_link, ADDRESS("/dev/null"), ADDRESS("/dev/zero"));
	WANT(-EROFS, sys_symlinkat, ADDRESS("x"), HERE, ADDRESS("y"));
	WANT(-EROFS, sys_change_path, ADDRESS("/dev"), 0);
	WANT(-EINVAL, sys_fsync, 1);
	WANT(-EINVAL, sys_ftruncate, 1, 0);
	WANT(-EACCES, sys_socket, 1, 1, 0);
	WANT(-ENOTSOCK, sys_no_name, 1);
	WANT(-EBADF, sys_no_name, 44);
}

static void test_access_and_directories(void)
{
	char buffer[16];

	WANT(0, sys_access, ADDRESS("/dev/null"), 6);
	WANT(-EACCES, sys_access, ADDRESS("/dev/null"), 1);
	WANT(-EACCES, sys_access, ADDRESS("/proc/meminfo"), 2);
	WANT(0, sys_faccessat, HERE, ADDRESS("/proc/meminfo"), 4);
	WANT(-EROFS, sys_faccessat2, HERE, ADDRESS("/"), 2, 0);
	WANT(0, sys_access, ADDRESS("/"), 5);
	WANT(-ENOENT, sys_access, ADDRESS("/etc"), 0);
	WANT(-EINVAL, sys_access, ADDRESS("/"), 8);
	WANT(2, sys_getcwd, ADDRESS(buffer), sizeof(buffer));
	CHECK(strcmp(buffer, "/") == 0);
	WANT(-ERANGE, sys_getcwd, ADDRESS(buffer), 1);
	WANT(-EFAULT, sys_getcwd, ADDRESS(bad_page), 10);
	WANT(0, sys_chdir, ADDRESS("/dev/.."));
	WANT(-EACCES, sys_chdir, ADDRESS("/dev"));
	WANT(-ENOTDIR, sys_chdir, ADDRESS("/dev/null"));
	WANT(-ENOENT, sys_chdir, ADDRESS("/home"));
	WANT(-ENOTDIR, sys_getdents64, 1, ADDRESS(buffer), 10);
	WANT(022, sys_umask, 077);
	WANT(077, sys_umask, 022);
}

static void check_link(const char *path, const char *want)
{
	char buffer[64] = {0};
	i64 length = CALL(sys_readlink, ADDRESS(path), ADDRESS(buffer), sizeof(buffer));

	CHECK_EQUAL(length, strlen(want));
	CHECK(strcmp(buffer, want) == 0);
}

static void test_links(void)
{
	char name[64] = {0};
	i64 event = CALL(sys_eventfd, 0), maps = open_at("/proc/self/maps", O_RDONLY);

	CHECK_EQUAL(event, 3);
	CHECK_EQUAL(maps, 4);
	check_link("/proc/self/exe", "/guest");
	check_link("/proc/self/fd/3", "anon_inode:[eventfd]");
	check_link("/dev/fd/4", "/proc/self/maps");
	snprintf(name, sizeof(name), "pipe:[%u]", file_get(0)->inode);
	check_link("/dev/stdin", name);
	WANT(3, sys_readlink, ADDRESS("/proc/self/exe"), ADDRESS(name), 3);
	WANT(-EINVAL, sys_readlink, ADDRESS("/proc/self/exe"), ADDRESS(name), 0);
	WANT(-EINVAL, sys_readlink, ADDRESS("/dev/null"), ADDRESS(name), 3);
	WANT(-ENOENT, sys_readlink, ADDRESS("/etc/localtime"), ADDRESS(name), 3);
	WANT(-EFAULT, sys_readlink, ADDRESS("/proc/self/exe"), ADDRESS(bad_page), 3);
	/* Opening the link gives the open file itself. */
	WANT(0, sys_close_range, 3, 10, 0);
	CHECK_EQUAL(open_at("/dev/stdout", O_WRONLY), 3);
	CHECK(file_get(3) == file_get(1));
	CHECK_EQUAL(open_at("/dev/stdout", O_RDONLY), -EACCES);
	CHECK_EQUAL(open_at("/proc/self/fd/9", O_RDONLY), -ENOENT);
	WANT(0, sys_close, 3);
}

/* Reads all of a text in pieces of a size. */
static size_t read_text(const char *path, char *to, size_t size, size_t piece)
{
	i64 file = open_at(path, O_RDONLY), count;
	size_t length = 0;

	CHECK(file >= 0);
	while ((count = CALL(sys_read, (u64)file, ADDRESS(to + length), MIN(piece, size - length))) > 0)
		length += (size_t)count;
	CHECK_EQUAL(count, 0);
	CHECK(length < size);
	to[length] = 0;
	WANT(0, sys_close, (u64)file);
	return length;
}

static void check_text(const char *path, const char *want)
{
	char got[2000];

	for (size_t piece = 1; piece < 600; piece += piece < 5 ? 1 : 119) {
		read_text(path, got, sizeof(got), piece);
		if (strcmp(got, want) != 0) {
			fprintf(stderr, "%s, read in pieces of %zu:\n%s\nwant:\n%s\n", path, piece, got, want);
			exit(1);
		}
	}
}

static void test_texts(void)
{
	char got[2000];

	memcpy(current->name, "a thread's name", 16);
	check_text("/proc/self/comm", "a thread's name\n");
	strcpy(tasks[3].thread->name, "another");
	check_text("/proc/self/task/5/comm", "another\n"); /* PROCESS_ID + 3 */
	check_text("/proc/2/task/2/../5/./comm", "another\n");
	check_text("/proc/thread-self/comm", "a thread's name\n");
	check_text("/sys/devices/system/cpu/online", "0\n");
	check_text("/proc/self/statm", "7 600 0 0 0 0 0\n");
	check_text("/proc/meminfo", "MemTotal:       4000 kB\nMemFree:        1600 kB\nMemAvailable:   1600 kB\n"
	                            "SwapTotal:      0 kB\nSwapFree:       0 kB\n");
	check_text("/proc/self/cmdline", "");
	memcpy(good_page, "program\0-x\0", 11);
	proc_set_arguments(ADDRESS(good_page), ADDRESS(good_page) + 11);
	CHECK_EQUAL(read_text("/proc/self/cmdline", got, sizeof(got), 100), 11);
	CHECK(memcmp(got, good_page, 11) == 0);
	read_text("/proc/self/stat", got, sizeof(got), 7);
	u32 fields = 0;
	for (char *at = strchr(got, ')'); at != NULL; at = strchr(at + 1, ' '))
		fields++;
	CHECK_EQUAL(fields, 1 + 50); /* after the name, which has spaces of its own */
	CHECK(strncmp(got, "2 (a thread's name) R 0 2 2 0 -1 ", 33) == 0);
	CHECK(read_text("/proc/self/status", got, sizeof(got), 9) > 100);
	CHECK(strstr(got, "\nThreads:\t1\n") != NULL);
	CHECK(read_text("/proc/cpuinfo", got, sizeof(got), 9) > 20);
}

static u64 cpu_time;
u64 process_cpu_time(void) { return cpu_time; }

static void test_system_texts(void)
{
	const u64 start = now, offset = wall_offset;

	now = 123456789012;
	cpu_time = 23450000000;
	wall_offset = 1700000000ull * 1000 * MS;
	check_text("/proc/uptime", "123.45 100.00\n");
	check_text("/proc/loadavg", "0.00 0.00 0.00 1/1 2\n");
	check_text("/proc/stat", "cpu  2345 0 0 10000 0 0 0 0 0 0\ncpu0 2345 0 0 10000 0 0 0 0 0 0\n"
	                         "intr 0\nctxt 0\nbtime 1700000000\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
	cpu_time = now + 70 * MS; /* can't be, and is no reason for nonsense */
	check_text("/proc/uptime", "123.45 0.00\n");
	now = start;
	wall_offset = offset;
}

static void test_maps(void)
{
	check_text("/proc/self/maps", "00400000-00401000 r-xp 00000000 00:00 0 /guest\n"
	                              "00401000-00403000 rw-p 00000000 00:00 0 \n"
	                              "7f6ffff00000-7f6ffff02000 rw-p 00000000 00:00 0 [stack]\n"
	                              "7f7ffffe0000-7f7ffffe1000 r--p 00000000 00:00 0 [vvar]\n"
	                              "7f7ffffe1000-7f7ffffe2000 r-xp 00000000 00:00 0 [vdso]\n");
}

static void make_maps(void)
{
	regions_init(&user_regions, 0x10000, 0x7f8000000000);
	CHECK_EQUAL(regions_insert(&user_regions, 0x400000, 0x401000, PROT_READ | PROT_EXEC, REGION_IMAGE), 0);
	CHECK_EQUAL(regions_insert(&user_regions, 0x401000, 0x403000, PROT_READ | PROT_WRITE, 0), 0);
	CHECK_EQUAL(regions_insert(&user_regions, STACK_TOP, STACK_TOP + 0x2000, PROT_READ | PROT_WRITE, REGION_STACK),
	            0);
	CHECK_EQUAL(regions_insert(&user_regions, 0x7f7ffffe0000, 0x7f7ffffe1000, PROT_READ, REGION_FIXED), 0);
	CHECK_EQUAL(regions_insert(&user_regions, 0x7f7ffffe1000, 0x7f7ffffe2000, PROT_READ | PROT_EXEC, REGION_FIXED),
	            0);
}

static void test_positions(void)
{
	char got[16] = {0};
	i64 file = open_at("/proc/sys/kernel/osrelease", O_RDONLY);

	WANT(3, sys_pread64, (u64)file, ADDRESS(got), 3, 2);
	CHECK(memcmp(got, "1.0", 3) == 0);
	WANT(4, sys_read, (u64)file, ADDRESS(got), 4);
	CHECK(memcmp(got, "6.1.", 4) == 0);
	WANT(4, sys_lseek, (u64)file, 0, 1);
	WANT(1, sys_lseek, (u64)file, 1, 0);
	WANT(2, sys_read, (u64)file, ADDRESS(got), 2);
	CHECK(memcmp(got, ".1", 2) == 0);
	WANT(-EINVAL, sys_lseek, (u64)file, -4ull, 1);
	WANT(-EINVAL, sys_lseek, (u64)file, 0, 5);
	WANT(100, sys_lseek, (u64)file, 100, 0);
	WANT(0, sys_read, (u64)file, ADDRESS(got), 4);
	WANT(-EBADF, sys_write, (u64)file, ADDRESS(got), 4);
	WANT(0, sys_lseek, (u64)file, 0, 0);
	WANT(-EFAULT, sys_read, (u64)file, ADDRESS(bad_page), 4);
	WANT(2, sys_read, (u64)file, ADDRESS(bad_page - 2), 4);
	WANT(0, sys_close, (u64)file);
}

static void test_devices(void)
{
	static u8 got[2000];
	i64 null = open_at("/dev/null", O_RDWR), zero = open_at("/dev/zero", O_RDWR);
	i64 full = open_at("/dev/full", O_RDWR), random = open_at("/dev/urandom", O_RDONLY | O_NOFOLLOW);

	memset(got, 1, sizeof(got));
	WANT(0, sys_read, (u64)null, ADDRESS(got), sizeof(got));
	WANT(1ull << 30, sys_write, (u64)null, 0, 1ull << 30);
	WANT(sizeof(got) - 10, sys_read, (u64)zero, ADDRESS(got), sizeof(got) - 10);
	CHECK(got[0] == 0 && got[sizeof(got) - 11] == 0 && got[sizeof(got) - 10] == 1);
	WANT(PAGE_SIZE, sys_read, (u64)zero, ADDRESS(good_page), 2 * PAGE_SIZE);
	WANT(-ENOSPC, sys_write, (u64)full, ADDRESS(got), 1);
	WANT(1000, sys_read, (u64)random, ADDRESS(got), 1000);
	CHECK(got[0] == 0x5a && got[999] == 0x5a && got[1000] == 0);
	WANT(-EBADF, sys_write, (u64)random, ADDRESS(got), 1);
	WANT(0, sys_close_range, 3, 10, 0);
	allocations_left = 0;
	CHECK_EQUAL(open_at("/dev/null", O_RDONLY), -ENOMEM);
	allocations_left = INT64_MAX;
}

int main(void)
{
	fake_begin();
	make_maps();
	test_what_is_there();
	test_long_paths();
	test_nothing_changes();
	test_access_and_directories();
	test_links();
	test_texts();
	test_system_texts();
	test_maps();
	test_positions();
	test_devices();
	regions_remove(&user_regions, 0x10000, 0x7f8000000000);
	fake_end();
	return 0;
}
