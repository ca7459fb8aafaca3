/*
 * load: the steps in their order. A step that finds errors does not keep the next ones from looking, but where the text
 * itself is no acceptable YAML there is nothing to look at.
 */
#include "config/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/decode.h"
#include "config/keys.h"
#include "config/plan_check.h"

/* Names of 32 nested keys fit. */
#define PATH_BYTES 4096

static struct plan *new_plan(const char *file)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct arena *arena = arena_new();

	if (!plan || !arena) {
		free(plan);
		arena_free(arena);
		return NULL;
	}
	atomic_init(&plan->references, 1);
	plan->memory = arena;
	plan->via = SPAN("brownout");
	/* The copy ends with a NUL. */
	plan->file = (char *)(uintptr_t)arena_copy(arena, span_of_string(file)).p;
	return plan;
}

/* 0 or -ENOMEM; errors are in d. */
static int decode_tree(struct plan *plan, const struct yaml_tree *tree, const struct load_options *options,
	struct diagnostics *diagnostics)
{
	static const struct yaml_node nothing = { .kind = YAML_SCALAR, .plain = true };
	const struct yaml_node *root = tree->root ? tree->root : &nothing;
	char path[PATH_BYTES];
	struct decode d = { .plan = plan, .arena = plan->memory, .tree = tree, .diagnostics = diagnostics };

	text_init_fixed(&d.path, path, sizeof(path));
	if (root->kind == YAML_MAPPING) {
		decode_map(&d, &keys_file, root, plan);
	} else {
		decode_defaults(&d, &keys_file, plan);
		if (!yaml_node_is_null(root))
			decode_error(&d, root, "a rule file is %s", keys_file.phrase);
	}
	/* What was left half made is not looked at. */
	if (!d.out_of_memory)
		plan_check(&d, root, options);
	if (d.out_of_memory || !plan->file || (diagnostics->n_errors == 0 && ruleset_seal(&plan->rules) != 0))
		return -ENOMEM;
	return 0;
}

static int read_and_decode(struct plan *plan, struct arena *scratch, struct span source, const struct load_options *options,
	struct diagnostics *d)
{
	const struct expand_options expand = { .env = options->env, .env_arg = options->env_arg, .used = &plan->variables,
		.kept = plan->memory };
	struct yaml_tree tree;
	int rc = yaml_tree_read(&tree, scratch, source, d);

	if (rc == 0)
		rc = expand_tree(&tree, scratch, &expand, d);
	if (rc == 0)
		rc = decode_tree(plan, &tree, options, d);
	return rc;
}

int load_plan(const char *file, struct span source, const struct load_options *options, struct plan **plan, struct diagnostics *d)
{
	static const struct load_options none;
	struct arena *scratch = arena_new();
	struct plan *loaded = new_plan(file);
	int rc = -ENOMEM;

	*plan = NULL;
	if (scratch && loaded)
		rc = read_and_decode(loaded, scratch, source, options ? options : &none, d);
	arena_free(scratch);
	diagnostics_sort(d);
	if (rc >= 0 && d->out_of_memory)
		rc = -ENOMEM;
	if (rc == 0 && d->n_errors > 0)
		rc = 1;
	if (rc == 0)
		*plan = loaded;
	else
		plan_unref(loaded);
	return rc;
}

int load_read_file(const char *file, struct text *source)
{
	bool is_stdin = strcmp(file, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	int rc = 0;

	text_init(source);
	if (fd < 0)
		return -errno;
	/* One byte more than allowed shows that there is more. */
	while (n != 0 && rc == 0) {
		size_t room = LOAD_FILE_BYTES_MAX + 1 - source->n;
		char *at = text_reserve(source, MIN(room, (size_t)16 * 1024));

		n = at ? read(fd, at, MIN(room, (size_t)16 * 1024)) : 0;
		if (!at)
			rc = -ENOMEM;
		else if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (n > 0)
			source->n += (size_t)n;
		if (rc == 0 && source->n > LOAD_FILE_BYTES_MAX)
			rc = -EFBIG;
	}
	if (!is_stdin)
		(void)close(fd);
	if (rc)
		text_deinit(source);
	return rc;
}
