# SPDX-License-Identifier: BSD-2-Clause
"""Holding and waking: one wake, nobody lost, who leaves, what the limits refuse."""

import hashlib
import threading

import pytest

from rousetest import Connection, Reply, crowd, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, one_site

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def paused(hook, witness, name="blog", **options):
    h = hook(**options)
    h.sandbox(name, address=f"127.0.0.1:{witness.port}")
    return h


def test_a_request_wakes_its_sandbox(gateway, witness, hook):
    w = witness()
    h = paused(hook, w, resume_time=0.2)
    port = free_port()
    g = gateway(one_site(port, h))
    with Connection(port) as c:
        answer = c.request(GET)
        assert answer.status == 200
        timing = answer.get("Server-Timing")
        assert "hold;dur=" in timing and "wake;dur=" in timing
        assert len(answer.get("X-Request-Id")) == 32
        again = c.request(GET)
        assert again.status == 200 and again.get("Server-Timing") is None
    assert h.count("resume") == 1
    said = g.wait_access(http__response__status_code=200)[0]
    assert said["held"] is True and said["wake.role"] == "leader"


def test_many_requests_share_one_wake(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    g = gateway(one_site(port, h, limits=WIDE, hold=WIDE_HOLD))
    load = start_crowd(port, HOST, clients=500, check=True)
    h.wait_calls("resume")
    load.wait_sent()
    gate.set()
    result = load.result()
    assert result["status"] == {"200": 500} and result["wrong"] == 0
    assert h.count("resume") == 1
    g.wait_event("released", sandbox__id="blog")


def test_default_limits_refuse_the_excess_at_once(gateway, witness, hook):
    """The excess over hold.per_source gets 503 while the others are still held."""
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port, admin = free_port(), Admin()
    gateway(one_site(port, h, limits=WIDE, hold={"per_source": 50}, admin=admin.config))
    load = start_crowd(port, HOST, clients=200, check=True)
    load.wait_sent()
    admin.wait_metric('rouse_generated_responses_total{error="hold_queue_full"}', 150)
    with Connection(port) as c:
        answer = c.request(GET)
        assert answer.status == 503 and answer.json()["error"] == "hold_queue_full"
        assert 1 <= int(answer.get("Retry-After")) <= 5
    gate.set()
    result = load.result()
    assert result["status"] == {"200": 50, "503": 150}
    assert h.count("resume") == 1


def test_the_leader_leaves_and_the_others_are_served(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    g = gateway(one_site(port, h))
    leader = Connection(port)
    leader.send(GET)
    h.wait_calls("resume")
    load = start_crowd(port, HOST, clients=20, check=True)
    load.wait_sent()
    leader.close()
    g.wait_access(http__response__status_code=499)
    gate.set()
    assert load.result()["status"] == {"200": 20}
    assert h.count("resume") == 1


def test_a_wake_goes_on_when_all_have_left(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    g = gateway(one_site(port, h))
    with Connection(port) as c:
        c.send(GET)
        h.wait_calls("resume")
    g.wait_access(http__response__status_code=499)
    gate.set()
    g.wait_event("woken", sandbox__id="blog")
    with Connection(port) as c:
        assert c.request(GET).status == 200
    assert h.count("resume") == 1


def test_half_close_means_gone_unless_told_to_wait(gateway, witness, hook):
    w = witness()
    for policy, status in (("gone", 499), ("wait", 200)):
        h = paused(hook, w)
        gate = h.gate("resume")
        port = free_port()
        g = gateway(one_site(port, h, hold={"half_close": policy}))
        with Connection(port) as c:
            c.send(GET)
            h.wait_calls("resume")
            c.half_close()
            if status == 499:
                g.wait_access(http__response__status_code=499)
            gate.set()
            if status == 200:
                assert c.answer().status == 200
        g.finish()


def test_hold_deadline(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    h.script("resume", Reply(hang=True))
    port = free_port()
    g = gateway(one_site(port, h, hold={"timeout": "400ms"}))
    with Connection(port) as c:
        answer = c.request(GET)
    assert answer.status == 504 and answer.json()["error"] == "resume_timeout"
    assert answer.json()["retryable"] is True and int(answer.get("Retry-After")) in (2, 3)
    assert answer.json()["delivered"] == "no"
    said = g.wait_access(http__response__status_code=504)[0]
    assert 400 <= said["t.hold_ms"] < 1500


def test_a_client_bounds_its_own_hold(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    h.script("resume", Reply(hang=True))
    port = free_port()
    g = gateway(one_site(port, h, hold={"timeout": "30s"}))
    with Connection(port) as c:
        answer = c.request(GET[:-2] + b"Prefer: wait=1\r\n\r\n")
    assert answer.status == 504
    assert g.wait_access(http__response__status_code=504)[0]["t.hold_ms"] < 3000


def test_a_held_upload_arrives_whole_and_once(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    gateway(one_site(port, h))
    body = bytes(range(256)) * 40960  # 10 MiB
    head = f"POST /up HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Connection(port, timeout=60) as c:
        sender = threading.Thread(target=c.send, args=(head + body,))
        sender.start()
        h.wait_calls("resume")
        gate.set()
        answer = c.answer("POST", timeout=60)
        sender.join()
    assert answer.status == 200
    got = w.conns()
    requests = [r for conn in got for r in conn["requests"]]
    assert [r["sha256"] for r in requests] == [hashlib.sha256(body).hexdigest()]


def test_no_continue_before_the_sandbox_is_there(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    gateway(one_site(port, h))
    with Connection(port) as c:
        c.send(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n"
               "Expect: 100-continue\r\n\r\n".encode())
        h.wait_calls("resume")
        with pytest.raises(TimeoutError):
            c.pull(timeout=0.2)
        gate.set()
        while b"100 Continue" not in c.data:
            assert c.pull()
        c.send(b"hello")
        answer = c.answer("POST")
        assert answer.status == 200 and answer.interims == [100]


def test_classes_that_never_wake(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    port = free_port()
    gateway(one_site(port, h, probes={"paths": "[/healthz]"}))
    cases = [("/favicon.ico", "", 404), ("/robots.txt", "", 404),
             ("/apple-touch-icon.png", "", 404),
             ("/", "Sec-Purpose: prefetch\r\n", 503), ("/", "User-Agent: kube-probe/1.3\r\n", 503),
             ("/healthz", "", 503)]
    with Connection(port) as c:
        for path, fields, status in cases:
            fields += "Origin: https://app.example.com\r\n"
            answer = c.request(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode())
            assert answer.status == status, (path, fields)
            assert answer.get("Cache-Control") == "no-store"
            assert 'details="wake_not_allowed"' in answer.get("Proxy-Status")
            assert answer.get("Access-Control-Allow-Origin") == "https://app.example.com"
        assert h.count("resume") == 0
        assert c.request(GET).status == 200
        for path, fields, _ in cases:
            answer = c.request(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode())
            assert answer.status == 200, (path, fields)
    assert h.count("resume") == 1


def test_the_waiting_page(gateway, witness, hook):
    w = witness()
    h = paused(hook, w)
    gate = h.gate("resume")
    port = free_port()
    g = gateway(one_site(port, h, hold={"page_after": "100ms"}))
    fields = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"
    with Connection(port) as c:
        answer = c.request(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode())
        assert answer.status == 503 and answer.get("Retry-After") == "2"
        assert answer.get("Cache-Control") == "no-store"
        assert answer.get("Content-Type").startswith("text/html")
        assert b"http-equiv=\"refresh\"" in answer.body and b"blog" in answer.body
        gate.set()
        g.wait_event("woken")
        assert c.request(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode()).status == 200
    assert h.count("resume") == 1
    assert g.wait_access(splash=True)[0]["http.response.status_code"] == 503


def test_page_is_for_navigations_only(gateway, witness, hook):
    w = witness()
    h = paused(hook, w, resume_time=0.6)
    port = free_port()
    gateway(one_site(port, h, hold={"page_after": "50ms"}))
    with Connection(port) as c:
        answer = c.request(f"GET /a.js HTTP/1.1\r\nHost: {HOST}\r\nSec-Fetch-Mode: no-cors\r\n"
                           "Sec-Fetch-Dest: script\r\n\r\n".encode())
        assert answer.status == 200


def test_tokens(gateway, witness, hook):
    w = witness()
    h = hook()
    h.sandbox("blog", address=f"127.0.0.1:{w.port}",
              traffic_token_sha256=[hashlib.sha256(b"sesame").hexdigest()])
    port = free_port()
    gateway(one_site(port, h))
    with Connection(port) as c:
        answer = c.request(GET)
        assert answer.status == 401 and answer.json()["error"] == "auth_required"
        answer = c.request(GET[:-2] + b"E2b-Traffic-Access-Token: wrong\r\n\r\n")
        assert answer.status == 403 and answer.json()["error"] == "auth_invalid"
        assert h.count("resume") == 0
        assert c.request(GET[:-2] + b"E2b-Traffic-Access-Token: sesame\r\n\r\n").status == 200
        assert c.request(GET[:-2] + b"Rouse-Access-Token: sesame\r\n\r\n").status == 200
        assert c.request(GET).status == 401
    assert b"sesame" not in b"".join(conn["bytes"] for conn in w.conns())


def test_crowd_reports_when_the_sandbox_is_gone(gateway, witness, hook):
    w = witness()
    h = hook()
    h.sandbox("blog", state="killed")
    port = free_port()
    gateway(one_site(port, h))
    result = crowd(port, HOST, clients=30)
    assert result["status"] == {"410": 30}
    assert crowd(port, "3000-nobody.t.localhost", clients=5)["status"] == {"404": 5}
    assert h.count("resume") == 0
