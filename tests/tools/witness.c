/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The witness: an origin that records every byte it gets and misbehaves as it is told.
 *
 * This file: options, listening sockets, the count of executions.  On standard output it prints
 * one line of JSON when it is ready: {"event":"ready","control":PORT,"ports":[PORT,...]}.
 */
#include "config.h"

#include "witness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct control_port {
    struct toolfd watch;
    struct witness *witness;
    int port;
    char address[64];
};

struct port *
port_find(struct witness *witness, int number)
{
    for (size_t i = 0; i < witness->ports; i++)
        if (witness->port[i].port == number)
            return &witness->port[i];
    return NULL;
}

static size_t
hash(const char *id)
{
    uint64_t sum = 14695981039346656037u;

    while (*id)
        sum = (sum ^ (unsigned char)*id++) * 1099511628211u;
    return (size_t)sum;
}

static struct execution *
execution_slot(struct execution *table, size_t room, const char *id)
{
    size_t at = hash(id) & (room - 1);

    while (table[at].count && strcmp(table[at].id, id))
        at = (at + 1) & (room - 1);
    return &table[at];
}

void
witness_execute(struct witness *witness, const char *id)
{
    struct execution *slot;

    witness->executed++;
    if (!*id)
        return;
    if (witness->execution_count * 2 >= witness->execution_room) {
        size_t room = witness->execution_room ? witness->execution_room * 2 : 1024;
        struct execution *table = tool_alloc(room * sizeof *table);

        for (size_t i = 0; i < witness->execution_room; i++)
            if (witness->executions[i].count)
                *execution_slot(table, room, witness->executions[i].id) = witness->executions[i];
        free(witness->executions);
        witness->executions = table;
        witness->execution_room = room;
    }
    slot = execution_slot(witness->executions, witness->execution_room, id);
    if (!slot->count) {
        snprintf(slot->id, sizeof slot->id, "%s", id);
        witness->execution_count++;
    }
    if (++slot->count > witness->executions_max)
        witness->executions_max = slot->count;
}

/* Opens a socket bound to *PORT (0: any, which is stored); without listen() it refuses. */
static int
bind_socket(const char *address, int *port, int flags)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t len = sizeof name;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        tool_die(errno, "socket");
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
        tool_die(0, "'%s' is not an IPv4 address", address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0 ||
        getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        tool_die(errno, "bind to %s:%d", address, *port);
    *port = ntohs(name.sin_port);
    return fd;
}

static void
on_connect(struct toolfd *watch, uint32_t events)
{
    struct port *port = tool_container(watch, struct port, watch);

    (void)events;
    for (int i = 0; i < 64; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE))
            tool_die(errno, "accept");
        if (fd < 0)
            return;
        conn_accept(port, fd);
    }
}

void
port_listen(struct port *port)
{
    if (port->listening)
        return;
    port->first_conn_at = port->first_request_at = 0;
    if (listen(port->watch.fd, port->witness->backlog) < 0)
        tool_die(errno, "listen on port %d", port->port);
    port->listen_at = tool_now();
    port->listening = true;
    toolloop_watch(&port->witness->loop, &port->watch, EPOLLIN);
    control_notify(port->witness);
}

void
port_refuse(struct port *port)
{
    struct witness *witness = port->witness;

    toolloop_disarm(&witness->loop, &port->opening);
    if (port->listening) {
        toolloop_watch(&witness->loop, &port->watch, 0);
        close(port->watch.fd);
        port->watch.fd = bind_socket(witness->address, &port->port, SOCK_NONBLOCK);
        port->listening = false;
    }
    port->refuse_at = tool_now();
}

static void
on_opening(struct tooltimer *timer)
{
    port_listen(tool_container(timer, struct port, opening));
}

static void
port_init(struct witness *witness, int number)
{
    struct port *port;

    if (witness->ports == WITNESS_PORTS)
        tool_die(0, "at most %d ports", WITNESS_PORTS);
    port = &witness->port[witness->ports++];
    port->witness = witness;
    port->port = number;
    port->opening.on_due = on_opening;
    port->watch.on_event = on_connect;
    port->watch.fd = bind_socket(witness->address, &port->port, SOCK_NONBLOCK);
    if (witness->rcvbuf)
        setsockopt(port->watch.fd, SOL_SOCKET, SO_RCVBUF, &witness->rcvbuf, sizeof(int));
}

static void
on_control(struct toolfd *watch, uint32_t events)
{
    struct control_port *control = tool_container(watch, struct control_port, watch);
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    if (fd >= 0)
        control_open(control->witness, fd);
}

static void
usage(void)
{
    puts("usage: witness [--port N]... [--control N] [--address A] [--control-address A]\n"
         "               [--name TEXT] [--generation TEXT] [--backlog N] [--rcvbuf N]\n"
         "               [--record-max BYTES] [--closed] [--forget]\n"
         "Port 0 (the default) takes any free one; --closed binds the ports without listening.\n"
         "tests/tools/README.md tells the rest.");
}

static bool
parse(struct witness *witness, struct control_port *control, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'}, {"control", 1, NULL, 'c'}, {"address", 1, NULL, 'a'},
        {"control-address", 1, NULL, 'C'},
        {"name", 1, NULL, 'n'}, {"generation", 1, NULL, 'g'}, {"backlog", 1, NULL, 'b'},
        {"rcvbuf", 1, NULL, 'r'}, {"record-max", 1, NULL, 'm'}, {"closed", 0, NULL, 'x'},
        {"forget", 0, NULL, 'f'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int ports[WITNESS_PORTS] = {0}, count = 0, letter;
    bool closed = false;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (letter) {
        case 'p':
            if (count < WITNESS_PORTS)
                ports[count++] = (int)tool_number("--port", optarg, 0, 65535);
            break;
        case 'c': control->port = (int)tool_number("--control", optarg, 0, 65535); break;
        case 'C': snprintf(control->address, sizeof control->address, "%s", optarg); break;
        case 'a': snprintf(witness->address, sizeof witness->address, "%s", optarg); break;
        case 'n': snprintf(witness->name, sizeof witness->name, "%s", optarg); break;
        case 'g': snprintf(witness->generation, sizeof witness->generation, "%s", optarg); break;
        case 'b': witness->backlog = (int)tool_number("--backlog", optarg, 1, 65535); break;
        case 'r': witness->rcvbuf = (int)tool_number("--rcvbuf", optarg, 1, 1 << 30); break;
        case 'm':
            witness->record_max = (size_t)tool_number("--record-max", optarg, 0, INT64_MAX);
            break;
        case 'x': closed = true; break;
        case 'f': witness->forget = true; break;
        case 'h': usage(); exit(0);
        default: usage(); exit(2);
        }
    }
    for (int i = 0; i < count || i == 0; i++)
        port_init(witness, ports[i]);
    return closed;
}

static void
raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int
main(int argc, char **argv)
{
    struct witness *witness = tool_alloc(sizeof *witness);
    struct control_port control = {.witness = witness, .address = "127.0.0.1"};
    bool closed;

    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise_limit();
    toolloop_init(&witness->loop);
    plan_init(&witness->standard);
    snprintf(witness->address, sizeof witness->address, "127.0.0.1");
    snprintf(witness->name, sizeof witness->name, "w");
    snprintf(witness->generation, sizeof witness->generation, "1");
    witness->backlog = 4096;
    witness->record_max = 1 << 20;
    witness->query = true;
    witness->script_end = &witness->script;
    closed = parse(witness, &control, argc, argv);
    for (size_t i = 0; i < witness->ports && !closed; i++)
        port_listen(&witness->port[i]);
    control.watch.on_event = on_control;
    control.watch.fd = bind_socket(control.address, &control.port, 0);
    if (listen(control.watch.fd, 128) < 0)
        tool_die(errno, "listen on the control port");
    toolloop_watch(&witness->loop, &control.watch, EPOLLIN);
    printf("{\"event\":\"ready\",\"control\":%d,\"ports\":[", control.port);
    for (size_t i = 0; i < witness->ports; i++)
        printf("%s%d", i ? "," : "", witness->port[i].port);
    puts("]}");
    fflush(stdout);
    toolloop_run(&witness->loop);
    return 0;
}
