# SPDX-License-Identifier: BSD-2-Clause
"""Sandboxes that refuse, say nothing, break off or talk rubbish: each gets its answer."""

import pytest
from rousetest import BadAnswer, Connection, free_port
from rousetest.admin import Admin
from rousetest.config import WIDE, one_site

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
POST = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\nhello".encode()
LIMITS = WIDE | {"answer_time": "1s", "pool_idle": "100ms"}


class Place:
    def __init__(self, gateway, witness, hook, state="running", address=None, site=None, **options):
        self.w = witness(**options)
        self.h = hook()
        self.h.sandbox("blog", state, address=address or f"{self.w.address}:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        self.g = gateway(one_site(self.port, self.h, limits=LIMITS, admin=self.admin.config,
                                  **(site or {})))

    def ask(self, data=GET, timeout=20):
        with Connection(self.port) as c:
            return c.request(data, timeout=timeout)

    def wait_idle(self):
        self.admin.wait_metric("http_client_open_connections", 0)
        self.admin.wait_metric("rouse_connections", 0)


@pytest.fixture
def place(gateway, witness, hook):
    return lambda **options: Place(gateway, witness, hook, **options)


def check_error(answer, status, slug, delivered):
    said = answer.json()
    assert (answer.status, said["error"], said["delivered"]) == (status, slug, delivered), said
    assert answer.get("Cache-Control") == "no-store"
    assert f'details="{slug}"' in answer.get("Proxy-Status")


def test_refusing(place):
    p = place(closed=True)
    answer = p.ask()
    check_error(answer, 502, "port_closed", "no")
    assert answer.get("Retry-After") == "1"
    said = p.g.wait_access(http__response__status_code=502)[0]
    assert 1000 <= said["t.total_ms"] < 4000, said
    assert p.h.count("resume") == 0 and p.h.count("inspect") >= 1


def test_refusing_for_a_moment(place):
    """A server that restarts: within connect.refused_for nobody notices."""
    p = place(closed=True)
    p.w.listen(after_ms=300)
    assert p.ask(POST).status == 200
    assert len(p.w.conns()) == 1


def test_silent(place, namespace):
    p = place(namespace=namespace, site={"connect": {"timeout": "500ms"}})
    assert p.ask().status == 200
    p.admin.wait_metric("http_client_open_connections", 0)
    namespace.silence(p.w.port)
    check_error(p.ask(), 504, "connect_timeout", "no")
    assert p.h.count("resume") == 0
    namespace.voice()
    assert p.ask().status == 200


@pytest.mark.parametrize("mode", ["rst", "fin"])
def test_accepts_and_closes(place, mode):
    p = place()
    p.w.mode(mode)
    answer = p.ask()
    assert answer.status == 502 and answer.json()["error"] in ("upstream_reset", "port_closed")
    # What is safe is tried again twice; a reset before the first byte counts as refused.
    assert 3 <= p.w.stats()["connections"] <= 60
    with Connection(p.port) as c:
        answer = c.request(POST)
    assert answer.status == 502 and answer.json()["error"] in ("upstream_reset", "port_closed")
    p.w.mode("serve")
    assert p.ask(POST).status == 200
    p.wait_idle()


def test_reads_a_post_and_closes(place):
    """Nobody knows whether it was executed: it is not sent again, and the answer says so."""
    p = place()
    p.w.plan(cut=0, end="fin")
    check_error(p.ask(POST), 502, "upstream_reset", "maybe")
    p.w.plan(cut=0, end="rst")
    check_error(p.ask(POST), 502, "upstream_reset", "maybe")
    assert p.w.stats()["requests"] == 2


def test_reads_a_get_and_closes(place):
    p = place()
    p.w.plan(cut=0, end="rst")
    assert p.ask().status == 200
    assert p.w.stats()["requests"] == 2
    p.w.standard(cut=0, end="rst")
    check_error(p.ask(), 502, "upstream_reset", "maybe")
    assert p.w.stats()["requests"] == 5


@pytest.mark.parametrize("plan", [{"never": 1}, {"noread": 1, "never": 1}])
def test_never_answers(place, plan):
    p = place()
    p.w.plan(**plan)
    check_error(p.ask(POST), 504, "upstream_timeout", "maybe")
    assert p.w.stats()["requests"] == 1
    assert p.h.count("inspect") >= 1 and p.h.count("resume") == 0


@pytest.mark.parametrize("end", ["fin", "rst"])
@pytest.mark.parametrize("framing", ["cl", "chunked"])
def test_breaks_off_in_the_answer(place, framing, end):
    """What was sent must not look complete."""
    p = place()
    p.w.plan(size=100000, framing=framing, cut=50000, end=end)
    with pytest.raises(BadAnswer):
        p.ask()
    p.w.plan(size=1000, framing=framing, cut=400, end=end)
    with pytest.raises(BadAnswer):
        p.ask()
    assert p.ask().status == 200


@pytest.mark.parametrize("raw", [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\nX: y\n\n",
                                 b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                 b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n",
                                 b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 201 + b"\r\n",
                                 b"HTTP/1.1 102 Processing\r\n\r\n" * 17 +
                                 b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                 b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"])
def test_talks_rubbish(place, raw):
    p = place()
    p.w.plan(raw=raw)
    with Connection(p.port) as c:
        answer = c.request(POST)
    check_error(answer, 502, "upstream_malformed", "maybe")
    assert p.ask().status == 200


def test_sixteen_interim_answers(place):
    p = place()
    p.w.plan(interim=102, interim_n=16)
    answer = p.ask()
    assert answer.status == 200 and answer.interims == [102] * 16


def test_answers_early(place):
    """The answer comes while the client still sends: it gets it, and the rest is discarded."""
    p = place()
    p.w.plan(early=1, status=403, size=10)
    with Connection(p.port) as c:
        c.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\n".encode()
               + bytes(1000))
        answer = c.answer("POST")
        assert answer.status == 403
    p.wait_idle()


def test_killed_and_restarted(place, witness):
    """kill -9 of the origin with a request in it; another one comes up at the same port."""
    p = place()
    p.w.plan(never=1)
    with Connection(p.port) as c, Connection(p.port) as safe:
        c.send(POST)
        p.w.wait(requests=1)
        p.w.plan(never=1)
        safe.send(GET)
        p.w.wait(requests=2)
        p.w.proc.kill()
        p.w.proc.wait()
        second = witness(port=p.w.port)
        check_error(c.answer("POST"), 502, "upstream_reset", "maybe")
        assert safe.answer().status == 200
    assert second.stats()["requests"] == 1


def test_just_woken_and_resetting(place):
    """Within connect.wake_grace, accepting and closing is how a port looks that comes later."""
    p = place(state="paused")
    gate = p.h.gate("resume")
    p.w.mode("rst")
    with Connection(p.port) as c:
        c.send(GET)
        p.h.wait_calls("resume")
        gate.set()
        p.w.wait(connections=8)
        p.w.mode("serve")
        assert c.answer().status == 200
    assert p.h.count("resume") == 1
    p.wait_idle()
