/* yaml_tree: what is read and where it stands, what is refused and where, and that hostile files are refused early. */
#include "config/yaml_tree.h"

#include "support.h"

struct tree {
	struct yaml_tree tree;
	struct arena *arena;
	struct diagnostics d;
	int rc;
};

static void read_tree(struct tree *t, struct span source)
{
	*t = (struct tree){ .arena = arena_new() };
	cr_assert_not_null(t->arena);
	t->rc = yaml_tree_read(&t->tree, t->arena, source, &t->d);
}

static void free_tree(struct tree *t)
{
	diagnostics_deinit(&t->d);
	arena_free(t->arena);
}

/* The tree as flow YAML: [a, {b: c}]; quoted scalars in quotes. */
static void put_node(struct text *out, const struct yaml_node *node)
{
	static const char *const brackets[][2] = { [YAML_SEQUENCE] = { "[", "]" }, [YAML_MAPPING] = { "{", "}" } };

	if (node->kind == YAML_SCALAR) {
		text_put_string(out, node->plain ? "" : "'");
		text_put_span(out, node->text);
		text_put_string(out, node->plain ? "" : "'");
		return;
	}
	text_put_string(out, brackets[node->kind][0]);
	for (const struct yaml_item *item = node->items; item; item = item->next) {
		if (item->key) {
			put_node(out, item->key);
			text_put_string(out, ": ");
		}
		put_node(out, item->value);
		text_put_string(out, item->next ? ", " : "");
	}
	text_put_string(out, brackets[node->kind][1]);
}

Test(yaml_tree, shapes)
{
	static const char *const cases[][2] = {
		{ "a: 1\nb: [x, 'y', \"z\"]\n", "{a: 1, b: [x, 'y', 'z']}" },
		{ "- a\n- b: c\n  d: e\n-\n", "[a, {b: c, d: e}, ]" },
		{ "{\"a\": [1, 2.5, true, null, \"x\\ny\"], \"b\": {}}", "{'a': [1, 2.5, true, null, 'x\ny'], 'b': {}}" },
		{ "{\n\t\"a\": 1,\n\t\"b\": [\n\t\t2\n\t]\n}\n", "{'a': 1, 'b': [2]}" }, /* JSON indented by tabs */
		{ "{\"a\":1,\"b\":\"c\\/d\\u00e9\"}", "{'a': 1, 'b': 'c/d\xc3\xa9'}" },
		{ "a: |\n  x\n  y\nb: >\n  x\n  y\n", "{a: 'x\ny\n', b: 'x y\n'}" },
		{ "# c\n---\na: b # c\n...\n# d\n\n", "{a: b}" },
		{ "\xef\xbb\xbf" "a: b\n", "{a: b}" },
		{ "a: &x [1, 2]\nb: *x\n", "{a: [1, 2], b: [1, 2]}" },
		{ "a: b\r\nc: d\r\n", "{a: b, c: d}" },
		{ "a: http://h:1/p#f\n", "{a: http://h:1/p#f}" },
		{ "? a\n: b\n", "{a: b}" },
		{ "x", "x" },
		{ "'a: b'", "'a: b'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		struct text out;

		read_tree(&t, span_of_string(cases[i][0]));
		cr_assert_eq(t.rc, 0, "%s: %s", cases[i][0], t.d.n ? t.d.v[0].message : "");
		text_init(&out);
		put_node(&out, t.tree.root);
		expect_span(text_span(&out), cases[i][1]);
		text_deinit(&out);
		free_tree(&t);
	}
}

Test(yaml_tree, empty_documents)
{
	static const char *const cases[] = { "", "\n\n", "# only a comment\n", "   ", "\xef\xbb\xbf" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;

		read_tree(&t, span_of_string(cases[i]));
		cr_expect_eq(t.rc, 0, "case %zu", i);
		cr_expect_null(t.tree.root);
		free_tree(&t);
	}
}

Test(yaml_tree, places)
{
	static const struct {
		const char *source;
		unsigned line, column; /* of the value of x */
	} cases[] = {
		{ "x: 1", 1, 4 },
		{ "a: 1\nx:   2", 2, 6 },
		{ "a: b\r\nx: c", 2, 4 },
		{ "a: {b: [1], x: 3}", 1, 4 },
		{ "x:\n  - 1", 2, 3 },
		{ "x:\n  y: 1", 2, 3 },
		{ "\xc3\xa9: \xe2\x82\xac\nx: 1", 2, 4 }, /* characters of several bytes before */
		{ "\"\xf0\x9f\x98\x80\xc3\xa9\": 1\nx: 1", 2, 4 },
		{ "{\"\xf0\x9f\x98\x80\": 1, x: 1}", 1, 16 }, /* columns are bytes */
		{ "\xef\xbb\xbfx: 1", 1, 4 }, /* the mark does not count */
		{ "a: |\n  text\n  text\nx: 1", 4, 4 },
		{ "a: \"1\n\n\n  2\"\nx: 1", 5, 4 },
		{ "{\t\"x\":\t1}", 1, 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		const struct yaml_node *node;
		unsigned line, column;

		read_tree(&t, span_of_string(cases[i].source));
		cr_assert_eq(t.rc, 0, "case %zu: %s", i, t.d.n ? t.d.v[0].message : "");
		node = yaml_node_get(t.tree.root, "x");
		if (cases[i].source[0] == 'a' && !node)
			node = yaml_node_get(t.tree.root, "a");
		cr_assert_not_null(node, "case %zu", i);
		yaml_tree_place(&t.tree, node->at, &line, &column);
		cr_expect(line == cases[i].line && column == cases[i].column, "case %zu: %u:%u", i, line, column);
		free_tree(&t);
	}
}

struct refusal {
	const char *source;
	unsigned line, column;
	const char *message;
};

Test(yaml_tree, refusals)
{
	static const struct refusal cases[] = {
		{ "a: 1\n\tb: 2\n", 2, 1, "a tab cannot indent; use spaces" },
		{ "a: b: c\n", 1, 5, "a \":\" is not allowed here; quote the value, or check the indentation" },
		{ "upstream: origin:\n", 1, 17,
			"write origin without its colon, or in quotes: a \":\" at the end of a word makes it a key" },
		{ "a: [1, 2\nb: 3\n", 2, 2, "the list that begins with \"[\" needs a \",\" or its \"]\" here" },
		{ "a: {b: ${VAR}}\n", 1, 9, "inside of {} and [] a ${VAR} needs quotes" },
		{ "a: *\n", 1, 5, "a text that begins with \"*\" needs quotes" },
		{ "host: *.test\n", 1, 8, "a text that begins with \"*\" needs quotes" },
		{ "a: & b\n", 1, 5, "a text that begins with \"&\" needs quotes" },
		{ "a: \"\\d\"\n", 1, 5, "there is no such escape in double quotes; in single quotes a \"\\\" is itself" },
		{ "{\"a\": \"\\ud83d\\ude00\"}\n", 1, 10,
			"this escape is no character (half of a pair, as JSON writes some); write the character itself" },
		{ "a: [::1]:80\n", 1, 5, "no value can begin here; put the text in quotes" },
		{ "a: [\n", 2, 1, "the file ends inside of a list or a mapping: its \"]\" or \"}\" is missing" },
		{ "a: {b: [", 1, 9, "the file ends inside of a list or a mapping: its \"]\" or \"}\" is missing" },
		{ "a: \"b\" c\n", 1, 8, "this line does not fit in: check the indentation and the quotes of the lines before" },
		{ "a: @x\n", 1, 4, "this character cannot begin a value; put the value in quotes" },
		{ "a: 'x\n", 2, 1, "the file ends inside of quotes" },
		{ "a: 1\nb\n", 3, 1, "this key has no \":\" (a key and its \":\" stand on one line)" },
		{ "a: - b\n", 1, 4, "a list (\"- \") is not allowed here; begin it on a new line" },
		{ "a: !!str b\n", 1, 4, "tags (!) are not supported; quote the text that begins with \"!\"" },
		{ "a: !x [b]\n", 1, 4, "tags (!) are not supported" },
		{ "!x a: b\n", 1, 1, "tags (!) are not supported; quote the text that begins with \"!\"" },
		{ "%YAML 1.2\n---\na: b\n", 1, 1, "YAML directives (%) are not supported; delete this line" },
		{ "# c\n\n%TAG ! x\n---\na: b\n", 3, 1, "YAML directives (%) are not supported; delete this line" },
		{ "a: b\n---\nc: d\n", 2, 1, "a second document begins here: a file is one" },
		{ "a: b\n...\n# c\n\nc: d\n", 5, 1, "a second document begins here: a file is one" },
		{ "a: b\n...\n%TAG ! x\n", 3, 1, "a second document begins here: a file is one" },
		{ "a: &x 1\n<<: *x\n", 2, 1, "merge keys (<<) are not supported; write the keys out" },
		{ "[a]: b\n", 1, 1, "a key must be a plain text" },
		{ "{a: b}: c\n", 1, 1, "a key must be a plain text" },
		{ "a: *x\n", 1, 4, "no anchor &x was seen before this alias" },
		{ "a: &x [*x]\n", 1, 8, "the alias *x stands inside of what it names" },
		{ "a: \xff\n", 1, 4, "byte 0xff is not UTF-8; save the file as UTF-8" },
		{ "a: b\nc: \xc3(\n", 2, 4, "byte 0xc3 is not UTF-8; save the file as UTF-8" },
		{ "a: \xed\xa0\x80\n", 1, 4, "byte 0xed is not UTF-8; save the file as UTF-8" },
		{ "a: x\x01\n", 1, 5, "control character 0x01; write it as an escape in double quotes" },
		{ "a: x\x7f\n", 1, 5, "control character 0x7f; write it as an escape in double quotes" },
		{ "a: \xc2\x9b\n", 1, 4, "a character that YAML does not allow" },
		{ "a: \xef\xbf\xbf\n", 1, 4, "a character that YAML does not allow" },
		{ "a: \xef\xbb\xbf\n", 1, 4, "a character that YAML does not allow" },
		{ "\xfe\xff\0a", 1, 1, "byte 0xfe is not UTF-8; save the file as UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct refusal *c = &cases[i];
		struct tree t;

		read_tree(&t, span_of_string(c->source));
		cr_expect_eq(t.rc, 1, "\"%s\" was read", c->source);
		cr_expect_null(t.tree.root);
		cr_assert_geq(t.d.n, 1);
		cr_expect_str_eq(t.d.v[0].message, c->message, "\"%s\": %s", c->source, t.d.v[0].message);
		cr_expect(t.d.v[0].line == c->line && t.d.v[0].column == c->column, "\"%s\": %u:%u", c->source, t.d.v[0].line,
			t.d.v[0].column);
		free_tree(&t);
	}
}

Test(yaml_tree, nul_is_refused)
{
	struct tree t;

	read_tree(&t, SPAN("a: b\0c\n"));
	cr_expect_eq(t.rc, 1);
	cr_expect_str_eq(t.d.v[0].message, "control character 0x00; write it as an escape in double quotes");
	free_tree(&t);
}

Test(yaml_tree, duplicate_keys_are_told_with_both_places)
{
	struct tree t;

	read_tree(&t, SPAN("a: 1\nb: {x: 1, y: 2, x: 3}\n\"a\": 4\na: 5\n"));
	cr_expect_eq(t.rc, 0);
	cr_expect_not_null(t.tree.root);
	cr_assert_eq(t.d.n, 6);
	cr_assert_eq(t.d.n_errors, 3);
	diagnostics_sort(&t.d);
	cr_expect_str_eq(t.d.v[0].message, "the key \"x\" is given twice");
	cr_expect(t.d.v[0].line == 2 && t.d.v[0].column == 17);
	cr_expect_str_eq(t.d.v[1].message, "first given here");
	cr_expect(t.d.v[1].level == DIAGNOSTIC_NOTE && t.d.v[1].line == 2 && t.d.v[1].column == 5);
	cr_expect(t.d.v[2].line == 3 && t.d.v[2].column == 1);
	cr_expect(t.d.v[3].line == 1 && t.d.v[3].column == 1);
	cr_expect(t.d.v[4].line == 4 && t.d.v[4].column == 1);
	cr_expect(t.d.v[5].line == 1 && t.d.v[5].column == 1);
	free_tree(&t);
}

/* ---- limits ---- */

/* `unit` again and again, n bytes at most. */
static char *repeat(const char *prefix, const char *unit, size_t n, struct span *source)
{
	size_t unit_n = strlen(unit), at = strlen(prefix);
	char *p = malloc(n + 1);

	cr_assert_not_null(p);
	memcpy(p, prefix, at);
	while (at + unit_n <= n) {
		memcpy(p + at, unit, unit_n);
		at += unit_n;
	}
	*source = span_of(p, at);
	return p;
}

/* Each would take libyaml alone seconds to minutes. That they stop early shows in where they are refused. */
Test(yaml_tree, hostile_files_are_refused_where_a_limit_is_met, .timeout = 20)
{
	static const struct {
		const char *prefix, *unit;
		unsigned line, column;
		const char *message;
	} cases[] = {
		{ "", "[", 1, 33, "nested deeper than 32 levels" },
		{ "", "[\n", 33, 1, "nested deeper than 32 levels" },
		{ "", "{a: ", 1, 129, "nested deeper than 32 levels" },
		{ "", "[a,", 1, 97, "nested deeper than 32 levels" },
		{ "", "- ", 1, 65, "nested deeper than 32 levels" },
		{ "", "? ", 1, 3, "a key must be a plain text" },
		{ "", "- ? ", 1, 5, "a key must be a plain text" },
		{ "", "a: &a [", 1, 7, NULL },
		{ "", "- &a x\n", YAML_ANCHORS_MAX + 1, 3, "more than 256 anchors (&)" },
		{ "- &a [x]\n", "- *a\n", 5002, 3, "the aliases (*) unfold to more than 10000 values" },
		{ "", "- x\n", YAML_NODES_MAX, 3, "more than 200000 values" },
		{ "", "%TAG !a! x\n", 1, 1, "YAML directives (%) are not supported; delete this line" },
		{ "a: b\n...\n", "%TAG !a! x\n", 3, 1, "a second document begins here: a file is one" },
		{ "", "\xff", 1, 1, "byte 0xff is not UTF-8; save the file as UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		struct span source;
		char *p = repeat(cases[i].prefix, cases[i].unit, YAML_BYTES_MAX, &source);

		read_tree(&t, source);
		cr_expect_eq(t.rc, 1, "case %zu", i);
		cr_assert_geq(t.d.n, 1);
		if (cases[i].message) {
			cr_expect_str_eq(t.d.v[0].message, cases[i].message, "case %zu: %s", i, t.d.v[0].message);
			cr_expect(t.d.v[0].line == cases[i].line && t.d.v[0].column == cases[i].column, "case %zu: %u:%u", i,
				t.d.v[0].line, t.d.v[0].column);
		}
		free_tree(&t);
		free(p);
	}
}

Test(yaml_tree, aliases_of_aliases_are_bounded)
{
	struct tree t;

	/* 10 to the 5th values from 300 bytes */
	read_tree(&t, SPAN("- &a [1,1,1,1,1,1,1,1,1,1]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		"- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n- &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		"- &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"));
	cr_expect_eq(t.rc, 1);
	cr_expect_str_eq(t.d.v[0].message, "the aliases (*) unfold to more than 10000 values");
	free_tree(&t);
	/* Nesting by aliases counts as nesting. */
	read_tree(&t, SPAN("- &a [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n- [[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]\n"));
	cr_expect_eq(t.rc, 1);
	cr_expect_str_eq(t.d.v[0].message, "nested deeper than 32 levels");
	free_tree(&t);
}

Test(yaml_tree, depth_up_to_the_limit)
{
	char source[YAML_DEPTH_MAX * 2 + 3];
	struct tree t;

	for (unsigned depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
		memset(source, '[', depth);
		memset(source + depth, ']', depth);
		read_tree(&t, span_of(source, depth * 2));
		cr_expect_eq(t.rc, depth > YAML_DEPTH_MAX, "depth %u", depth);
		free_tree(&t);
	}
}

Test(yaml_tree, size_up_to_the_limit)
{
	struct tree t;
	struct span source;
	char *p = repeat("a: b\n", "#", YAML_BYTES_MAX + 1, &source);

	read_tree(&t, span_first(source, YAML_BYTES_MAX));
	cr_expect_eq(t.rc, 0);
	free_tree(&t);
	read_tree(&t, source);
	cr_expect_eq(t.rc, 1);
	cr_expect_str_eq(t.d.v[0].message, "the file has more than 1048576 bytes");
	cr_expect_eq(t.d.v[0].line, 0);
	free_tree(&t);
	free(p);
}

/* ---- reading the tree ---- */

Test(yaml_tree, null_is_plain)
{
	struct tree t;

	read_tree(&t, SPAN("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: Null\ng: []\n"));
	cr_assert_eq(t.rc, 0);
	for (const char *key = "abc"; *key; key++)
		cr_expect(yaml_node_is_null(yaml_node_get(t.tree.root, (char[]){ *key, '\0' })), "%c", *key);
	for (const char *key = "defg"; *key; key++)
		cr_expect(!yaml_node_is_null(yaml_node_get(t.tree.root, (char[]){ *key, '\0' })), "%c", *key);
	cr_expect_null(yaml_node_get(t.tree.root, "h"));
	cr_expect_null(yaml_node_get(NULL, "a"));
	free_tree(&t);
}

static uint64_t hash_of(const char *source)
{
	struct tree t;
	uint64_t h;

	read_tree(&t, span_of_string(source));
	cr_assert_eq(t.rc, 0);
	h = yaml_node_hash(t.tree.root);
	free_tree(&t);
	return h;
}

Test(yaml_tree, hash_is_of_the_content)
{
	static const char *const same[] = { "{a: 1, b: [x, y]}", "b:\n- x # c\n- \"y\"\na: '1'\n",
		"{\"b\": [\"x\", \"y\"], \"a\": 1}" };
	static const char *const others[] = { "{a: 1, b: [y, x]}", "{a: 2, b: [x, y]}", "{a: 1, b: [x, y], c: 1}",
		"{a: 1, b: [x]}",
		"{b: 1, a: [x, y]}", "{a: 1, b: {x: y}}", "{a: 1, b: xy}", "[a, 1, b, [x, y]]", "{a: 1, b: [[x, y]]}", "{}",
			"[]" };

	for (size_t i = 1; i < ARRAY_LEN(same); i++)
		cr_expect_eq(hash_of(same[i]), hash_of(same[0]), "%s", same[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		cr_expect_neq(hash_of(others[i]), hash_of(same[0]), "%s", others[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(hash_of(others[i]), hash_of(others[k]), "%s, %s", others[i], others[k]);
	}
}
