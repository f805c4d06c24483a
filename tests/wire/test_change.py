# SPDX-License-Identifier: BSD-2-Clause
"""Draining on TERM and reloading on HUP: nobody's request is lost."""

import signal

from rousetest import Connection, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, one_site

HOST = "3000-blog.t.localhost"
OTHER = "3000-shop.t.localhost"


def get(host=HOST):
    return f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class Place:
    """blog runs, shop is paused."""

    def __init__(self, gateway, witness, hook, **options):
        self.w, self.h = witness(), hook()
        self.w.set(record_max=0)
        self.h.sandbox("blog", "running", address=f"127.0.0.1:{self.w.port}")
        self.h.sandbox("shop", "paused", address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        self.options = options
        self.g = gateway(self.config())

    def config(self, **options):
        given = {"limits": WIDE, "hold": WIDE_HOLD, "admin": self.admin.config}
        return one_site(self.port, self.h, **(given | self.options | options))


def refused(port):
    try:
        with Connection(port):
            return False
    except ConnectionRefusedError:
        return True


def test_drain_finishes_what_was_begun(gateway, witness, hook):
    p = Place(gateway, witness, hook)
    gate = p.h.gate("resume")
    with Connection(p.port) as idle, Connection(p.port) as relayed, Connection(p.port) as held, \
            Connection(p.port) as upload:
        assert idle.request(get()).status == 200
        p.w.plan(size=100000, drip=20000, drip_delay=50)
        relayed.send(get())
        p.w.wait(requests=2)
        held.send(get(OTHER))
        p.h.wait_calls("resume")
        upload.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\nhello".encode())
        p.w.wait(received=100)
        p.g.send_signal(signal.SIGTERM)
        p.g.wait_event("draining")
        assert idle.until_end() == "fin", "an idle connection is closed at once"
        answer = relayed.answer()
        assert answer.status == 200 and len(answer.body) == 100000
        assert relayed.until_end() == "fin"
        upload.send(b"world")
        answer = upload.answer("POST")
        assert answer.status == 200 and answer.get("Connection") == "close"
        gate.set()
        assert held.answer().status == 200
    p.g.finish()
    assert refused(p.port)
    assert p.h.count("resume") == 1


def test_drain_cuts_what_takes_too_long(gateway, witness, hook):
    p = Place(gateway, witness, hook, limits=WIDE | {"drain": "300ms"})
    p.w.plan(never=1)
    p.h.gate("resume")
    with Connection(p.port) as relayed, Connection(p.port) as held:
        relayed.send(get())
        p.w.wait(requests=1)
        held.send(get(OTHER))
        p.h.wait_calls("resume")
        p.g.send_signal(signal.SIGTERM)
        assert relayed.until_end() in ("fin", "rst")
        assert held.until_end() in ("fin", "rst")
    p.g.finish()


def test_drain_under_load(gateway, witness, hook):
    """Each request that was sent has its answer; none is cut."""
    p = Place(gateway, witness, hook)
    p.w.standard(delay=5)
    gate = p.h.gate("resume")
    shop = start_crowd(p.port, OTHER, clients=200, check=True)
    p.h.wait_calls("resume")
    load = start_crowd(p.port, HOST, clients=200, check=True)
    p.admin.wait_metric("rouse_connections_total", 400)
    p.g.send_signal(signal.SIGTERM)
    p.g.wait_event("draining")
    gate.set()
    for crowd in (load, shop):
        result = crowd.result()
        assert result["status"] == {"200": 200} and result["wrong"] == 0, result
        assert result["lost"] == 0 and result["reset"] == 0
    p.g.finish()


def test_reload_a_hundred_times_under_load(gateway, witness, hook):
    p = Place(gateway, witness, hook, limits=WIDE | {"pool_idle": "100ms"})
    p.w.set(forget=1)
    with Connection(p.port) as lasting:
        assert lasting.request(get()).status == 200
        p.admin.wait_metric("http_client_open_connections", 0)
        descriptors = p.g.open_descriptors()
        load = start_crowd(p.port, HOST, clients=30, rate=1500, total=4500, check=True)
        for i in range(100):
            mark = p.g.mark()
            p.g.reload(p.config(hold=WIDE_HOLD | {"timeout": f"{30 + i % 5}s"}))
            p.g.wait_event("reloaded", after=mark)
        result = load.result()
        assert result["status"] == {"200": 4500} and result["wrong"] == 0, result
        assert result["lost"] == 0 and result["reset"] == 0 and result["connect_failed"] == 0
        assert lasting.request(get()).status == 200
        with Connection(p.port) as c:
            assert c.request(get(OTHER)).status == 200
    assert p.admin.metric("rouse_reloads_total") == 100
    p.admin.wait_metric("http_client_open_connections", 0)
    assert p.g.open_descriptors() <= descriptors + 4
    p.g.finish()


def test_reload_while_held(gateway, witness, hook):
    """A held request goes on under the configuration it came in with."""
    p = Place(gateway, witness, hook)
    gate = p.h.gate("resume")
    with Connection(p.port) as held:
        held.send(get(OTHER))
        p.h.wait_calls("resume")
        for _ in range(3):
            mark = p.g.mark()
            p.g.reload(p.config(hold=WIDE_HOLD | {"timeout": "10s"}))
            p.g.wait_event("reloaded", after=mark)
        gate.set()
        assert held.answer().status == 200
    assert p.h.count("resume") == 1


def test_new_limits_count_at_once(gateway, witness, hook):
    p = Place(gateway, witness, hook)
    with Connection(p.port) as c:
        assert c.request(get()).status == 200
        mark = p.g.mark()
        p.g.reload(p.config(limits=WIDE | {"answer_time": "1s", "keepalive_requests": 3},
                            hold=WIDE_HOLD | {"total": 0}))
        p.g.wait_event("reloaded", after=mark)
        with Connection(p.port) as other:
            assert other.request(get(OTHER)).status == 503
        p.w.plan(never=1)
        answer = c.request(get())
        assert answer.status == 504 and answer.json()["error"] == "upstream_timeout"
        assert c.request(get()).get("Connection") == "close"


def test_a_bad_configuration_changes_nothing(gateway, witness, hook):
    p = Place(gateway, witness, hook)
    with Connection(p.port) as c:
        for bad in ("", "sites: [", p.config() + "surprise: 1\n",
                    p.config().replace("workers: 2", "workers: many")):
            mark = p.g.mark()
            p.g.reload(bad)
            p.g.wait_event("reload_failed", after=mark)
            assert c.request(get()).status == 200
        assert p.admin.metric("rouse_reloads_failed_total") == 4
        mark = p.g.mark()
        p.g.reload(p.config())
        p.g.wait_event("reloaded", after=mark)
        assert c.request(get()).status == 200
