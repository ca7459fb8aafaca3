/*
 * status_line: drawing and wiping. All that goes to the terminal is written while the console is held, so that no line of
 * another thread comes between.
 */
#include "cli/status_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/console.h"

#define RATE_WEIGHT 0.4 /* of the latest interval */
#define WIPE "\r\x1b[K"
#define YELLOW "\x1b[33m"
#define RED "\x1b[31m"
#define PLAIN "\x1b[0m"

/* Whoever holds the console from now on. */
static void lift(void *arg)
{
	struct status_line *s = arg;

	if (s->shown)
		console_write(SPAN(WIPE));
	s->shown = false;
}

void status_line_init(struct status_line *s, int64_t now_ns)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");

	*s = (struct status_line){ .start_ns = now_ns, .last_ns = now_ns };
	s->on = isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
	s->color = !no_color || !*no_color;
	if (s->on)
		console_set_hook(lift, s);
}

void status_line_deinit(struct status_line *s)
{
	if (!s->on)
		return;
	console_hold();
	console_release();
	console_set_hook(NULL, NULL);
	s->on = false;
}

static uint64_t count(const struct counters *total, enum counter id)
{
	return atomic_load_explicit(&total->v[id], memory_order_relaxed);
}

/* Appends while there is room; colours take none. */
struct cells {
	struct text *out;
	unsigned left;
	bool color;
};

static void put_cells(struct cells *c, const char *color, struct span s)
{
	s = span_first(s, c->left);
	if (s.n && color && c->color)
		text_put_string(c->out, color);
	text_put_span(c->out, s);
	if (s.n && color && c->color)
		text_put_literal(c->out, PLAIN);
	c->left -= (unsigned)s.n;
}

static void put_count(struct cells *c, const char *color, uint64_t n, const char *name)
{
	char block[64];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	text_put_u64(&t, n);
	text_put_string(&t, name);
	put_cells(c, n ? color : NULL, text_span(&t));
}

/* 59s, 12m05s, 3h04m */
static void put_elapsed(struct cells *c, int64_t seconds)
{
	char block[32];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	if (seconds < 60)
		text_printf(&t, "%" PRId64 "s", seconds);
	else if (seconds < 3600)
		text_printf(&t, "%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
	else
		text_printf(&t, "%" PRId64 "h%02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
	put_cells(c, NULL, text_span(&t));
}

void status_line_write(const struct status_line *s, const struct counters *total, uint64_t lost, int64_t now_ns,
	unsigned columns, struct text *out)
{
	struct cells c = { .out = out, .left = columns ? columns : UINT32_MAX, .color = s->color };
	uint64_t faults = counters_faults(total);

	put_count(&c, NULL, count(total, COUNTER_REQUESTS), " requests, ");
	put_count(&c, NULL, (uint64_t)(s->rate + 0.5), "/s, ");
	put_count(&c, YELLOW, faults, " faults");
	put_cells(&c, NULL, SPAN(", "));
	put_count(&c, NULL, (uint64_t)MAX(atomic_load_explicit(&total->active, memory_order_relaxed), 0), " active, ");
	put_count(&c, NULL, (uint64_t)MAX(atomic_load_explicit(&total->held, memory_order_relaxed), 0), " held, ");
	put_count(&c, RED, count(total, COUNTER_UPSTREAM_FAILURES), " errors");
	put_cells(&c, NULL, SPAN(", "));
	if (lost) {
		put_count(&c, RED, lost, " log lines lost");
		put_cells(&c, NULL, SPAN(", "));
	}
	put_elapsed(&c, (now_ns - s->start_ns) / NS_PER_S);
}

static unsigned terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void status_line_draw(struct status_line *s, const struct counters *total, uint64_t lost, int64_t now_ns)
{
	uint64_t requests = count(total, COUNTER_REQUESTS);
	unsigned columns = terminal_columns();
	struct text out;

	if (!s->on)
		return;
	if (now_ns > s->last_ns) {
		double latest = (double)(requests - s->last_requests) * (double)NS_PER_S / (double)(now_ns - s->last_ns);

		s->rate += RATE_WEIGHT * (latest - s->rate);
	}
	s->last_ns = now_ns;
	s->last_requests = requests;
	text_init(&out);
	text_put_literal(&out, WIPE);
	/* One less than there are: a full line would make some terminals scroll. */
	status_line_write(s, total, lost, now_ns, columns ? columns - 1 : 0, &out);
	console_hold();
	console_write(text_span(&out));
	s->shown = true;
	console_release();
	text_deinit(&out);
}
