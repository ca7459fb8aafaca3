/*
 * gateway_profiles: what each gateway's answers look like. Data only.
 */
#include "fault/gateway_profiles.h"

/* The page of nginx and its relatives: the line in the middle is below each. */
#define CENTRED(footer)                                                                                                         \
	"<html>\r\n<head><title>$c $t</title></head>\r\n<body>\r\n<center><h1>$c $t</h1></center>\r\n" footer                   \
	"</body>\r\n</html>\r\n"

static const struct gateway_text nginx_reasons[] = {
	{ 302, "Moved Temporarily" }, { 405, "Not Allowed" }, { 408, "Request Time-out" }, { 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Large" }, { 416, "Requested Range Not Satisfiable" },
	{ 503, "Service Temporarily Unavailable" }, { 504, "Gateway Time-out" }, { 0, NULL },
};
/* In the page, where it is another than in the status line. */
static const struct gateway_text nginx_texts[] = { { 302, "Found" }, { 401, "Authorization Required" }, { 0, NULL } };
static const uint16_t nginx_closing[] = { 400, 413, 414, 500, 501, 0 };
static const uint16_t nginx_paged[] = { 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413,
	414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505, 507, 0 };

static const struct gateway_text haproxy_reasons[] = {
	{ 400, "Bad request" }, { 407, "Unauthorized" }, { 408, "Request Time-out" }, { 413, "Payload Too Large" },
	{ 504, "Gateway Time-out" }, { 0, NULL },
};
static const struct gateway_text haproxy_texts[] = {
	{ 200, "All went well." },
	{ 400, "The request could not be read at all." },
	{ 401, "Name and password are needed before it can be served here." },
	{ 403, "The rules of this server forbid all of it." },
	{ 404, "Nothing of that name is in here." },
	{ 405, "Something of that name is here, but the method of this request cannot be used with it." },
	{ 407, "Name and password are needed before this can be passed on." },
	{ 408, "The request did not arrive whole in the time it had." },
	{ 410, "What was there is gone, and no other place is known where it may be." },
	{ 413, "The content of this request is too long for it." },
	{ 421, "It is not for this server to answer to you." },
	{ 422, "The request can be read, but it cannot be acted upon." },
	{ 425, "Send it again a little later." },
	{ 429, "There were too many requests from you within a short time." },
	{ 500, "Something within the server broke." },
	{ 501, "The server does not know how to do what the method of this request asks it for." },
	{ 502, "The server gave no answer that could be passed to you." },
	{ 503, "There is no server that can take this request." },
	{ 504, "The server took too long to reply." },
	{ 0, "The request was not served." },
	{ 0, NULL },
};
static const uint16_t haproxy_closing[] = { 400, 408, 0 };

static const struct gateway_text envoy_texts[] = {
	{ 502, "upstream connect error, reset reason: protocol error" },
	{ 503, "no healthy upstream" },
	{ 504, "upstream request timeout" },
	{ 0, "" },
	{ 0, NULL },
};

static const struct gateway_text go_reasons[] = { { 413, "Request Entity Too Large" }, { 422, "Unprocessable Entity" }, { 0,
	NULL } };
static const struct gateway_text traefik_texts[] = { { 503, "no available server" }, { 0, NULL } };
static const struct gateway_text varnish_reasons[] = { { 503, "Backend fetch failed" }, { 0, NULL } };

static const struct gateway_text apache_reasons[] = { { 502, "Proxy Error" }, { 0, NULL } };
static const struct gateway_text apache_texts[] = {
	{ 502, "What came back from the server behind this proxy was not understood." },
	{ 503, "This server has no room for the request at present." },
	{ 504, "The server behind this proxy did not answer in time." },
	{ 0, "The request was not served." },
	{ 0, NULL },
};

static const struct gateway_text apigw_texts[] = {
	{ 504, "{\"message\": \"Endpoint request timed out\"}" },
	{ 0, "{\"message\":\"$r\"}" },
	{ 0, NULL },
};

static const struct gateway_text cloudflare_texts[] = {
	{ 520, "The origin's answer could not be made sense of." },
	{ 521, "The origin refused the connection." },
	{ 522, "The origin did not take the connection in time." },
	{ 523, "No way to the origin was found." },
	{ 524, "The origin took the request and did not answer in time." },
	{ 525, "No TLS session could be agreed on with the origin." },
	{ 526, "The origin's certificate is not valid." },
	{ 0, NULL },
};

static const struct gateway_text fastly_reasons[] = { { 503, "first byte timeout" }, { 0, NULL } };

static const struct gateway_profile profiles[GATEWAY_COUNT] = {
	[GATEWAY_NGINX] = {
		.fields = "Server: nginx\r\nDate: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\n",
		.type = "text/html", .page = CENTRED("<hr><center>nginx</center>\r\n"), .reasons = nginx_reasons,
		.texts = nginx_texts, .closing = nginx_closing, .paged = nginx_paged, .says_keep_alive = true,
	},
	[GATEWAY_HAPROXY] = {
		.fields = "content-length: $n\r\ncache-control: no-cache\r\ncontent-type: $m\r\n",
		.type = "text/html", .page = "<html><body><h1>$c $r</h1>\n$t\n</body></html>\n", .reasons = haproxy_reasons,
		.texts = haproxy_texts, .closing = haproxy_closing, .lower_case = true,
	},
	[GATEWAY_ENVOY] = {
		.fields = "content-length: $n\r\ncontent-type: $m\r\ndate: $d\r\nserver: envoy\r\n",
		.type = "text/plain", .page = "$t", .texts = envoy_texts, .lower_case = true,
	},
	[GATEWAY_KONG] = {
		.fields = "Date: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\nX-Kong-Response-Latency: 1\r\nServer: kong\r\n"
			"X-Kong-Request-Id: $g\r\n",
		.type = "application/json; charset=utf-8", .page = "{\n  \"message\":\"$t\",\n  \"request_id\":\"$g\"\n}",
		.reasons = nginx_reasons, .says_keep_alive = true,
	},
	[GATEWAY_TRAEFIK] = {
		.fields = "Date: $d\r\nContent-Length: $n\r\nContent-Type: $m\r\n",
		.type = "text/plain; charset=utf-8", .page = "$t", .reasons = go_reasons, .texts = traefik_texts,
	},
	[GATEWAY_VARNISH] = {
		.fields = "Date: $d\r\nServer: Varnish\r\nX-Varnish: $x\r\nContent-Type: $m\r\nRetry-After: 5\r\nAge: 0\r\n"
			"Via: 1.1 varnish\r\nContent-Length: $n\r\n",
		.type = "text/html; charset=utf-8",
		.page = "<!DOCTYPE html>\n<html>\n<head><title>$c $r</title></head>\n<body>\n<h1>Error $c $r</h1>\n<p>$r</p>\n"
			"<h3>Guru Meditation:</h3>\n<p>XID: $x</p>\n<hr>\n<p>Varnish cache server</p>\n</body>\n</html>\n",
		.reasons = varnish_reasons,
	},
	[GATEWAY_CADDY] = {
		.fields = "Server: Caddy\r\nDate: $d\r\nContent-Length: $n\r\n",
		.type = "", .page = "", .reasons = go_reasons,
	},
	[GATEWAY_APACHE] = {
		.fields = "Date: $d\r\nServer: Apache\r\nContent-Length: $n\r\nContent-Type: $m\r\n",
		.type = "text/html; charset=iso-8859-1",
		.page = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>$c $r</title>\n"
			"</head><body>\n"
			"<h1>$r</h1>\n<p>$t</p>\n</body></html>\n",
		.reasons = apache_reasons, .texts = apache_texts,
	},
	[GATEWAY_AWS_ALB] = {
		.fields = "Server: awselb/2.0\r\nDate: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\n",
		.type = "text/html", .page = CENTRED(""), .reasons = nginx_reasons, .says_keep_alive = true,
	},
	[GATEWAY_AWS_APIGW] = {
		.fields = "Date: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\nx-amzn-RequestId: $u\r\nx-amz-apigw-id: $h=\r\n",
		.type = "application/json", .page = "$t", .texts = apigw_texts, .says_keep_alive = true,
	},
	[GATEWAY_CLOUDFRONT] = {
		.fields = "Server: CloudFront\r\nDate: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\n"
			"X-Cache: Error from cloudfront\r\nVia: 1.1 $g.cloudfront.net (CloudFront)\r\nX-Amz-Cf-Pop: FRA56-P1\r\n"
			"X-Amz-Cf-Id: $g==\r\n",
		.type = "text/html",
		.page = "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head><body>\n"
			"<h1>$c ERROR</h1>\n<h2>The request could not be satisfied</h2>\n<hr>\n<p>$r</p>\n"
			"<p>Request ID: $g==</p>\n"
			"</body></html>\n",
		.says_keep_alive = true,
	},
	[GATEWAY_CLOUDFLARE] = {
		.fields = "Date: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\nServer: cloudflare\r\nCF-RAY: $h-FRA\r\n",
		.type = "text/html; charset=UTF-8",
		.page = "<!DOCTYPE html>\n<html><head><title>$c: $r</title></head><body>\n<h1>Error $c</h1>\n<h2>$r</h2>\n"
			"<p>$t</p>\n"
			"<p>Ray ID: $h</p>\n</body></html>\n",
		.texts = cloudflare_texts, .says_keep_alive = true,
	},
	[GATEWAY_HEROKU] = {
		.fields = "Server: Heroku\r\nDate: $d\r\nContent-Type: $m\r\nContent-Length: $n\r\n"
			"Cache-Control: no-cache, no-store\r\nVia: 1.1 vegur\r\n",
		.type = "text/html; charset=utf-8",
		.page = "<!DOCTYPE html>\n<html>\n<head><title>Application Error</title></head>\n<body>\n"
			"<iframe src=\"//www.herokucdn.com/error-pages/application-error.html\"></iframe>\n</body>\n</html>\n",
	},
	[GATEWAY_FASTLY] = {
		.fields = "Server: Varnish\r\nRetry-After: 0\r\nContent-Type: $m\r\nContent-Length: $n\r\nDate: $d\r\n"
			"Via: 1.1 varnish\r\nX-Served-By: cache-fra-$x\r\n",
		.type = "text/html; charset=utf-8",
		.page = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE html>\n<html>\n"
			"<head><title>$c $r</title></head>\n<body>\n"
			"<h1>Error $c $r</h1>\n<p>$r</p>\n<h3>Guru Mediation:</h3>\n<p>Details: cache-fra-$x $h</p>\n<hr />\n"
			"<p>Varnish cache server</p>\n</body>\n</html>\n",
		.reasons = fastly_reasons,
	},
	[GATEWAY_AZURE_APPGW] = {
		.fields = "Server: Microsoft-Azure-Application-Gateway/v2\r\nDate: $d\r\nContent-Type: $m\r\n"
			"Content-Length: $n\r\n",
		.type = "text/html", .page = CENTRED("<hr><center>Microsoft-Azure-Application-Gateway/v2</center>\r\n"),
		.reasons = nginx_reasons, .says_keep_alive = true,
	},
	[GATEWAY_GCP_LB] = {
		.fields = "Content-Type: $m\r\nReferrer-Policy: no-referrer\r\nContent-Length: $n\r\nDate: $d\r\n",
		.type = "text/html; charset=UTF-8",
		.page = "<!DOCTYPE html>\n<html>\n<head><title>$c Server Error</title></head>\n<body>\n"
			"<h1>Error: Server Error</h1>\n"
			"<p>The server met an error that will pass. Please try again in 30 seconds.</p>\n</body>\n</html>\n",
	},
	[GATEWAY_AKAMAI] = {
		.fields = "Server: AkamaiGHost\r\nMime-Version: 1.0\r\nContent-Type: $m\r\nContent-Length: $n\r\n"
			"X-Reference-Error: 18.$h.$x.$x\r\nExpires: $d\r\nDate: $d\r\n",
		.type = "text/html",
		.page = "<html><head>\n<title>$r</title>\n</head><body>\n<h1>$r</h1>\n<p>The request was not served.</p>\n"
			"<p>Reference #18.$h.$x.$x</p>\n</body></html>\n",
		.closes = true,
	},
};

const struct gateway_profile *gateway_profile(enum gateway g)
{
	return &profiles[g];
}
