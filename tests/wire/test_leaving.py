# SPDX-License-Identifier: BSD-2-Clause
"""Clients that leave at every step: nothing is lost, nothing stays behind.

LEAVING_CYCLES: how many requests (the figure to reach is 10,000, with sanitizers).
"""

import os

import pytest
from rousetest import Connection, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, one_site
from rousetest.faults import CountMalloc

HOST = "3000-blog.t.localhost"
CYCLES = int(os.environ.get("LEAVING_CYCLES", "1500"))
LIMITS = WIDE | {"pool_idle": "100ms", "wakes": "off"}
HEAD = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\n".encode()


class Place:
    def __init__(self, gateway, witness, hook, state, env=None):
        self.w = witness()
        self.w.set(record_max=0, forget=1)
        self.h = hook()
        self.h.sandbox("blog", state, address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        self.g = gateway(one_site(self.port, self.h, limits=LIMITS, hold=WIDE_HOLD,
                                  wake={"limit_per_sandbox": "off", "limit_per_client": "off"},
                                  admin=self.admin.config), env=env)

    def wait_idle(self):
        for gauge in ("rouse_connections", "http_server_active_requests", "rouse_held_requests",
                      "http_client_open_connections"):
            self.admin.wait_metric(gauge, 0)


@pytest.fixture
def place(gateway, witness, hook):
    return lambda state, **options: Place(gateway, witness, hook, state, **options)


@pytest.mark.parametrize("state", ["running", "paused"])
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_each_step(place, state, leave):
    p = place(state)
    gate = p.h.gate("resume") if state == "paused" else None

    def gone(c):
        (c.close if leave == "close" else c.reset)()

    for sent in (b"", HEAD[:10], HEAD[:-2]):
        c = Connection(p.port)
        c.send(sent)
        gone(c)
    p.wait_idle()
    assert p.g.access() == [] and p.w.stats()["connections"] == 0 and p.h.count("resume") == 0
    if gate:                                  # while held: with a part of the body, with all of it
        for body in (b"", b"hello", b"helloworld"):
            mark = p.g.mark()
            c = Connection(p.port)
            c.send(HEAD + body)
            p.h.wait_calls("resume")
            gone(c)
            p.g.wait_access(after=mark, http__response__status_code=499)
        p.admin.wait_metric("rouse_held_requests", 0)
        gate.set()
        p.g.wait_event("woken")
    for body in (b"", b"hello"):              # in the body, connected
        mark = p.g.mark()
        c = Connection(p.port)
        c.send(HEAD + body)
        p.w.wait(connections=1)
        gone(c)
        p.g.wait_access(after=mark, http__response__status_code=499)
    for plan in ({"never": 1}, {"body_delay": 60000, "size": 100}, {"drip": 1, "size": 100000}):
        mark, seen = p.g.mark(), p.w.stats()["requests"]
        p.w.plan(**plan)
        c = Connection(p.port)
        c.send(HEAD + b"helloworld")
        p.w.wait(requests=seen + 1)
        if "never" not in plan:
            assert c.pull()
        gone(c)
        p.g.wait_access(after=mark)
    p.wait_idle()
    assert p.h.count("resume") == (1 if gate else 0)


def test_cycles(place, tmp_path):
    """Open, hold, send, abort, answer, in any order: descriptors and bytes return to the start."""
    counts = None if os.environ.get("INSTRUMENT") else CountMalloc(tmp_path)
    p = place("paused", env=counts.env if counts else None)
    w = p.w
    w.standard(size=3000, delay=1)

    def cycle(total, seed):
        p.h.sandbox("blog", "paused")
        p.admin.ask("PUT", "/sandboxes/blog", b'{"state":"paused"}')
        result = start_crowd(p.port, HOST, clients=100, rate=3000, total=total, abort=50,
                             abort_wait=20, seed=seed, body=2000, method="POST").result()
        # Who stayed has an answer; a request that was in service when news of the pause came
        # may have lost its connection.
        assert set(result["status"]) <= {"200", "502", "503"}, result
        assert result["left"] > 0 and result["lost"] == 0 and result["connect_failed"] == 0, result
        p.wait_idle()

    # Once all of them at the same time, so that the pools have seen their most.
    gate = p.h.gate("resume")
    together = start_crowd(p.port, HOST, clients=100, body=2000, method="POST")
    together.wait_sent()
    gate.set()
    together.result()
    p.wait_idle()
    cycle(300, 1)
    cycle(300, 2)
    before, bytes_before = p.g.open_descriptors(), counts.total().live if counts else 0
    rounds = 5
    for i in range(rounds):
        cycle(CYCLES // rounds, 3 + i)
    # The connections that are kept to the hook, and the admin side's, come and go.
    assert p.g.open_descriptors() <= before + 4
    if counts:
        grown = counts.total().live - bytes_before
        print(f"# {CYCLES} requests: {grown} bytes more")
        assert grown < 256 * 1024
    p.g.finish()
