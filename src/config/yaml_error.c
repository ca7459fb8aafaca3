/*
 * yaml_error: tables. What is not in them is told in libyaml's words.
 */
#include "config/yaml_error.h"

#define NO_CONTENT "did not find expected node content"

static const struct {
	const char *problem;
	const char *text;
} texts[] = {
	{ "found character that cannot start any token", "this character cannot begin a value; put the value in quotes" },
	{ "mapping values are not allowed in this context",
		"a \":\" is not allowed here; quote the value, or check the indentation" },
	{ "did not find expected key", "this line does not fit in: check the indentation and the quotes of the lines before" },
	{ "did not find expected '-' indicator", "a list item must begin with \"- \" in the column of the others" },
	{ "could not find expected ':'", "this key has no \":\" (a key and its \":\" stand on one line)" },
	{ "did not find expected ',' or ']'", "the list that begins with \"[\" needs a \",\" or its \"]\" here" },
	{ "did not find expected ',' or '}'", "the mapping that begins with \"{\" needs a \",\" or its \"}\" here" },
	{ NO_CONTENT, "no value can begin here; put the text in quotes" },
	{ "did not find expected <document start>", "nothing may follow a value that is no key; put the text in quotes" },
	{ "found unexpected end of stream", "the file ends inside of quotes" },
	{ "found unexpected document indicator", "the document ends inside of quotes" },
	{ "found unknown escape character", "there is no such escape in double quotes; in single quotes a \"\\\" is itself" },
	{ "found invalid Unicode character escape code",
		"this escape is no character (half of a pair, as JSON writes some); write the character itself" },
	{ "block sequence entries are not allowed in this context",
		"a list (\"- \") is not allowed here; begin it on a new line" },
	{ "block mapping entries are not allowed in this context", "a \"? \" is not allowed here; put the text in quotes" },
};

static const struct {
	const char *word; /* in the context */
	const char *noun;
} nouns[] = {
	{ "flow sequence", "the list" },
	{ "flow mapping", "the mapping" },
	{ "block sequence", "the list" },
	{ "block collection", "the list" },
	{ "block mapping", "the mapping" },
	{ "quoted scalar", "the quoted text" },
};

static bool begins_at(struct span source, size_t at, struct span text)
{
	return at <= source.n && span_starts_with(span_skip(source, at), text);
}

const char *yaml_error_text(const char *problem, const char *context, struct span source, size_t at)
{
	if (begins_at(source, at, SPAN("\t")))
		return "a tab cannot indent; use spaces";
	if (at >= 6 && begins_at(source, at - 6, SPAN("origin:")))
		return "write origin without its colon, or in quotes: a \":\" at the end of a word makes it a key";
	if (at >= 1 && begins_at(source, at - 1, SPAN("${")))
		return "inside of {} and [] a ${VAR} needs quotes";
	if (context && strstr(context, "scanning an alias"))
		return "a text that begins with \"*\" needs quotes";
	if (context && strstr(context, "scanning an anchor"))
		return "a text that begins with \"&\" needs quotes";
	if (problem && at >= source.n && strcmp(problem, NO_CONTENT) == 0)
		return "the file ends inside of a list or a mapping: its \"]\" or \"}\" is missing";
	for (size_t i = 0; problem && i < ARRAY_LEN(texts); i++) {
		if (strcmp(problem, texts[i].problem) == 0)
			return texts[i].text;
	}
	return problem ? problem : "this is not YAML";
}

const char *yaml_error_noun(const char *context)
{
	for (size_t i = 0; context && i < ARRAY_LEN(nouns); i++) {
		if (strstr(context, nouns[i].word))
			return nouns[i].noun;
	}
	return NULL;
}
