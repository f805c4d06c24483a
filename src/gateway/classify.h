/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify.h: what a request is for (CONTRACT section 4): decided from intent, that is method,
 * Upgrade, Sec-Fetch-*, Accept, Content-Type; from User-Agent only for the configured probes.
 */
#ifndef ROUSE_GATEWAY_CLASSIFY_H
#define ROUSE_GATEWAY_CLASSIFY_H

#include "gateway/route.h"

enum traffic_class classify(const struct head *h, const struct route *r);
/* May an HTML page stand in for the answer: a navigation with GET or HEAD whose Sec-Fetch-Dest,
 * if any, is a document or a frame? (OPERATING section f) */
bool classify_page_fits(const struct head *h, enum traffic_class c);
/* The path of the target, without the query. */
struct slice classify_path(const struct head *h);

#endif
