/*
 * wall_time: the calendar, reckoned. Knows no time zone and no leap second, as Unix time does not.
 */
#include "base/wall_time.h"

#include "base/raw.h"

/*
 * The proleptic Gregorian calendar, counted in 400-year eras of years that begin in March, so that the leap day is the
 * last of a year. gmtime_r would take the time-zone lock for each line.
 */
static void put_second(char p[WALL_TIME_BYTES], int64_t unix_s)
{
	int64_t seconds = unix_s % 86400;
	int64_t days = unix_s / 86400 + 719468; /* since 0000-03-01 */
	int64_t era = days / 146097;
	int64_t day_of_era = days % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);

	memcpy(p, "0000-00-00T00:00:00.000Z", WALL_TIME_BYTES);
	raw_put_pair(p, (unsigned)(year / 100 % 100));
	raw_put_pair(p + 2, (unsigned)(year % 100));
	raw_put_pair(p + 5, (unsigned)month);
	raw_put_pair(p + 8, (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1));
	raw_put_pair(p + 11, (unsigned)(seconds / 3600));
	raw_put_pair(p + 14, (unsigned)(seconds / 60 % 60));
	raw_put_pair(p + 17, (unsigned)(seconds % 60));
}

char *wall_time_put(char *to, int64_t unix_ns, struct wall_time_memory *memory)
{
	uint64_t ms = (uint64_t)MAX(unix_ns, 0) / (uint64_t)NS_PER_MS;
	int64_t next_s = (int64_t)(ms / 1000) + 1;
	unsigned fraction = (unsigned)(ms % 1000);

	if (UNLIKELY(memory->next_s != next_s)) {
		put_second(memory->text, next_s - 1);
		memory->next_s = next_s;
	}
	memcpy(to, memory->text, WALL_TIME_BYTES);
	raw_put_pair(to + 20, fraction / 10);
	to[22] = (char)('0' + fraction % 10);
	return to + WALL_TIME_BYTES;
}

void wall_time_write(struct text *out, int64_t unix_ns)
{
	struct wall_time_memory memory = { 0 };
	char p[WALL_TIME_BYTES];

	text_put(out, p, (size_t)(wall_time_put(p, unix_ns, &memory) - p));
}
