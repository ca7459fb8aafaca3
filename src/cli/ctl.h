/*
 * ctl: what the verbs of `brownout ctl` have in common: one running brownout that they ask, and how its answers are shown.
 */
#ifndef BROWNOUT_CLI_CTL_H
#define BROWNOUT_CLI_CTL_H

#include "admin/admin_client.h"
#include "admin/admin_value.h"
#include "base/text.h"

struct ctl {
	struct admin_client client;
	bool json; /* answers as they come */
	bool keep_held;
	bool faulted;
	const char *rule; /* NULL: not given */
	const char *before;
	uint64_t count; /* 0: without end */
	char **args; /* behind the verb */
	int n_args;
};

/* CTL_VERB(name, "arguments", least, most, "what it does") */
#define CTL_VERBS(CTL_VERB)                                                                                                     \
	CTL_VERB(status, "", 0, 0, "what runs, and whether it injects")                                                         \
	CTL_VERB(rules, "[NAME]", 0, 1, "every rule with its counts; one rule with its text")                                   \
	CTL_VERB(set, "NAME KEY=VALUE...", 2, 100, "changes keys of a rule: percentage=25 match.path=/v1/** ttl=null")          \
	CTL_VERB(enable, "NAME...", 1, 100, "turns rules on")                                                                   \
	CTL_VERB(disable, "NAME...", 1, 100, "turns rules off")                                                                 \
	CTL_VERB(put, "NAME FILE", 2, 2, "replaces or adds a rule (--before) by that of FILE, - being standard input")          \
	CTL_VERB(remove, "NAME...", 1, 100, "removes rules")                                                                    \
	CTL_VERB(disarm, "", 0, 0, "no fault any more, from the next decision on; what is held goes on (or --keep-held)")       \
	CTL_VERB(arm, "", 0, 0, "faults again; schedules count from now")                                                       \
	CTL_VERB(reload, "", 0, 0, "reads the rule file again")                                                                 \
	CTL_VERB(reset, "", 0, 0, "counts of rules begin at 0, keys and quotas are forgotten")                                  \
	CTL_VERB(config, "[FILE]", 0, 1, "the rules in force as text; with FILE, - being standard input, replaces them")        \
	CTL_VERB(verdict, "", 0, 0, "how the clients behaved so far, where the rule file expects something of them")             \
	CTL_VERB(exchanges, "", 0, 0, "what is under way")                                                                      \
	CTL_VERB(top, "", 0, 0, "traffic and rules, anew each second on a terminal (--count N)")                                \
	CTL_VERB(tail, "", 0, 0, "exchanges as they end (--faulted, --rule NAME, --count N)")

/* Each returns an exit code. */
#define CTL_DECLARE(name, arguments, least, most, help) int ctl_##name(struct ctl *c);
CTL_VERBS(CTL_DECLARE)
#undef CTL_DECLARE

/*
 * One request; what is wrong is said on standard error. EXIT_CODE_OK: reply is an answer of 200 to 299, its body the caller's to
 * deinit. Else there is nothing to deinit.
 */
int ctl_ask(struct ctl *c, const char *method, const char *target, const char *type, struct span body, struct admin_reply *reply)
	MUST_USE;
/* The same, with the answer as JSON; reply and value are the caller's where it is EXIT_CODE_OK. */
int ctl_get(struct ctl *c, const char *target, struct admin_reply *reply, struct admin_value **value) MUST_USE;
/* What a success is shown as: the answer as it came, or this line. Deinits the reply. Returns an exit code. */
int ctl_say(struct ctl *c, struct admin_reply *reply, const char *format, ...) PRINTF_LIKE(3, 4) MUST_USE;
/* GET of target, as it came or, its member `key` (NULL: all of it), as put writes it. */
int ctl_show(struct ctl *c, const char *target, const char *key,
	void (*put)(struct text *out, const struct admin_value *value)) MUST_USE;
/* An answer that is no success: says why. Returns the exit code. */
int ctl_refuse(const struct admin_reply *reply);
/* What the client has said of its error (-EINVAL: that the address is none). Returns the exit code. */
int ctl_fail(const struct ctl *c, int error);

/* Members of an object; empty, 0 where they are not there. */
struct span ctl_text(const struct admin_value *object, const char *key);
uint64_t ctl_count(const struct admin_value *object, const char *key);
double ctl_number(const struct admin_value *object, const char *key);

/* Appends "/v1/rules/NAME" for any name; a name as it stands in a query. */
void ctl_put_rule_path(struct text *out, const char *name);
void ctl_put_encoded(struct text *out, const char *name);
/* The table of rules. */
void ctl_put_rules(struct text *out, const struct admin_value *rules);

/* "1234/s", "85.0 ms": numbers as people read them. */
void ctl_put_rate(struct text *out, double per_second);
void ctl_put_duration(struct text *out, double seconds);

#endif
