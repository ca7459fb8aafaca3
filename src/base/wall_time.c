/*
 * wall_time: the calendar, reckoned. Knows no time zone and no leap second, as Unix time does not.
 */
#include "base/wall_time.h"

/* v's last digits, with leading zeros; the place before them. */
static char *put_digits(char *end, unsigned n, int64_t v)
{
	while (n--) {
		*--end = (char)('0' + v % 10);
		v /= 10;
	}
	return end;
}

/*
 * The proleptic Gregorian calendar, counted in 400-year eras of years that begin in March, so that the leap day is the
 * last of a year. gmtime_r would take the time-zone lock for each line.
 */
void wall_time_write(struct text *out, int64_t unix_ns)
{
	char p[WALL_TIME_BYTES];
	int64_t ms = MAX(unix_ns, 0) / NS_PER_MS;
	int64_t seconds = ms / 1000 % 86400;
	int64_t days = ms / 1000 / 86400 + 719468; /* since 0000-03-01 */
	int64_t era = days / 146097;
	int64_t day_of_era = days % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);

	memcpy(p, "0000-00-00T00:00:00.000Z", WALL_TIME_BYTES);
	put_digits(p + 4, 4, year);
	put_digits(p + 7, 2, month);
	put_digits(p + 10, 2, day_of_year - (153 * month_from_march + 2) / 5 + 1);
	put_digits(p + 13, 2, seconds / 3600);
	put_digits(p + 16, 2, seconds / 60 % 60);
	put_digits(p + 19, 2, seconds % 60);
	put_digits(p + 23, 3, ms % 1000);
	text_put(out, p, sizeof(p));
}
