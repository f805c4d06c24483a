/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_sandbox.c: what a platform answers: an inspect body. It is refused with a reason, or becomes
 * a record within its limits, which written out is a sandbox again, in the same state.
 */
#include "config.h"

#include "base/ensure.h"
#include "gateway/plugin_priv.h"
#include "gateway/record_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ensure_again(const struct record *r)
{
    struct rouse_sandbox s;
    struct rouse_json *json;
    struct jsonw j;
    struct buf out;
    char why[200];

    buf_init(&out, 65536);
    jsonw_init(&j, &out);
    record_json_write(&j, r);
    ensure(!out.full);
    ensure(plugin_sandbox_from_json(NULL, plugin_text(buf_slice(&out)), &s, &json, why,
                                    sizeof(why)) == 0);
    ensure((int)s.state == (int)r->state && (s.auto_resume != 0) == r->auto_resume);
    ensure(s.generation.n == r->generation.n);
    ensure(s.generation.n == 0 || memcmp(s.generation.p, r->generation.text, s.generation.n) == 0);
    plugin_json_free(json);
    buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rouse_text text = {(const char *)data, size};
    struct rouse_sandbox s;
    struct rouse_json *json;
    struct record r;
    struct buf b;
    char why[200] = "", room[400];

    if (plugin_sandbox_from_json(NULL, text, &s, &json, why, sizeof(why)) != 0) {
        ensure(why[0] != '\0' && !json);
        return 0;
    }
    ensure(s.ports_n <= ROUSE_PORTS && s.tokens_n <= ROUSE_TOKENS);
    ensure((int)s.state <= (int)ROUSE_STATE_KILLED);
    buf_init_fixed(&b, room, sizeof(room));
    if (record_json_fill(&r, &s, &b) == 0) {
        ensure_again(&r);
        record_fini(&r);
    } else {
        ensure(b.n > 0);
    }
    plugin_json_free(json);
    return 0;
}
