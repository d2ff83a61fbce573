/*
 * Threads that do anything with any descriptor, with calls that block, get
 * signals, time out, find their files closed under them and run out of memory.
 * Nothing is expected but that nothing breaks (the sanitizers watch), that
 * blocked calls can all be ended, and that nothing is left in the end.
 */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/time_types.h>
#include <linux/uio.h>

#include "file_fake.h"

#define ROUNDS 200000
#define DESCRIPTORS 24 /* few, so that they meet */

static struct test_random randomness = {2024};
static u8 buffer[100000];
static struct iovec pieces[3] = {{buffer, 10}, {buffer, 5000}, {buffer, 3}};
/* struct msghdr */
static u64 header[7] = {0, 0, ADDRESS(pieces), ARRAY_LENGTH(pieces)};
static struct epoll_event event;
static struct pollfd entries[4];
static struct __kernel_timespec time_given;
static struct __kernel_itimerspec setting;
static i32 ends[2];
static u64 sets[3];

static u64 below(u64 bound) { return test_random_below(&randomness, bound); }
static u64 descriptor(void) { return 3 + below(DESCRIPTORS); }
static u64 flags(void) { return below(2) == 0 ? 0 : O_NONBLOCK; }

static void random_read_or_write(struct task *task)
{
	static syscall_handler *const plain[] = {sys_read, sys_write};
	static syscall_handler *const vector[] = {sys_readv, sys_writev};
	u64 size = below(3) == 0 ? below(sizeof(buffer)) : 8;

	if (below(4) > 0)
		start_call(task, plain[below(2)], (u64[6]){descriptor(), ADDRESS(buffer), size});
	else
		start_call(task, vector[below(2)], (u64[6]){descriptor(), ADDRESS(pieces), below(4)});
	memset(buffer, 0, 64); /* the next value of an eventfd or a timer's count must be small */
	buffer[0] = (u8)below(3);
}

static void random_send_or_receive(struct task *task)
{
	static const u32 modes[] = {0, 0x2 /* MSG_PEEK */, 0x40 /* MSG_DONTWAIT */, 0x100 /* MSG_WAITALL */, 0x142};
	static syscall_handler *const calls[] = {sys_sendto, sys_recvfrom, sys_sendmsg, sys_recvmsg, sys_shutdown};
	u64 which = below(40), mode = modes[below(ARRAY_LENGTH(modes))];

	if (which == 0)
		start_call(task, sys_shutdown, (u64[6]){descriptor(), below(4)});
	else if (which % 2 == 0)
		start_call(task, calls[below(2)], (u64[6]){descriptor(), ADDRESS(buffer), below(sizeof(buffer)), mode});
	else
		start_call(task, calls[2 + below(2)], (u64[6]){descriptor(), ADDRESS(&header), mode});
}

static void random_new(struct task *task)
{
	switch (below(7)) {
	case 6:
		start_call(task, sys_socketpair, (u64[6]){1 /* AF_UNIX */, 1 /* SOCK_STREAM */ | flags(), 0, ADDRESS(ends)});
		break;
	case 0:
		start_call(task, sys_pipe2, (u64[6]){ADDRESS(ends), flags()});
		break;
	case 1:
		start_call(task, sys_eventfd2, (u64[6]){below(3), flags() | below(2)});
		break;
	case 2:
		start_call(task, sys_timerfd_create, (u64[6]){below(2), flags()});
		break;
	case 3:
		start_call(task, sys_epoll_create1, (u64[6]){0});
		break;
	case 4:
		start_call(task, sys_dup, (u64[6]){descriptor()});
		break;
	default:
		start_call(task, sys_dup2, (u64[6]){descriptor(), descriptor()});
	}
}

static void random_wait(struct task *task)
{
	u64 ms = below(3) == 0 ? (u64)-1 : below(20);

	for (u32 i = 0; i < ARRAY_LENGTH(entries); i++)
		entries[i] = (struct pollfd){(i32)descriptor(), (i16)below(8), 0};
	for (u32 i = 0; i < ARRAY_LENGTH(sets); i++)
		sets[i] = test_random(&randomness) & test_random(&randomness) & 0x7fffff8;
	time_given = (struct __kernel_timespec){0, (i64)below(1000000)};
	switch (below(4)) {
	case 0:
		start_call(task, sys_poll, (u64[6]){ADDRESS(entries), below(5), ms});
		break;
	case 1:
		start_call(task, sys_epoll_wait, (u64[6]){descriptor(), ADDRESS(buffer), 1 + below(10), ms});
		break;
	case 2:
		start_call(task, sys_pselect6,
		           (u64[6]){below(30), ADDRESS(&sets[0]), ADDRESS(&sets[1]), ADDRESS(&sets[2]),
		                    ADDRESS(&time_given)});
		break;
	default:
		start_call(task, sys_epoll_pwait2, (u64[6]){descriptor(), ADDRESS(buffer), 3, ADDRESS(&time_given)});
	}
}

static void random_control(struct task *task)
{
	static const u32 modes[] = {0, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE};

	event.events = (u32)below(32) | modes[below(4)];
	event.data = test_random(&randomness);
	setting.it_value.tv_nsec = (i64)below(5 * MS);
	setting.it_interval.tv_nsec = (i64)below(2) * (i64)below(MS);
	switch (below(4)) {
	case 0:
		start_call(task, sys_timerfd_settime, (u64[6]){descriptor(), 0, ADDRESS(&setting), ADDRESS(buffer)});
		break;
	case 1:
		start_call(task, sys_close, (u64[6]){descriptor()});
		break;
	default:
		start_call(task, sys_epoll_ctl, (u64[6]){descriptor(), 1 + below(3), descriptor(), ADDRESS(&event)});
	}
}

static void random_step(void)
{
	struct task *task = &tasks[below(TASKS)];

	allocations_left = below(50) == 0 ? (i64)below(3) : INT64_MAX;
	if (task->blocked) {
		if (below(8) == 0)
			interrupt(task);
		settle();
		return;
	}
	switch (below(10)) {
	case 0:
		random_new(task);
		break;
	case 8:
	case 9:
		random_send_or_receive(task);
		break;
	case 1:
		random_wait(task);
		break;
	case 2:
	case 3:
		random_control(task);
		break;
	case 4:
		advance(below(2 * MS));
		break;
	default:
		random_read_or_write(task);
	}
}

int main(void)
{
	fake_begin();
	for (int i = 0; i < ROUNDS; i++) {
		random_step();
		if (below(2000) == 0)
			file_close(descriptor());
	}
	allocations_left = INT64_MAX;
	for (int i = 0; i < TASKS; i++) {
		if (tasks[i].blocked)
			interrupt(&tasks[i]);
		settle();
		CHECK(!tasks[i].blocked);
	}
	fake_end();
	return 0;
}
