/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h: the HTML that people see: the waiting page and the errors (OPERATING section f). Complete
 * in one answer, without scripts, cookies or outside resources; works without CSS and at 320 px.
 */
#ifndef ROUSE_GATEWAY_PAGE_H
#define ROUSE_GATEWAY_PAGE_H

#include "base/buf.h"
#include "http/head.h"

/* "Waking NAME": refreshes itself every two seconds. name is escaped. */
void page_waiting(struct buf *out, struct slice name, struct slice request_id);
/* status, slug and one sentence; refresh: seconds after which it tries again, 0: never. */
void page_error(struct buf *out, unsigned status, const char *slug, struct slice message,
                struct slice name, struct slice request_id, unsigned refresh);
/* The fields that go with a page: CSP, robots, referrer, Vary. -1: out of arena. */
int page_fields(struct head *h, struct arena *a) must_check;
/* Appends s with & < > " ' escaped. */
void page_escape(struct buf *out, struct slice s);

#endif
