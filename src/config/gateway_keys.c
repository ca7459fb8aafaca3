/*
 * gateway_keys: what a gateway does by default is in core/gateways.def; here a rule asks for it.
 */
#include "config/gateway_keys.h"

#include "config/units.h"

#define HINT_BYTES 96
#define SCALE_ONE INT64_C(1000000)

static const struct {
	const char *name;
	int64_t timeout_ns;
	uint16_t timeout_status;
} gateways[] = {
#define GATEWAY(id, name, timeout_ns, timeout_status, unsure) { name, timeout_ns, timeout_status },
#include "core/gateways.def"
#undef GATEWAY
};

enum {
#define GATEWAY(id, name, timeout_ns, timeout_status, unsure) NUMBER_##id,
#include "core/gateways.def"
#undef GATEWAY
};

const struct choice gateway_keys_names[] = {
#define GATEWAY(id, name, timeout_ns, timeout_status, unsure) { name, NUMBER_##id + 1 },
#include "core/gateways.def"
#undef GATEWAY
	{ 0 },
};

/* ---- values ---- */

static void decode_scale(struct decode *d, const struct key *key, const struct yaml_node *node, void *field)
{
	char block[HINT_BYTES];
	struct text hint;
	uint64_t millionths;

	text_init_fixed(&hint, block, sizeof(block));
	if (units_parse_percentage(node->text, &millionths, &hint) != 0)
		value_refuse(d, node, value_scale.phrase, &hint);
	else if (millionths < key->min || millionths > key->max)
		decode_error(d, node, "%.*s is out of range (%g to %g)", DECODE_SHOWN(node->text), (double)key->min / 1e6,
			(double)key->max / 1e6);
	else
		decode_store(key, field, millionths);
}

static void schema_scale(struct json *j, const struct key *key)
{
	(void)key;
	json_member_string(j, "type", "number");
}

const struct value_type value_scale = { "number", "a number with up to 6 decimals", decode_scale, schema_scale };

void gateway_keys_decode_timeout(struct decode *d, const struct key *key, const struct yaml_node *node, void *base)
{
	bool ignored;
	const struct key in_place = { .size = sizeof(ignored) };

	(void)base;
	if (decode_is_scalar(d, node, key->type->phrase))
		key->type->decode(d, &in_place, node, &ignored);
}

/* ---- all ---- */

static bool is_true(const struct yaml_node *node)
{
	return node && node->kind == YAML_SCALAR && span_eq(node->text, SPAN("true"));
}

static void wait_as_gateway(struct decode *d, const struct yaml_node *timeout, struct fault_abort *a, int64_t scale)
{
	unsigned g = a->profile - 1U;

	if (gateways[g].timeout_ns == 0) {
		decode_error(d, timeout, "%s has no timeout of its own: give the rule status and delay", gateways[g].name);
		return;
	}
	/* At most 120 s times 1000 times 10^6: below 2^63 in microseconds. */
	a->hold_ns = gateways[g].timeout_ns / 1000 * scale / (SCALE_ONE / 1000);
	if (a->status == 0)
		a->status = gateways[g].timeout_status;
}

void gateway_keys_finish(struct decode *d, const struct yaml_node *node, struct fault_abort *a)
{
	const struct yaml_node *timeout = yaml_node_get(node, "timeout"), *scale = yaml_node_get(node, "time_scale");
	int64_t given = a->hold_ns;

	a->hold_ns = 0;
	if (scale && !is_true(timeout))
		decode_error(d, scale, "time_scale is of a gateway's timeout: give timeout: true");
	if (!is_true(timeout))
		return;
	if (a->profile)
		wait_as_gateway(d, timeout, a, given ? given : SCALE_ONE);
	else if (!yaml_node_get(node, "as"))
		decode_error(d, timeout, "whose timeout? give as, the name of a gateway");
}
