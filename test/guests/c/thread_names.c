// Threads have names, which others can read and write: /proc/self/task/TID/comm, as pthread_setname_np does.
// want: exit 0
// stdout: SUCCESS
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pthread_barrier_t named, done;
static volatile int worker_id;

static void expect(const char *path, const char *want)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text) - 1) >= 0);
	if (strcmp(text, want) != 0)
		fprintf(stderr, "%s is %s", path, text);
	CHECK(strcmp(text, want) == 0);
	close(fd);
}

static void *worker(void *arg)
{
	char name[16];
	worker_id = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&named);
	pthread_barrier_wait(&named);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(strcmp(name, "second") == 0);
	expect("/proc/thread-self/comm", "second\n");
	expect("/proc/self/comm", "first\n");
	pthread_barrier_wait(&done);
	pthread_barrier_wait(&done);
	return arg;
}

int main(void)
{
	pthread_t thread;
	char name[16], path[64];
	pthread_barrier_init(&named, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	CHECK_EQ(prctl(PR_SET_NAME, "first"), 0);
	CHECK_EQ(pthread_create(&thread, NULL, worker, NULL), 0);
	pthread_barrier_wait(&named);
	CHECK_EQ(pthread_setname_np(thread, "second"), 0);
	pthread_barrier_wait(&named);
	pthread_barrier_wait(&done);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(strcmp(name, "first") == 0);

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", worker_id);
	expect(path, "second\n");
	int fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "a name that is too long", 23), 23);
	close(fd);
	expect(path, "a name that is \n");
	CHECK_EQ(access(path, R_OK | W_OK), 0);
	CHECK_ERR(open("/proc/self/task/4000000/comm", O_RDONLY), ENOENT);
	CHECK_ERR(open("/proc/self/task/1x/comm", O_RDONLY), ENOENT);
	pthread_barrier_wait(&done);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	return success();
}
