/*
 * topology_keys: see endpoint for the texts themselves.
 */
#include "config/topology_keys.h"

#include "config/endpoint.h"
#include "config/keys.h"
#include "config/side_file.h"

#define ADMIN_TOKEN_BYTES_MAX 512 /* as the message says */

static void report(struct decode *d, const struct yaml_node *node, int rc, const char *problem)
{
	if (rc < 0)
		d->out_of_memory = true;
	else if (rc > 0)
		decode_error(d, node, "\"%.*s\" %s", DECODE_SHOWN(node->text), problem);
}

static void decode_address(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char problem[ENDPOINT_PROBLEM_BYTES];

	(void)key;
	report(d, node, endpoint_parse_listen(field, d->arena, node->text, problem), problem);
}

static void schema_address(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^(.*:[0-9]{1,5}|unix:.+)$");
}

const struct value_type value_address = { "address", "an address such as 127.0.0.1:8080", decode_address, schema_address };

static void decode_url(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char problem[ENDPOINT_PROBLEM_BYTES];

	(void)key;
	report(d, node, endpoint_parse_url(field, d->arena, node->text, problem), problem);
}

static void schema_url(struct json *j, const struct key *key)
{
	(void)key;
	value_schema_string(j, "^([hH][tT][tT][pP][sS]?://.+|unix:.+|origin:?)$");
}

const struct value_type value_url = { "url", "a URL such as http://127.0.0.1:9000", decode_url, schema_url };

void topology_keys_decode_pem(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct text content;
	uint64_t hash = d->side_hash; /* of rules: this is none */

	if (!decode_is_scalar(d, node, key->type->phrase))
		return;
	if (side_file_read(d, node, &content)) {
		struct span copy = decode_copy(d, key->heap, text_span(&content));

		memcpy((char *)base + key->offset, &copy, sizeof(copy));
		if (!memmem(content.p, content.n, "-----BEGIN ", 11))
			decode_error(d, node, "\"%.*s\" is not PEM: it has no line -----BEGIN ...", DECODE_SHOWN(node->text));
	}
	d->side_hash = hash;
	text_deinit(&content);
}

void topology_keys_finish_upstream(struct decode *d, const struct yaml_node *node, void *base)
{
	const struct plan_upstream *u = base;
	const struct yaml_node *tls = yaml_node_get(node, "tls");

	if (tls && !u->is_tls)
		decode_error(d, tls, "tls is for an https url");
}

void topology_keys_finish_tls(struct decode *d, const struct yaml_node *node, void *base)
{
	const struct plan_tls *tls = base;
	const struct yaml_node *key = yaml_node_get(node, "key");

	if (key && !tls->certificate.n)
		decode_error(d, key, "a key needs its certificate");
}

void topology_keys_decode_seed(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct plan *plan = base;

	plan->seed_given = true;
	decode_value(d, key, node, &plan->seed);
	plan->rules.seed = plan->seed;
}

void topology_keys_decode_upstream(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct plan_upstream *u = decode_append(d, key, node, base);

	if (u)
		u->name = KEYS_DEFAULT_NAME;
}

void topology_keys_decode_listen(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	struct plan_listener *l = decode_append(d, key, node, base);

	if (l)
		l->name = KEYS_DEFAULT_NAME;
}

/* What may stand in Authorization: Bearer (RFC 6750 section 2.1). */
static bool is_token68(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && (c == '\0' || !strchr("-._~+/=", c)))
			return false;
	}
	return true;
}

const char *topology_keys_token_problem(struct span token)
{
	if (token.n > ADMIN_TOKEN_BYTES_MAX)
		return "has at most 512 bytes";
	return is_token68(token) ? NULL : "is made of letters, digits and -._~+/=";
}

void topology_keys_finish_admin(struct decode *d, const struct yaml_node *node, void *base)
{
	struct plan_admin *admin = base;
	const struct yaml_node *token = yaml_node_get(node, "token");

	admin->enabled = true;
	if (token && topology_keys_token_problem(admin->token))
		decode_error(d, token, "a token %s", topology_keys_token_problem(admin->token));
}
