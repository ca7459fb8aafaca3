/*
 * json_digest: the text is taken apart, the members are removed, and it is written in one canonical way, whose hash is taken.
 */
#include "observe/json_digest.h"

#include <stdlib.h>

#include <jansson.h>

#include "core/random.h"

#define NAME_BYTES 256

/* Each step of the path but the last must be an object: else there is nothing to remove. */
static void remove_path(json_t *root, struct span path)
{
	struct span rest = span_skip(path, 2); /* "$." */
	json_t *at = root;

	while (rest.n && json_is_object(at)) {
		struct span step = span_first(rest, span_find(rest, '.'));
		char name[NAME_BYTES];

		if (step.n >= sizeof(name))
			return;
		memcpy(name, step.p, step.n);
		name[step.n] = '\0';
		rest = span_skip(rest, step.n + 1);
		if (rest.n == 0)
			(void)json_object_del(at, name);
		else
			at = json_object_get(at, name);
	}
}

uint64_t json_digest(struct span text, const struct span *paths, unsigned n_paths)
{
	json_t *root = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
	uint64_t hash = 0;
	char *canonical;

	if (!root)
		return 0;
	for (unsigned i = 0; i < n_paths; i++)
		remove_path(root, paths[i]);
	canonical = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	if (canonical) {
		hash = random_hash(0, span_of_string(canonical));
		hash = hash ? hash : 1;
	}
	free(canonical);
	json_decref(root);
	return hash;
}
