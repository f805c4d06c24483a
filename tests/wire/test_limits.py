# SPDX-License-Identifier: BSD-2-Clause
"""Limits of connections, requests and answers (RELIABILITY section 3): each refuses."""

import os
import pathlib
import resource
import time

import pytest
from rousetest import BadAnswer, Connection, free_port
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, one_site

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def post(length):
    return f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n".encode()


class Place:
    def __init__(self, gateway, witness, hook, limits, state="running", **site):
        self.w, self.h = witness(), hook()
        self.h.sandbox("blog", state, tenant="t1", address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        self.g = gateway(one_site(self.port, self.h, workers=1, limits=WIDE | limits,
                                  admin=self.admin.config, **site))

    def open(self, **options):
        return Connection(self.port, **options)

    def ends(self, reason):
        """How often; the client may see the end a moment before it is counted."""
        deadline = time.monotonic() + 10
        while not (n := self.admin.metric(f'rouse_ends_total{{error="{reason}"}}')):
            if time.monotonic() > deadline:
                break
        return n

    def refusals(self, reason):
        return self.admin.metric(f'rouse_generated_responses_total{{error="{reason}"}}')


@pytest.fixture
def place(gateway, witness, hook):
    return lambda limits, **options: Place(gateway, witness, hook, limits, **options)


def is_error(answer, status, slug):
    assert (answer.status, answer.json()["error"]) == (status, slug), answer
    return answer


@pytest.mark.parametrize("limits", [{"connections": 3}, {"connections_per_source": 3}])
def test_connections(place, limits):
    p = place(limits)
    kept = [p.open() for _ in range(3)]
    for c in kept:
        assert c.request(GET).status == 200
    with p.open() as one_more:
        assert one_more.until_end() in ("fin", "rst")
    assert kept[0].request(GET).status == 200
    kept.pop().close()
    p.admin.wait_metric("rouse_connections", 2)
    with p.open() as again:
        assert again.request(GET).status == 200
    assert p.admin.metric("rouse_connections_rejected_total") == 1
    for c in kept:
        c.close()


def test_connection_rate(place):
    p = place({"connection_rate": "5/1h"})
    ends = []
    for _ in range(7):
        with p.open() as c:
            try:
                ends.append(c.request(GET).status)
            except (BadAnswer, BrokenPipeError, ConnectionResetError):
                ends.append(None)
    assert ends == [200] * 5 + [None] * 2
    assert p.admin.metric("rouse_connections_rejected_total") == 2


def test_trusted_proxies_speak_for_many(gateway, witness, hook):
    """Neither limit of one address binds a proxy, and a stranger's still bind strangers."""
    w, h, port = witness(), hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    text = one_site(port, h, workers=1, limits={"connections_per_source": 2,
                                                "connection_rate": "3/1h"})
    here = f"address: 127.0.0.1:{port}"
    gateway(text.replace(here, f"{here}, trusted_proxies: [127.0.0.1]"))
    kept = [Connection(port) for _ in range(5)]
    for c in kept:
        assert c.request(GET).status == 200
        c.close()


def test_header_time(place):
    p = place({"request_header_time": "300ms"})
    with p.open() as c:
        c.send(GET[:-2])
        answer = is_error(c.answer(), 408, "request_timeout")
        assert answer.get("Connection") == "close" and c.until_end() == "fin"
    assert p.w.stats()["connections"] == 0 and p.refusals("request_timeout") == 1


def test_keep_alive(place):
    p = place({"keepalive": "300ms", "keepalive_requests": 3})
    with p.open() as idle:
        assert idle.request(GET).status == 200
        assert idle.until_end() == "fin" and not idle.data
    with p.open() as c:
        assert [c.request(GET).get("Connection") for _ in range(3)] == [None, None, "close"]
        assert c.until_end() == "fin"


def test_body_size(place):
    p = place({"request_body": 1000})
    with p.open() as c:
        is_error(c.request(post(1001)), 413, "body_too_large")
        assert c.until_end() in ("fin", "rst")
    with p.open() as c:
        c.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
               + b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n")
        is_error(c.answer("POST"), 413, "body_too_large")
    with p.open() as c:
        assert c.request(post(1000) + bytes(1000)).status == 200


def test_upload_stalls(place):
    p = place({"stall": "1s"})
    with p.open() as c:
        c.send(post(100) + b"half")
        answer = is_error(c.answer("POST"), 408, "request_timeout")
        assert answer.get("Connection") == "close"
    [conn] = p.w.conns()
    assert not conn["requests"][0]["complete"], "what was cut must not look complete"


def test_upload_below_the_rate(place):
    p = place({"body_rate": 1000, "body_grace": "500ms"})
    with p.open() as c:
        c.send(post(100000))
        for _ in range(100):
            c.send(b"xxxxx")
            try:
                c.pull(timeout=0.05)
                break
            except TimeoutError:
                continue
        is_error(c.answer("POST"), 408, "request_timeout")


def test_download_stalls(place):
    p = place({"stall": "1s"})
    p.w.plan(size=20_000_000)
    with p.open(rcvbuf=4096) as c:
        c.send(GET)
        said = p.g.wait_access(http__response__status_code=200)[0]
        assert said["end.by"] != "-", said
    assert p.ends("client_stalled") == 1
    p.admin.wait_metric("rouse_connections", 0)


def test_answer_stalls(place):
    p = place({"answer_stall": "1s"})
    p.w.plan(size=1000, cut=500, end="hang")
    with p.open() as c, pytest.raises(BadAnswer):
        c.request(GET)
    assert p.ends("upstream_stalled") == 1


def test_answer_header(place):
    p = place({"answer_header": 2048, "answer_fields": 20})
    for raw in (b"X: " + b"y" * 2048 + b"\r\n", b"X: y\r\n" * 21):
        p.w.plan(raw=b"HTTP/1.1 200 OK\r\n" + raw + b"Content-Length: 0\r\n\r\n")
        with p.open() as c:
            is_error(c.request(GET), 502, "upstream_malformed")


def test_request_header(place):
    p = place({"request_line": 300, "request_field": 500, "request_header": 2000,
               "request_fields": 10})
    for head, status in ((b"GET /" + b"x" * 300 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
                         (GET[:-2] + b"X: " + b"y" * 500 + b"\r\n\r\n", 431),
                         (GET[:-2] + (b"X: " + b"y" * 300 + b"\r\n") * 8 + b"\r\n", 431),
                         (GET[:-2] + b"X: y\r\n" * 10 + b"\r\n", 431)):
        with p.open() as c:
            assert c.request(head).status == status, head[:80]
    assert p.w.stats()["connections"] == 0


def test_connections_to_one_sandbox(place):
    p = place({"sandbox_connections": 2})
    with p.open() as c:
        assert c.request(GET).status == 200
    for _ in range(2):
        p.w.plan(never=1)
    busy = [p.open() for _ in range(2)]
    for c in busy:
        c.send(GET)
    p.w.wait(requests=3)
    with p.open() as c:
        answer = is_error(c.request(GET), 429, "connection_limit")
        assert answer.get("Retry-After") == "1"
        for one in busy:
            one.close()
        p.g.wait_access(count=2, http__response__status_code=499)
        assert c.request(GET).status == 200


@pytest.mark.parametrize("hold", [{"per_sandbox": 5}, {"per_tenant": 5}, {"per_source": 5},
                                  {"total": 5}])
def test_holds(place, hold):
    p = place({}, state="paused", hold=WIDE_HOLD | hold)
    gate = p.h.gate("resume")
    held = [p.open() for _ in range(5)]
    for c in held:
        c.send(GET)
    p.admin.wait_metric("rouse_held_requests", 5)
    with p.open() as c:
        answer = is_error(c.request(GET), 503, "hold_queue_full")
        assert 1 <= int(answer.get("Retry-After")) <= 5
    gate.set()
    for c in held:
        assert c.answer().status == 200
        c.close()
    assert p.h.count("resume") == 1


def test_held_bytes(place):
    """limits.hold_bytes counts the bodies that are kept; the rest waits in the sockets."""
    p = place({"hold_bytes": "1k"}, state="paused")
    gate = p.h.gate("resume")
    with p.open() as first, p.open() as second:
        first.send(post(600) + bytes(600))
        p.admin.wait_metric("rouse_held_requests", 1)
        is_error(second.request(post(600) + bytes(600)), 503, "hold_queue_full")
        gate.set()
        assert first.answer("POST").status == 200


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_no_descriptor_left(place):
    """Accepting pauses; nothing spins, those who are in are served, and then it goes on."""
    p = place({})
    with p.open() as c:
        assert c.request(GET).status == 200
        resource.prlimit(p.g.pid, resource.RLIMIT_NOFILE, (p.g.open_descriptors() + 4, 20000))
        waiting = [p.open() for _ in range(20)]
        p.g.wait_event("accept_paused")
        began, spent = time.monotonic(), cpu_seconds(p.g.pid)
        for _ in range(30):
            assert c.request(GET).status in (200, 503)
        with pytest.raises(TimeoutError):
            waiting[0].pull(timeout=1)
        assert cpu_seconds(p.g.pid) - spent < (time.monotonic() - began) / 2
        resource.prlimit(p.g.pid, resource.RLIMIT_NOFILE, (1000, 20000))
        for one in waiting:
            one.close()
        assert c.request(GET).status == 200
    with p.open() as c:
        assert c.request(GET).status == 200
