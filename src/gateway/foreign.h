/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign.h: fields of a sandbox's answer whose effect reaches beyond its own host, where its
 * neighbours live (RELIABILITY E12). Pure.
 */
#ifndef ROUSE_GATEWAY_FOREIGN_H
#define ROUSE_GATEWAY_FOREIGN_H

#include "base/arena.h"
#include "base/ensure.h"
#include "http/head.h"

/*
 * Takes out of an answer what must not leave host, the request's Host:
 *   Alt-Svc            moves other requests to where nobody asked it to
 *   Set-Cookie         with a Domain other than host: a parent's cookie goes to all neighbours
 *   Strict-Transport-Security   loses includeSubDomains and preload
 *   Clear-Site-Data    "cookies" and "*" clear those of the whole registrable domain: goes, unless
 *                      it names only what belongs to one origin
 *   NEL, Report-To     report on subdomains as well
 * Reporting-Endpoints stays: it belongs to one document. -1: out of arena.
 */
int foreign_strip(struct head *answer, struct arena *a, struct slice host) must_check;

#endif
