# SPDX-License-Identifier: BSD-2-Clause
"""The n-th allocation, the n-th system call fails: no crash, no leak, the accounts balance.

One scenario (a fresh sandbox is looked up, woken, served, paused by Rouse) for each n, until the
program makes no n-th call any more.  TORTURE: the most to try of each kind; every n up to it.
"""

import http.client
import itertools
import os

import pytest
from rousetest import BadAnswer, Connection, free_port
from rousetest.admin import Admin
from rousetest.config import WIDE, one_site
from rousetest.faults import FOREVER, FailSys, skip_if_instrumented

MOST = int(os.environ.get("TORTURE", "60"))
LIMITS = WIDE | {"answer_time": "1s", "wakes": "off", "pool_idle": "100ms", "fresh": "0s"}
FAILURES = [("malloc", "ENOMEM"), ("socket", "EMFILE"), ("accept", "EMFILE"),
            ("accept", "ECONNABORTED"), ("connect", "ECONNREFUSED"), ("connect", "ENETUNREACH"),
            ("recv", "ECONNRESET"), ("recv", "EAGAIN"), ("recv", "EINTR"), ("recv", "eof"),
            ("send", "EPIPE"), ("send", "ECONNRESET"), ("send", "EAGAIN"), ("epoll", "ENOMEM"),
            ("epoll_wait", "EINTR"),
            ("timerfd", "ENOMEM"), ("sockopt", "ENOBUFS"), ("read", "EAGAIN"), ("open", "EMFILE")]
LASTING = [("malloc", "ENOMEM"), ("epoll", "ENOMEM"), ("socket", "EMFILE"), ("recv", "ECONNRESET")]


class Scenario:
    def __init__(self, gateway, witness, hook, tmp_path):
        skip_if_instrumented()
        self.failing = FailSys(tmp_path, idle=True)
        self.w, self.h = witness(), hook()
        self.w.set(record_max=0, forget=1)
        self.h.sandbox("good", "running", address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        wake = {"limit_per_client": "off", "limit_per_sandbox": "off", "lease": "1s"}
        self.g = gateway(one_site(self.port, self.h, workers=1, limits=LIMITS, wake=wake,
                                  hold={"timeout": "2s"}, admin=self.admin.config),
                         env=self.failing.env)
        self.numbers = itertools.count()

    def get(self, c, name, body=b"hello"):
        return c.request(f"POST / HTTP/1.1\r\nHost: 3000-{name}.t.localhost\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body, timeout=10)

    def play(self):
        """What the client got, as far as it got anything; never silence."""
        name = f"t{next(self.numbers)}"
        self.h.sandbox(name, "paused", address=f"127.0.0.1:{self.w.port}")
        try:
            with Connection(self.port) as c:
                status = [self.get(c, name).status for _ in range(2)]
        except (BadAnswer, ConnectionError):
            status = ["cut"]
        try:
            status.append(self.admin.ask("POST", f"/sandboxes/{name}/pause", timeout=20)[0])
        except (OSError, http.client.HTTPException):
            status.append("cut")
        return status

    def check_well(self):
        """The fault is over: everything works."""
        assert self.g.proc.poll() is None, "it died\n" + "\n".join(self.g.noise)
        with Connection(self.port) as c:
            assert self.get(c, "good").status == 200


@pytest.mark.parametrize("kind,effect", FAILURES)
def test_the_nth_fails(gateway, witness, hook, tmp_path, kind, effect):
    s = Scenario(gateway, witness, hook, tmp_path)
    for _ in range(3):
        assert s.play() == [200, 200, 200]
    s.check_well()
    descriptors = s.g.open_descriptors()
    tried = 0
    for n in range(1, MOST + 1):
        s.failing.rule(kind, n, effect=effect)
        s.failing.arm()
        got = s.play()
        s.failing.disarm()
        assert s.g.proc.poll() is None, f"{kind} {n} {effect}: died after {got}\n" + \
            "\n".join(s.g.noise)
        if s.failing.fired() == 0:
            break
        tried = n
    print(f"# {kind} {effect}: {tried} tried")
    end(s, descriptors)


@pytest.mark.parametrize("kind,effect", LASTING)
def test_all_fail_from_the_nth_on(gateway, witness, hook, tmp_path, kind, effect):
    """Until the machine has recovered; then everything works again."""
    s = Scenario(gateway, witness, hook, tmp_path)
    for _ in range(3):
        assert s.play() == [200, 200, 200]
    descriptors = s.g.open_descriptors()
    for n in range(1, max(2, MOST // 10) + 1):
        s.failing.rule(kind, n, FOREVER, effect=effect)
        s.failing.arm()
        got = s.play()
        s.failing.disarm()
        assert s.g.proc.poll() is None, f"{kind} {n} {effect}: died after {got}\n" + \
            "\n".join(s.g.noise)
        s.check_well()
    end(s, descriptors)


def end(s, descriptors):
    s.check_well()
    assert s.play() == [200, 200, 200]
    s.admin.wait_metric("http_server_active_requests", 0)
    s.admin.wait_metric("http_client_open_connections", 0)
    assert s.g.open_descriptors() <= descriptors + 6
    s.g.finish()
