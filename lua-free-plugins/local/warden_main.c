/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warden_main.c: the warden of one sandbox (warden.h): starts its command, stops and continues the
 * whole tree when Rouse asks, says when the leader ends or is stopped behind our back, and kills
 * everything when it is told to or when Rouse is gone. One thread; a turn is: signals, then calls.
 */
#include "config.h"

#include "local/warden.h"
#include "local/warden_cgroup.h"
#include "local/warden_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000
/* For a tree to stand still; for a leader to end after SIGTERM; for the dead to be buried. */
#define STOP_TIME (5 * SECOND)
#define GRACE (1 * SECOND)
#define BURIAL (5 * SECOND)

struct warden {
    int signals; /* signalfd */
    pid_t leader;
    bool leader_ended, rouse_ended, asleep; /* asleep: what Rouse was told last */
    int status;
    int64_t kill_at; /* after WARDEN_STOP; 0: not stopping */
    struct cgroup cgroup;
    struct tree tree;
};

struct command {
    const char *cgroup, *directory, *user;
    char **argv;
};

static void
say(const struct warden_word *word)
{
    /* Rouse may be gone; then the socket's end is read soon. */
    if (send(WARDEN_FD, word, sizeof(*word), MSG_NOSIGNAL) == -1)
        return;
}

/* ---- starting -------------------------------------------------------------------------------- */

static int
become(const char *user)
{
    const struct passwd *pw;

    if (user[0] == '\0')
        return 0;
    errno = 0;
    pw = getpwnam(user);
    if (!pw) {
        errno = errno ? errno : ENOENT;
        return -1;
    }
    if (pw->pw_uid == geteuid())
        return 0;
    return initgroups(pw->pw_name, pw->pw_gid) == 0 && setgid(pw->pw_gid) == 0 ?
        setuid(pw->pw_uid) : -1;
}

/* Where a start can fail, as the parent reads it. */
struct failure {
    int error;
    char what[120];
};

_Noreturn static void
run_child(const struct command *c, int go, int report, pid_t parent)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    struct failure f = {0};
    sigset_t none;
    char word;

    /* Not before the parent has put us where we belong. */
    if (read(go, &word, 1) != 1)
        _exit(127);
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &dfl, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (c->directory[0] && chdir(c->directory) != 0) {
        f.error = errno;
        snprintf(f.what, sizeof(f.what), "directory %s", c->directory);
    } else if (become(c->user) != 0) {
        f.error = errno;
        snprintf(f.what, sizeof(f.what), "user %s", c->user);
    } else {
        /* After setuid, which would clear it: should somebody kill the warden. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        if (getppid() == parent)
            execvp(c->argv[0], c->argv);
        f.error = errno;
        snprintf(f.what, sizeof(f.what), "%s", c->argv[0]);
    }
    if (write(report, &f, sizeof(f)) != sizeof(f))
        _exit(126);
    _exit(127);
}

/* Puts the child into its cgroup, lets it go and waits for its exec. */
static int
launch(struct warden *w, const struct command *c, int go, int report, struct failure *f)
{
    ssize_t n;

    if (c->cgroup[0] && cgroup_open(&w->cgroup, c->cgroup) &&
        cgroup_add(&w->cgroup, w->leader) != 0)
        cgroup_close(&w->cgroup, tree_now() + SECOND / 10);
    if (write(go, "g", 1) != 1)
        return -1;
    close(go);
    do
        n = read(report, f, sizeof(*f));
    while (n == -1 && errno == EINTR);
    close(report);
    return n == 0 ? 0 : -1;
}

static int
start(struct warden *w, const struct command *c)
{
    struct warden_word word = {.state = WARDEN_RUNNING};
    struct failure f = {.error = EIO, .what = "start"};
    pid_t self = getpid();
    int go[2], report[2];

    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0)
        return -1;
    w->leader = fork();
    if (w->leader == -1) {
        word.error = errno;
        snprintf(word.text, sizeof(word.text), "fork");
        say(&word);
        return -1;
    }
    if (w->leader == 0) {
        close(go[1]);
        run_child(c, go[0], report[1], self);
    }
    close(go[0]);
    close(report[1]);
    if (launch(w, c, go[1], report[0], &f) != 0) {
        word.error = f.error;
        snprintf(word.text, sizeof(word.text), "%s", f.what);
        say(&word);
        return -1;
    }
    word.leader = w->leader;
    snprintf(word.text, sizeof(word.text), "%s", w->cgroup.dir == -1 ? "" : w->cgroup.path);
    say(&word);
    return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Buries what has ended; false: there are no children left. */
static bool
bury(struct warden *w)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == w->leader) {
            w->leader_ended = true;
            w->status = status;
        }
    return pid == 0;
}

/* Everything dies; what forks meanwhile is found by the next round. */
static void
kill_all(struct warden *w)
{
    int64_t deadline = tree_now() + BURIAL;
    struct pollfd p = {.fd = w->signals, .events = POLLIN};
    struct signalfd_siginfo info;

    do {
        cgroup_kill(&w->cgroup);
        if (tree_kill(&w->tree) != 0 && w->leader > 0)
            kill(-w->leader, SIGKILL);
        if (poll(&p, 1, 2) > 0 && read(w->signals, &info, sizeof(info)) == -1)
            break;
    } while (bury(w) && tree_now() < deadline);
    cgroup_close(&w->cgroup, deadline);
}

static void
end(struct warden *w)
{
    struct warden_word word = {.state = WARDEN_ENDED, .leader = w->leader};

    kill_all(w);
    word.status = w->status;
    say(&word);
}

static void
begin_stop(struct warden *w)
{
    w->kill_at = tree_now() + GRACE;
    if (w->cgroup.dir != -1)
        cgroup_thaw(&w->cgroup);
    tree_continue(&w->tree);
    kill(-w->leader, SIGTERM);
}

/* ---- asleep and awake ------------------------------------------------------------------------ */

static bool
is_asleep(struct warden *w)
{
    return (w->cgroup.dir != -1 && cgroup_is_frozen(&w->cgroup)) ||
        tree_is_stopped(&w->tree, w->leader);
}

static int
pause_all(struct warden *w)
{
    int64_t deadline = tree_now() + STOP_TIME;
    int n = w->cgroup.dir != -1 ? cgroup_freeze(&w->cgroup, deadline) :
        tree_stop(&w->tree, deadline);

    if (n == -1 && w->cgroup.dir == -1) {
        int saved = errno;

        tree_continue(&w->tree);
        errno = saved;
    }
    return n;
}

/* What was stopped one by one, behind our back, is continued as well. */
static int
resume_all(struct warden *w)
{
    if (w->cgroup.dir != -1 && cgroup_thaw(&w->cgroup) != 0)
        return -1;
    if (w->cgroup.dir != -1 && !tree_is_stopped(&w->tree, w->leader))
        return 0;
    return tree_continue(&w->tree);
}

static void
answer(struct warden *w, const struct warden_call *call)
{
    struct warden_word word = {.seq = call->seq, .leader = w->leader};
    int64_t from = tree_now();
    int n = 0;

    if (call->op == WARDEN_PAUSE)
        n = pause_all(w);
    else if (call->op == WARDEN_RESUME)
        n = resume_all(w);
    if (n == -1) {
        word.error = errno;
        snprintf(word.text, sizeof(word.text), "%s",
                 call->op == WARDEN_PAUSE ? "pause" : "resume");
    } else {
        word.processes = (uint32_t)n;
    }
    w->asleep = call->op == WARDEN_LOOK || n == -1 ? is_asleep(w) : call->op == WARDEN_PAUSE;
    word.state = w->asleep ? WARDEN_PAUSED : WARDEN_RUNNING;
    word.took_us = (uint32_t)(tree_now() - from);
    say(&word);
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* One call; false: it is time to end. */
static bool
on_call(struct warden *w)
{
    struct warden_call call;
    ssize_t n = recv(WARDEN_FD, &call, sizeof(call), MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n != sizeof(call)) {
        w->rouse_ended = true;
        return w->kill_at != 0;
    }
    if (call.op == WARDEN_KILL)
        return false;
    if (call.op == WARDEN_STOP)
        begin_stop(w);
    else
        answer(w, &call);
    return true;
}

/* Children ended, stopped or went on; false: it is time to end. */
static bool
on_signals(struct warden *w)
{
    struct signalfd_siginfo info;
    struct warden_word word = {.state = WARDEN_RUNNING, .leader = w->leader};
    bool asleep;

    while (read(w->signals, &info, sizeof(info)) == sizeof(info))
        if (info.ssi_signo == SIGTERM)
            return false;
    bury(w);
    if (w->leader_ended)
        return false;
    /* The whole tree is only looked at when the leader itself leaves a doubt: orphans end often. */
    asleep = tree_state(w->leader) == 'T' || (w->asleep && is_asleep(w));
    if (asleep != w->asleep) {
        w->asleep = asleep;
        word.state = asleep ? WARDEN_PAUSED : WARDEN_RUNNING;
        say(&word);
    }
    return true;
}

static void
watch(struct warden *w)
{
    struct pollfd p[2] = {{.fd = w->signals, .events = POLLIN},
                          {.fd = WARDEN_FD, .events = POLLIN}};
    bool goes_on = true;

    while (goes_on) {
        int64_t left = w->kill_at ? w->kill_at - tree_now() : 0;

        if (w->kill_at && left <= 0)
            return;
        p[1].fd = w->rouse_ended ? -1 : WARDEN_FD;
        if (poll(p, 2, w->kill_at ? (int)(left / 1000) + 1 : -1) < 0)
            continue;
        if (p[0].revents)
            goes_on = on_signals(w);
        if (goes_on && p[1].revents)
            goes_on = on_call(w);
    }
}

static int
take_signals(void)
{
    sigset_t set;

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
main(int argc, char **argv)
{
    struct warden w = {.cgroup = {.dir = -1}};
    struct command c;
    int type = 0;
    socklen_t n = sizeof(type);

    if (argc < 5 || getsockopt(WARDEN_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0 ||
        type != SOCK_SEQPACKET) {
        fprintf(stderr, "%s: started by rouse's local plugin, not by hand\n", WARDEN_PROGRAM);
        return 2;
    }
    c = (struct command){argv[1], argv[2], argv[3], argv + 4};
    w.signals = take_signals();
    if (w.signals == -1 || fcntl(WARDEN_FD, F_SETFD, FD_CLOEXEC) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    if (start(&w, &c) == 0) {
        /* Faster than what it chases, where we may; the command itself was started before. */
        setpriority(PRIO_PROCESS, 0, -10);
        watch(&w);
    }
    end(&w);
    tree_fini(&w.tree);
    return 0;
}
