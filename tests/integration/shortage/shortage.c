/*
 * shortage: stands before the C library's allocation functions and some system calls, and lets them fail as the test says. Part
 * of the program that the tests of shortages run, never of the one that is installed.
 *
 * Only failures that the kernel could give: no EAGAIN and no short count without a reason, since edges tell when to go on.
 */
/* Each function by its own name: the two widths of offsets are two functions here. */
#undef _FILE_OFFSET_BITS

#include "shortage.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct shortage *shared;

/*
 * Read by the leak checker. OpenSSL 3.0 loses some of its own where memory is out while it fills its tables; what this program
 * loses of OpenSSL's is found by the tests that have memory enough.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto.so\n";
}

/* Before anything else of the program; a file that is not there means that nobody wants a shortage. */
__attribute__((constructor)) static void open_shared(void)
{
	const char *path = getenv(SHORTAGE_VARIABLE);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(struct shortage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		shared = p;
	close(fd);
}

/* ---- memory ---- */

/* What the real functions are called: those of a sanitizer where there is one. */
#if defined(__SANITIZE_ADDRESS__)
#define REAL(name) __interceptor_##name
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REAL(name) __interceptor_##name
#endif
#endif
#ifndef REAL
#define REAL(name) __libc_##name
#define __libc_aligned_alloc __libc_memalign
#endif

extern void *REAL(malloc)(size_t n);
extern void *REAL(calloc)(size_t count, size_t n);
extern void *REAL(realloc)(void *p, size_t n);
extern void *REAL(aligned_alloc)(size_t alignment, size_t n);

/* Within a function that cannot do without memory: getaddrinfo of glibc 2.36 crashes, a sanitizer's thread gives up. */
static _Thread_local bool spared;

static bool no_memory(void)
{
	uint32_t number;
	uint32_t at;

	if (!shared || spared)
		return false;
	number = atomic_fetch_add(&shared->allocations, 1) + 1;
	at = atomic_load(&shared->fail_at);
	if (!at || number < at || number - at > atomic_load(&shared->fail_more))
		return false;
	atomic_fetch_add(&shared->allocations_failed, 1);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return no_memory() ? NULL : REAL(malloc)(n);
}

void *calloc(size_t count, size_t n)
{
	return no_memory() ? NULL : REAL(calloc)(count, n);
}

void *realloc(void *p, size_t n)
{
	return no_memory() ? NULL : REAL(realloc)(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return no_memory() ? NULL : REAL(aligned_alloc)(alignment, n);
}

char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = malloc(n);

	return copy ? memcpy(copy, s, n) : NULL;
}

char *strndup(const char *s, size_t max)
{
	size_t n = strnlen(s, max);
	char *copy = malloc(n + 1);

	if (!copy)
		return NULL;
	copy[n] = 0;
	return memcpy(copy, s, n);
}

/* The next of the library's functions of this name. */
#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* ---- the wall clock ---- */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	static __typeof__(&clock_gettime) next;
	int64_t ahead_ns = shared && clock == CLOCK_REALTIME ? atomic_load(&shared->wall_ahead_ns) : 0;
	int r;

	if (!next)
		next = NEXT(clock_gettime);
	r = next(clock, ts);
	if (r == 0 && ahead_ns) {
		int64_t ns = (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec + ahead_ns;

		ts->tv_sec = ns / 1000000000;
		ts->tv_nsec = ns % 1000000000;
	}
	return r;
}

/* ---- system calls ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* One of the errors, or 0 where the call is to be made. */
static int fails(enum shortage_call call, const int *errors, size_t n)
{
	uint32_t per_10000 = shared ? atomic_load(&shared->per_10000[call]) : 0;
	uint64_t drawn;

	if (!per_10000)
		return 0;
	drawn = mix(atomic_load(&shared->seed) * 0x9e3779b97f4a7c15 + atomic_fetch_add(&shared->drawn, 1) + 1);
	if (drawn % 10000 >= per_10000)
		return 0;
	atomic_fetch_add(&shared->calls_failed[call], 1);
	return errors[(drawn >> 32) % n];
}

/* Leaves the function with -1 where the call is to fail. */
#define MAY_FAIL(call, ...)                                                                                                     \
	do {                                                                                                                    \
		static const int errors_[] = { __VA_ARGS__ };                                                                   \
		int error_ = fails(SHORTAGE_##call, errors_, sizeof(errors_) / sizeof(errors_[0]));                             \
		if (error_) {                                                                                                   \
			errno = error_;                                                                                         \
			return -1;                                                                                              \
		}                                                                                                               \
	} while (0)

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *n, int flags)
{
	MAY_FAIL(accept4, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EPROTO);
	return NEXT(accept4)(fd, address, n, flags);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	MAY_FAIL(recv, EINTR, EINTR, ECONNRESET, ETIMEDOUT, ENOMEM);
	return NEXT(recv)(fd, p, n, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	MAY_FAIL(send, EINTR, EINTR, EPIPE, ECONNRESET, ENOBUFS, EHOSTUNREACH);
	return NEXT(send)(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	MAY_FAIL(sendmsg, EINTR, EINTR, EPIPE, ECONNRESET, ENOBUFS, ENOMEM);
	return NEXT(sendmsg)(fd, message, flags);
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t n)
{
	MAY_FAIL(connect, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT, EAGAIN, EPERM, ENOMEM);
	return NEXT(connect)(fd, address, n);
}

int socket(int domain, int type, int protocol)
{
	MAY_FAIL(socket, EMFILE, ENFILE, ENOBUFS, ENOMEM);
	return NEXT(socket)(domain, type, protocol);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	/* What is there already costs nothing to change or remove. */
	if (operation == EPOLL_CTL_ADD)
		MAY_FAIL(epoll_ctl, ENOMEM, ENOSPC);
	return NEXT(epoll_ctl)(epoll, operation, fd, event);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	MAY_FAIL(getsockopt, ENOBUFS, ENOMEM);
	return NEXT(getsockopt)(fd, level, name, value, n);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	MAY_FAIL(setsockopt, ENOBUFS, ENOMEM);
	return NEXT(setsockopt)(fd, level, name, value, n);
}

int pipe2(int fds[2], int flags)
{
	MAY_FAIL(pipe2, EMFILE, ENFILE, ENOMEM);
	return NEXT(pipe2)(fds, flags);
}

ssize_t splice(int from, off64_t *from_at, int to, off64_t *to_at, size_t n, unsigned flags)
{
	MAY_FAIL(splice, EINTR, ENOMEM, ECONNRESET);
	return NEXT(splice)(from, from_at, to, to_at, n, flags);
}

/* Of files on a disk only: pipes and eventfds have their own ways to fail, and none of these. */
ssize_t write(int fd, const void *p, size_t n)
{
	struct stat st;

	if (shared && atomic_load(&shared->per_10000[SHORTAGE_write]) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		MAY_FAIL(write, ENOSPC, EIO, EINTR, EDQUOT);
		/* A disk that fills takes a part. */
		if (n > 1 && fails(SHORTAGE_write, (const int[]){ 1 }, 1))
			n /= 2;
	}
	return NEXT(write)(fd, p, n);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list args;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(args, int) : 0;
	va_end(args);
	MAY_FAIL(open, EMFILE, ENFILE, ENOMEM, EINTR, EACCES);
	return openat(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) __attribute__((alias("open64")));

/* The list begins with one more address. Made by the C library, which will free it with the others. */
static void put_first(uint32_t address, struct addrinfo **found)
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	const struct in_addr in = { address };
	char text[INET_ADDRSTRLEN];
	struct addrinfo *first = NULL;

	if (NEXT(getaddrinfo)(inet_ntop(AF_INET, &in, text, sizeof(text)), NULL, &numeric, &first) != 0)
		return;
	first->ai_next = *found;
	*found = first;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	static const int errors[] = { EAI_AGAIN, EAI_MEMORY, EAI_FAIL, EAI_NONAME, EAI_SYSTEM };
	int error = fails(SHORTAGE_getaddrinfo, errors, sizeof(errors) / sizeof(errors[0]));

	if (error)
		return error;
	spared = true;
	error = NEXT(getaddrinfo)(name, service, hints, found);
	if (!error && shared && atomic_load(&shared->also_at))
		put_first(atomic_load(&shared->also_at), found);
	spared = false;
	return error;
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
	int error;

	spared = true;
	error = NEXT(pthread_getattr_np)(thread, attributes);
	spared = false;
	return error;
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t offset)
{
	if (no_memory())
		return MAP_FAILED;
	return NEXT(mmap64)(at, n, protection, flags, fd, offset);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) __attribute__((alias("mmap64")));
