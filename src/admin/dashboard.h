/*
 * dashboard: the page that shows and steers a running brownout, as one self-contained document. The bytes and the policy are
 * made by dashboard_embed from dashboard.html and the files in dashboard/ when the program is built.
 */
#ifndef BROWNOUT_ADMIN_DASHBOARD_H
#define BROWNOUT_ADMIN_DASHBOARD_H

#include "base/span.h"

/* text/html, UTF-8. Static. */
struct span dashboard_page(void);
/*
 * The Content-Security-Policy to send with it: nothing is loaded, only the page's own script and style run (by their hashes),
 * only the page's own origin is asked, no text can become markup.
 */
const char *dashboard_policy(void);

#endif
