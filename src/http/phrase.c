/* SPDX-License-Identifier: BSD-2-Clause */
/* phrase.c: the statuses that Rouse itself may answer with. */
#include "config.h"

#include "http/phrase.h"

static const struct {
    uint16_t status;
    struct slice phrase;
} phrases[] = {
#define ROW(status, text) {status, {text, sizeof(text) - 1}}
    ROW(101, "Switching Protocols"),
    ROW(200, "OK"),
    ROW(201, "Created"),
    ROW(202, "Accepted"),
    ROW(204, "No Content"),
    ROW(301, "Moved Permanently"),
    ROW(302, "Found"),
    ROW(303, "See Other"),
    ROW(304, "Not Modified"),
    ROW(307, "Temporary Redirect"),
    ROW(308, "Permanent Redirect"),
    ROW(400, "Bad Request"),
    ROW(401, "Unauthorized"),
    ROW(403, "Forbidden"),
    ROW(404, "Not Found"),
    ROW(405, "Method Not Allowed"),
    ROW(408, "Request Timeout"),
    ROW(409, "Conflict"),
    ROW(410, "Gone"),
    ROW(411, "Length Required"),
    ROW(413, "Content Too Large"),
    ROW(414, "URI Too Long"),
    ROW(415, "Unsupported Media Type"),
    ROW(417, "Expectation Failed"),
    ROW(421, "Misdirected Request"),
    ROW(422, "Unprocessable Content"),
    ROW(425, "Too Early"),
    ROW(426, "Upgrade Required"),
    ROW(429, "Too Many Requests"),
    ROW(431, "Request Header Fields Too Large"),
    ROW(500, "Internal Server Error"),
    ROW(501, "Not Implemented"),
    ROW(502, "Bad Gateway"),
    ROW(503, "Service Unavailable"),
    ROW(504, "Gateway Timeout"),
    ROW(505, "HTTP Version Not Supported"),
    ROW(508, "Loop Detected"),
#undef ROW
};

struct slice
phrase_of(uint16_t status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return SLICE("");
}
