/* content: bodies from values and files, and the files that a rule file names. */
#include "config/side_file.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static char folder[] = "/tmp/brownout-unit-XXXXXX";

static void make_file(const char *name, const char *text, size_t n)
{
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(text, 1, n, f), n);
	(void)fclose(f);
}

/* The rule file lies in the folder, the process is elsewhere. */
static void load_in_folder(struct loaded *l, const char *rule)
{
	static const struct load_options none;
	char file[200], source[4096];

	*l = (struct loaded){ 0 };
	(void)snprintf(file, sizeof(file), "%s/rules.yaml", folder);
	(void)snprintf(source, sizeof(source), "upstream: origin\nrules:\n- %s\n", rule);
	l->rc = load_plan(file, span_of_string(source), &none, &l->plan, &l->d);
	if (l->d.n)
		(void)snprintf(l->text, sizeof(l->text), "%u:%u: %s", l->d.v[0].line, l->d.v[0].column, l->d.v[0].message);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	cr_assert_not_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	cr_expect_eq(rmdir(folder), 0);
}

TestSuite(content, .init = set_up, .fini = tear_down);

Test(content, file)
{
	static const char *const types[][2] = {
		{ "a.json", "application/json" }, { "a.HTML", "text/html; charset=utf-8" },
		{ "a.bin", "application/octet-stream" }, { ".json", "application/octet-stream" },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct fault_abort *a;
		char rule[200];
		struct loaded l;

		make_file(types[i][0], "a\0b", 3);
		(void)snprintf(rule, sizeof(rule), "abort: {status: 503, body: {file: %s}}", types[i][0]);
		load_in_folder(&l, rule);
		cr_assert_not_null(l.plan, "%s", l.text);
		a = &l.plan->rules.v[0].faults.abort;
		cr_expect(a->has_body && span_eq(a->body, span_of("a\0b", 3)));
		cr_assert_eq(a->n_fields, 1);
		expect_span(a->fields[0].name, "Content-Type");
		expect_span(a->fields[0].value, types[i][1]);
		support_free(&l);
	}
}

Test(content, type_given_wins_and_empty_files_are_bodies)
{
	const struct fault_abort *a;
	struct loaded l;

	make_file("empty", "", 0);
	load_in_folder(&l, "abort: {status: 503, headers: {content-type: image/gif}, body: {file: empty}}");
	cr_assert_not_null(l.plan, "%s", l.text);
	a = &l.plan->rules.v[0].faults.abort;
	cr_expect(a->has_body && a->body.n == 0 && a->n_fields == 1);
	expect_span(a->fields[0].value, "image/gif");
	support_free(&l);
}

Test(content, absolute_and_bounded)
{
	size_t n = SIDE_FILE_BYTES_MAX + 1;
	char *large = calloc(n, 1), rule[200];
	struct loaded l;

	make_file("most", large, n - 1);
	make_file("more", large, n);
	(void)snprintf(rule, sizeof(rule), "abort: {status: 503, body: {file: %s/most}}", folder);
	load_in_folder(&l, rule);
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect_eq(l.plan->rules.v[0].faults.abort.body.n, SIDE_FILE_BYTES_MAX);
	support_free(&l);
	load_in_folder(&l, "abort: {status: 503, body: {file: more}}");
	cr_expect_null(l.plan);
	cr_expect_str_eq(l.text, "3:37: rules[0].abort.body.file: \"more\" has more than 1MiB");
	support_free(&l);
	free(large);
}

Test(content, files_that_are_refused)
{
	static const char *const cases[][2] = {
		{ "none", "cannot read \"none\": No such file or directory" },
		{ "\"\"", "\"\" is not the name of a file" },
		{ "\"a\\0b\"", NULL },
		{ ".", "cannot read \".\": Is a directory" },
		{ "pipe", "\"pipe\" is not a plain file" },
		{ "[a]", "must be the name of a file, not a list" },
	};
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/pipe", folder);
	cr_assert_eq(mkfifo(path, 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char rule[200], wanted[200];
		struct loaded l;

		(void)snprintf(rule, sizeof(rule), "abort: {status: 503, body: {file: %s}}", cases[i][0]);
		(void)snprintf(wanted, sizeof(wanted), "3:37: rules[0].abort.body.file: %s", cases[i][1]);
		load_in_folder(&l, rule);
		cr_expect(l.rc == 1 && l.d.n_errors == 1);
		if (cases[i][1])
			cr_expect_str_eq(l.text, wanted);
		support_free(&l);
	}
}

Test(content, rule_changes_with_its_file)
{
	const char *rule = "abort: {status: 503, body: {file: a}}";
	struct loaded l;
	uint64_t hash;

	make_file("a", "1", 1);
	load_in_folder(&l, rule);
	hash = l.plan->rules.v[0].text_hash;
	support_free(&l);
	load_in_folder(&l, rule);
	cr_expect_eq(hash, l.plan->rules.v[0].text_hash);
	support_free(&l);
	make_file("a", "2", 1);
	load_in_folder(&l, rule);
	cr_expect_neq(hash, l.plan->rules.v[0].text_hash);
	support_free(&l);
}

Test(content, problem)
{
	const struct fault_abort *a;
	struct loaded l;

	support_load_rule(&l, "abort: {body: problem, status: 429}");
	cr_assert_not_null(l.plan, "%s", l.text);
	a = &l.plan->rules.v[0].faults.abort;
	expect_span(a->body, "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,"
		"\"detail\":\"This answer was injected by brownout.\"}");
	cr_assert_eq(a->n_fields, 1);
	expect_span(a->fields[0].value, "application/problem+json");
	support_free(&l);
}
