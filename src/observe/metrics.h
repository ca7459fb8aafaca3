/*
 * metrics: writes what metrics.def lists in the text format of Prometheus (0.0.4) or in OpenMetrics 1.0, from plain values that
 * the caller has taken beforehand. A family is begun, then its samples follow; nothing is kept but where it is. Not for the hot
 * path.
 */
#ifndef BROWNOUT_OBSERVE_METRICS_H
#define BROWNOUT_OBSERVE_METRICS_H

#include "base/text.h"
#include "observe/histogram.h"

enum metric {
#define METRIC(id, name, type, unit, labels, help) METRIC_##id,
#include "observe/metrics.def"
#undef METRIC
	METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

struct metrics {
	struct text *out; /* the caller's */
	bool openmetrics;
	enum metric family; /* begun last */
};

void metrics_begin(struct metrics *m, struct text *out, bool openmetrics);
/* Each family at most once, and all its samples before the next. */
void metrics_family(struct metrics *m, enum metric id);
/* A sample of the family, not of a histogram. `labels`: a value for each label, UTF-8; NULL where the family has none. */
void metrics_u64(struct metrics *m, const struct span *labels, uint64_t value);
void metrics_seconds(struct metrics *m, const struct span *labels, int64_t ns);
/* The one sample of a family without labels, family and all. */
void metrics_one(struct metrics *m, enum metric id, uint64_t value);
void metrics_one_histogram(struct metrics *m, enum metric id, const struct histogram *h);
void metrics_end(struct metrics *m);

/* What the format is called in Content-Type. */
const char *metrics_content_type(bool openmetrics);
/* True where the value of an Accept field (any bytes; empty: there is none) prefers OpenMetrics 1.0 to the text format. */
bool metrics_accepts_openmetrics(struct span accept);

/* The table, for `brownout help metrics`: names as they are written (counters with _total), types, labels, help. */
void metrics_write_reference(struct text *out);

#endif
