/*
 * late: what a client sends on a connection whose last answer has said that it closes. Nothing of it is served; where a judge or
 * a trace wants to know, the connection is looked at for a little longer, and one such request is noted as an exchange of its
 * own, without an answer (CLOSE_AFTER_CLOSE).
 */
#ifndef BROWNOUT_PROXY_LATE_H
#define BROWNOUT_PROXY_LATE_H

#include "proxy/exchange.h"

/*
 * The answer is out whole: true where the client was told that the connection closes, its request has been read to the end, and
 * somebody wants to know what still comes. Before exchange_finish, which lets go of what is known of it; noted for the record.
 */
bool late_is_watched(struct client *c);
/* In place of client_linger. */
enum step late_begin(struct client *c);
/* A step of EXCHANGE_LINGER, of a watched connection. */
enum step late_run(struct client *c);

#endif
