/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One answer of the witness.
 *
 *   INTERIM (n times) -> DELAY -> HEAD -> BODY_DELAY -> BODY -> TAIL -> DONE, or again for the
 *   next repetition.  Raw bytes replace everything from HEAD on.
 *
 * Each stage fills `out`; answer_run empties it with the pace that the plan asks for.
 */
#include "config.h"

#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

/* A canary line, then filler; each block of the body is one. */
static size_t
block(const struct conn *conn, const struct record *record, int64_t offset, char *out, bool whole)
{
    const struct witness *witness = conn->witness;
    struct toolbuf text = {0};
    size_t len;

    toolbuf_printf(&text, "witness name=%s conn=%" PRIu64 " req=%" PRIu64 " id=%s gen=%s off=%"
                   PRId64 "\n", witness->name, conn->number, record->number, record->id,
                   witness->generation, offset);
    len = text.len < WITNESS_BLOCK ? text.len : WITNESS_BLOCK;
    memcpy(out, text.data, len);
    toolbuf_fini(&text);
    if (whole)
        for (size_t i = len; i < WITNESS_BLOCK; i++)
            out[i] = (char)('a' + (size_t)(offset / WITNESS_BLOCK + (int64_t)i) % 26);
    return len;
}

void
answer_body(const struct conn *conn, const struct record *record, int64_t offset, char *out,
            size_t len)
{
    while (len) {
        char data[WITNESS_BLOCK];
        size_t skip = (size_t)(offset % WITNESS_BLOCK), take = WITNESS_BLOCK - skip;

        if (take > len)
            take = len;
        block(conn, record, offset - (int64_t)skip, data, true);
        memcpy(out, data + skip, take);
        out += take;
        offset += (int64_t)take;
        len -= take;
    }
}

/* Holds the answer back; returns false so that a stage can `return wait_for(...)`. */
static bool
wait_for(struct conn *conn, int64_t delay)
{
    if (delay <= 0)
        return true;
    conn->answer.not_before = tool_now() + delay;
    toolloop_arm(&conn->witness->loop, &conn->answer.timer, conn->answer.not_before);
    return false;
}

static void
put_head(struct conn *conn, struct record *record)
{
    struct answer *answer = &conn->answer;
    const struct plan *plan = record->plan;
    const struct witness *witness = conn->witness;
    char data[WITNESS_BLOCK];
    struct toolbuf *out = &answer->out;

    answer->size = plan->size < 0 ? (int64_t)block(conn, record, 0, data, false) : plan->size;
    if (plan->status / 100 == 1 || plan->status == 204)
        answer->size = 0;
    answer->bare = record->head_only || plan->status == 304;
    toolbuf_printf(out, "HTTP/1.1 %d %s\r\nX-Witness-Name: %s\r\nX-Witness-Conn: %" PRIu64
                   "\r\nX-Witness-Request: %" PRIu64 "\r\nX-Witness-Generation: %s\r\n",
                   plan->status, plan->status == 200 ? "OK" : "Witness", witness->name,
                   conn->number, record->number, witness->generation);
    toolbuf_printf(out, "X-Witness-Rid: %s\r\n", record->id);
    if (plan->framing == PLAN_CHUNKED)
        toolbuf_puts(out, "Transfer-Encoding: chunked\r\n");
    else if (plan->framing == PLAN_LENGTH && plan->status != 204 && plan->status / 100 != 1)
        toolbuf_printf(out, "Content-Length: %" PRId64 "\r\n", answer->size);
    if (plan->framing == PLAN_CLOSE || !record->keep_alive)
        toolbuf_puts(out, "Connection: close\r\n");
    toolbuf_add(out, plan->fields.data, plan->fields.len);
    toolbuf_puts(out, "\r\n");
}

static void
put_body(struct conn *conn, struct record *record)
{
    struct answer *answer = &conn->answer;
    const struct plan *plan = record->plan;
    int64_t left = answer->size - answer->offset, most = 1 << 16;
    bool chunked = plan->framing == PLAN_CHUNKED;

    if (chunked && plan->chunk > 0 && plan->chunk < most)
        most = plan->chunk;
    if (left > most)
        left = most;
    if (chunked)
        toolbuf_printf(&answer->out, "%" PRIx64 "\r\n", (uint64_t)left);
    answer_body(conn, record, answer->offset, toolbuf_room(&answer->out, (size_t)left),
                (size_t)left);
    answer->out.len += (size_t)left;
    if (chunked)
        toolbuf_puts(&answer->out, "\r\n");
    answer->offset += left;
}

/* Moves one stage on; false when the answer must wait for its timer. */
static bool
produce(struct conn *conn, struct record *record)
{
    struct answer *answer = &conn->answer;
    const struct plan *plan = record->plan;

    switch (answer->stage) {
    case ANSWER_INTERIM:
        if (!plan->interim || answer->interims == plan->interim_n) {
            answer->stage = ANSWER_DELAY;
            return wait_for(conn, plan->delay);
        }
        answer->interims++;
        toolbuf_printf(&answer->out, "HTTP/1.1 %d Interim\r\nX-Interim: %d\r\n\r\n", plan->interim,
                       answer->interims);
        return wait_for(conn, plan->interim_delay);
    case ANSWER_DELAY:
        answer->stage = plan->has_raw ? ANSWER_TAIL : ANSWER_HEAD;
        if (plan->has_raw)
            toolbuf_add(&answer->out, plan->raw.data, plan->raw.len);
        else
            put_head(conn, record);
        conn_answering(conn, record);
        return true;
    case ANSWER_HEAD:
        answer->stage = ANSWER_BODY_DELAY;
        return wait_for(conn, plan->body_delay);
    case ANSWER_BODY_DELAY:
    case ANSWER_BODY:
        answer->stage = ANSWER_BODY;
        if (answer->offset < answer->size && !answer->bare) {
            put_body(conn, record);
        } else {
            answer->stage = ANSWER_TAIL;
            if (plan->framing == PLAN_CHUNKED && !answer->bare)
                toolbuf_puts(&answer->out, "0\r\n\r\n");
        }
        return true;
    case ANSWER_TAIL:
        answer->stage = --answer->left > 0 ? ANSWER_DELAY : ANSWER_DONE;
        answer->offset = 0;
        return true;
    case ANSWER_NONE:
    case ANSWER_DONE:
        break;
    }
    return true;
}

/* How many bytes may be written now, so that cuts, drips and the final cut fall where asked. */
static size_t
allowance(const struct answer *answer, const struct plan *plan)
{
    size_t len = answer->out.len - answer->sent;
    const size_t *cuts = (const size_t *)(const void *)plan->cuts.data;

    if (plan->drip > 0 && (size_t)plan->drip < len)
        len = (size_t)plan->drip;
    for (size_t i = 0; i < plan->cuts.len / sizeof *cuts; i++) {
        int64_t left = (int64_t)cuts[i] - answer->total;

        if (left > 0 && (size_t)left < len)
            len = (size_t)left;
    }
    if (plan->cut >= 0 && plan->cut - answer->total < (int64_t)len)
        len = (size_t)(plan->cut - answer->total);
    return len;
}

static bool
at_cut(const struct answer *answer, const struct plan *plan)
{
    const size_t *cuts = (const size_t *)(const void *)plan->cuts.data;

    for (size_t i = 0; i < plan->cuts.len / sizeof *cuts; i++)
        if ((int64_t)cuts[i] == answer->total)
            return true;
    return plan->drip > 0;
}

/* Writes once; false when the answer must wait or has failed. */
static bool
write_some(struct conn *conn, const struct plan *plan)
{
    struct answer *answer = &conn->answer;
    size_t len = allowance(answer, plan);
    ssize_t put = 0;

    if (len)
        put = send(conn->watch.fd, answer->out.data + answer->sent, len, MSG_NOSIGNAL);
    if (put < 0) {
        if (errno == EAGAIN)
            answer->blocked = true;
        else
            conn_end(conn, "rst", true);
        return false;
    }
    answer->sent += (size_t)put;
    answer->total += put;
    if (plan->cut >= 0 && answer->total == plan->cut) {
        answer->out.len = answer->sent = 0;
        answer->stage = ANSWER_DONE;
        return true;
    }
    return !at_cut(answer, plan) || wait_for(conn, plan->drip_delay);
}

void
answer_run(struct conn *conn)
{
    struct answer *answer = &conn->answer;
    struct record *record = conn->answering;

    while (answer->stage != ANSWER_NONE && tool_now() >= answer->not_before) {
        if (answer->sent < answer->out.len) {
            if (!write_some(conn, record->plan))
                break;
            continue;
        }
        answer->out.len = answer->sent = 0;
        if (answer->stage == ANSWER_DONE) {
            answer->stage = ANSWER_NONE;
            conn_answering(conn, record);
            conn_answered(conn);
            return;
        }
        if (!produce(conn, record))
            break;
    }
    conn_rearm(conn);
}

static void
on_timer(struct tooltimer *timer)
{
    struct answer *answer = tool_container(timer, struct answer, timer);

    answer_run(tool_container(answer, struct conn, answer));
}

void
answer_init(struct conn *conn)
{
    conn->answer.timer.on_due = on_timer;
}

void
answer_start(struct conn *conn)
{
    struct answer *answer = &conn->answer;
    const struct plan *plan = conn->answering->plan;

    answer->stage = ANSWER_INTERIM;
    answer->left = plan->times;
    answer->interims = 0;
    answer->total = answer->offset = answer->not_before = 0;
    if (plan->cut == 0) {
        answer->stage = ANSWER_DONE;
        answer->not_before = plan->delay ? tool_now() + plan->delay : 0;
        if (plan->delay)
            toolloop_arm(&conn->witness->loop, &answer->timer, answer->not_before);
    }
    answer_run(conn);
}

void
answer_fini(struct conn *conn)
{
    toolloop_disarm(&conn->witness->loop, &conn->answer.timer);
    toolbuf_fini(&conn->answer.out);
}
