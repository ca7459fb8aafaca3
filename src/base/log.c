/*
 * log: one bounded line at a time. What comes from outside cannot forge a line or drive a terminal: control bytes
 * and bytes that are no UTF-8 are shown as \xNN.
 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/console.h"
#include "base/text.h"

#define LOG_LINE_BYTES 2048
#define LOG_TAIL_BYTES 64 /* room for what is put after a line that was cut */
#define LOG_KEPT_BYTES ((size_t)16 * 1024)
#define LOG_INTERVAL_NS NS_PER_S

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
};

static _Atomic int current_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

/* C0 and DEL; C1 too, which in UTF-8 is c2 80 to c2 9f. */
static bool is_control(struct span c)
{
	unsigned char first = (unsigned char)c.p[0];

	return first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char)c.p[1] < 0xa0);
}

/* Puts s, shown safely. */
static void put_shown(struct text *line, struct span s)
{
	while (s.n) {
		unsigned n = span_utf8_length(s);

		if (n == 0 || is_control(s)) {
			char shown[4] = { '\\', 'x', "0123456789abcdef"[(s.p[0] >> 4) & 15], "0123456789abcdef"[s.p[0] & 15] };

			text_put(line, shown, sizeof(shown));
			n = 1;
		} else {
			text_put(line, s.p, n);
		}
		s = span_skip(s, n);
	}
}

static void write_now(struct span lines)
{
	console_hold();
	console_write(lines);
	console_release();
}

/* ---- lines that are kept ---- */

static struct {
	pthread_mutex_t lock;
	bool on;
	pthread_t writer; /* whose own lines are not kept */
	char block[LOG_KEPT_BYTES];
	size_t n;
	uint64_t lost; /* that found no room */
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* False where the line is the caller's to write. */
static bool keep_line(struct span line)
{
	bool keeps;

	pthread_mutex_lock(&kept.lock);
	keeps = kept.on && !pthread_equal(pthread_self(), kept.writer);
	if (keeps && line.n > sizeof(kept.block) - kept.n) {
		kept.lost++;
	} else if (keeps) {
		memcpy(kept.block + kept.n, line.p, line.n);
		kept.n += line.n;
	}
	pthread_mutex_unlock(&kept.lock);
	return keeps;
}

void log_keep(bool on)
{
	pthread_mutex_lock(&kept.lock);
	kept.on = on;
	kept.writer = pthread_self();
	pthread_mutex_unlock(&kept.lock);
	if (!on)
		log_flush();
}

void log_flush(void)
{
	static char lines[LOG_KEPT_BYTES]; /* the writer's alone */
	uint64_t lost;
	size_t n;

	pthread_mutex_lock(&kept.lock);
	n = kept.n;
	memcpy(lines, kept.block, n);
	lost = kept.lost;
	kept.n = 0;
	kept.lost = 0;
	pthread_mutex_unlock(&kept.lock);
	if (n)
		write_now(span_of(lines, n));
	if (lost)
		log_warning("%" PRIu64 " lines more than could be kept", lost);
}

/* ---- lines ---- */

/* held_back: how many lines before this one were not written, said at its end. */
static void write_line(enum log_level level, uint64_t held_back, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void write_line(enum log_level level, uint64_t held_back, const char *format, va_list args)
{
	char raw[LOG_LINE_BYTES];
	char block[LOG_LINE_BYTES + LOG_TAIL_BYTES];
	int saved_errno = errno;
	int n = vsnprintf(raw, sizeof(raw), format, args);
	struct text line;

	if (n < 0)
		return;
	text_init_fixed(&line, block, LOG_LINE_BYTES);
	text_put_literal(&line, "brownout: ");
	text_put_string(&line, level_names[level]);
	text_put_literal(&line, ": ");
	put_shown(&line, span_of(raw, MIN((size_t)n, sizeof(raw) - 1)));
	line.cap = sizeof(block);
	if (line.cut || (size_t)n >= sizeof(raw)) {
		line.cut = false;
		text_put_literal(&line, "...");
	}
	if (held_back) {
		text_put_literal(&line, " (and ");
		text_put_u64(&line, held_back);
		text_put_literal(&line, " more held back)");
	}
	text_put_char(&line, '\n');

	if (!keep_line(text_span(&line)))
		write_now(text_span(&line));
	errno = saved_errno;
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	if (!log_is_on(level))
		return;
	va_start(args, format);
	write_line(level, 0, format, args);
	va_end(args);
}

void log_every(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	int64_t now_ns = clock_mono_ns();
	int64_t next_ns = atomic_load_explicit(&limit->next_ns, memory_order_relaxed);
	va_list args;

	if (!log_is_on(level))
		return;
	/* Of several threads that come together one wins the exchange and writes. */
	if (now_ns < next_ns || !atomic_compare_exchange_strong(&limit->next_ns, &next_ns, now_ns + LOG_INTERVAL_NS)) {
		atomic_fetch_add_explicit(&limit->held_back, 1, memory_order_relaxed);
		return;
	}
	va_start(args, format);
	write_line(level, atomic_exchange_explicit(&limit->held_back, 0, memory_order_relaxed), format, args);
	va_end(args);
}
