// The few files that runtimes read are there: /dev/null, /dev/zero, /dev/urandom; others may be absent. /proc has times of the system.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

// Times of the system: later ones are not less, and nobody was idle for longer than there was time.
static void check_system(void)
{
	double up[2], idle[2], user, nice, system, rest, load;
	unsigned long boot = 0, running, threads;
	char line[65536];
	for (int i = 0; i < 2; i++) {
		FILE *f = fopen("/proc/uptime", "r");
		CHECK(f != NULL && fscanf(f, "%lf %lf", &up[i], &idle[i]) == 2 && fclose(f) == 0);
	}
	CHECK(up[0] > 0 && up[1] >= up[0] && idle[0] >= 0 && idle[1] >= idle[0] - 1);
	FILE *f = fopen("/proc/loadavg", "r");
	CHECK(f != NULL && fscanf(f, "%lf %*f %*f %lu/%lu", &load, &running, &threads) == 3 && fclose(f) == 0);
	CHECK(load >= 0 && threads >= running && running >= 1);
	f = fopen("/proc/stat", "r");
	CHECK(f != NULL && fscanf(f, "cpu %lf %lf %lf %lf", &user, &nice, &system, &rest) == 4);
	while (fgets(line, sizeof line, f) != NULL) {
		sscanf(line, "btime %lu", &boot);
	}
	CHECK(boot > 1500000000 && labs((long)(time(NULL) - boot - up[1])) <= 2);
	CHECK_EQ(fclose(f), 0);
}

int main(void)
{
	check_system();
	char buf[4096], other[4096];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY);
	CHECK(null >= 0 && zero >= 0);
	CHECK_EQ(read(null, buf, sizeof buf), 0);
	CHECK_EQ(write(null, buf, sizeof buf), sizeof buf);
	struct stat st;
	CHECK(fstat(null, &st) == 0 && S_ISCHR(st.st_mode));
	memset(buf, 1, sizeof buf);
	CHECK_EQ(read(zero, buf, sizeof buf), sizeof buf);
	for (size_t i = 0; i < sizeof buf; i++) {
		CHECK_EQ(buf[i], 0);
	}
	CHECK_ERR(write(zero, buf, 1), EBADF);
	char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0); // memory like any other
	CHECK(mapped != MAP_FAILED && mapped[5000] == 0);
	mapped[5000] = 1;
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED && errno == ENODEV);
	const char *randoms[] = {"/dev/urandom", "/dev/random"};
	for (int i = 0; i < 2; i++) {
		int fd = open(randoms[i], O_RDONLY);
		CHECK(fd >= 0);
		CHECK_EQ(read(fd, buf, 256), 256);
		CHECK_EQ(read(fd, other, 256), 256);
		CHECK(memcmp(buf, other, 256) != 0);
		CHECK_EQ(close(fd), 0);
	}
	FILE *f = fopen("/dev/null", "w");
	CHECK(f != NULL && fprintf(f, "gone") == 4 && fclose(f) == 0);
	CHECK_ERR(open("/dev/nothing-of-this-name", O_RDONLY), ENOENT);

	// Optional ones: if they are there, they make sense.
	f = fopen("/proc/self/maps", "r");
	int found = f == NULL;
	for (char line[512]; f != NULL && fgets(line, sizeof line, f) != NULL;) {
		unsigned long from, to;
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (unsigned long)buf && (unsigned long)buf < to) {
			found = 1;
		}
	}
	CHECK(found);
	CHECK_EQ(close(null), 0);
	CHECK_EQ(close(zero), 0);
	CHECK_EQ(open("/dev/null", O_RDONLY), null); // no descriptor was lost
	return success();
}
