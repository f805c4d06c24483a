/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin_client.h: one call to the admin side of a running gateway, over its unix socket; blocking.
 * For the commands that talk to a gateway.
 */
#ifndef ROUSE_APP_ADMIN_CLIENT_H
#define ROUSE_APP_ADMIN_CLIENT_H

#include <jansson.h>

#include "app/command.h"
#include "base/buf.h"

struct admin_answer {
    int status;      /* 0: no answer, and that was said on stderr */
    struct buf body;
    json_t *json;    /* of the body, or NULL when it is none */
};

/*
 * The socket: -s, else $ROUSE_SOCKET, else admin.socket of the configuration (-c or the usual
 * places), else /run/rouse/admin.sock. Returns EXIT_FINE for a 2xx; otherwise the exit status, and
 * what went wrong stands on stderr: EXIT_CONFIG, EXIT_FAILED, or EXIT_RETRY when trying again may
 * help. admin_answer_fini in any case.
 */
int admin_call(const struct command_args *a, const char *method, const char *path,
               struct admin_answer *out);
void admin_answer_fini(struct admin_answer *x);
/* The socket that admin_call would use. 0, or the exit status. */
int admin_socket(const struct command_args *a, char *path, size_t n);
/* 0 when a gateway listens there; says nothing. */
int admin_probe(const char *socket_path);
/* admin_call with a socket that is known; an answer other than 2xx is EXIT_FAILED, unsaid. */
int admin_ask(const char *socket_path, const char *method, const char *path,
              struct admin_answer *out);
/* A call whose answer is printed as it is: for -o json. */
int admin_print(const struct command_args *a, const char *method, const char *path);

#endif
