# SPDX-License-Identifier: BSD-2-Clause
"""The admin side (CONTRACT section 7): what is open to whom, what is shown, pushed news."""

import json
import os
import re

import pytest

from rousetest import Connection, free_port
from rousetest.admin import Admin
from rousetest.config import one_site

TOKEN = "a-token-of-the-operator"


class Live:
    def __init__(self, gateway, hook, witness):
        w = witness()
        w.set(query=0)
        self.back = w.port
        self.hook, self.admin = hook(), Admin()
        self.port, self.tcp = free_port(), free_port()
        self.hook.sandbox("blog", "paused", address=f"127.0.0.1:{w.port}")
        admin = self.admin.config | {"address": f"127.0.0.1:{self.tcp}", "token": TOKEN}
        self.gateway = gateway(one_site(self.port, self.hook, admin=admin))

    def over_tcp(self, method, target, body=b"", fields=""):
        with Connection(self.tcp) as c:
            c.send(f"{method} {target} HTTP/1.1\r\nHost: rouse\r\nConnection: close\r\n"
                   f"Content-Length: {len(body)}\r\n{fields}\r\n".encode() + body)
            return c.answer(method)

    def get(self, path="/"):
        with Connection(self.port) as c:
            c.send(f"GET {path} HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n".encode())
            return c.answer()

    def put(self, body, name="blog"):
        text = body if isinstance(body, (bytes, str)) else json.dumps(body)
        status, answer = self.admin.ask("PUT", f"/sandboxes/{name}", text)
        return status, json.loads(answer)


@pytest.fixture
def live(gateway, hook, witness):
    return Live(gateway, hook, witness)


def test_health(live):
    assert live.admin.ask("GET", "/livez") == (200, b"ok\n")
    ready = live.admin.json("/readyz?verbose")
    assert ready["ready"] is True and ready["listeners"] is True
    live.hook.kill()
    # A dead platform is shown, but does not take the gateway out of service.
    assert live.get().status == 503
    ready = live.admin.json("/readyz?verbose")
    assert ready["ready"] is True
    assert ready["platforms"][0]["failed"] >= 1
    assert live.admin.ask("GET", "/livez")[0] == 200


def test_metrics_exist_at_zero(live):
    text = live.admin.ask("GET", "/metrics")[1].decode()
    names = set(re.findall(r"^# TYPE (\S+) ", text, re.M))
    top = os.environ.get("TOP_SRCDIR", ".")
    with open(f"{top}/src/base/metric.def", encoding="ascii") as table:
        wanted = set(re.findall(r'^METRIC\(\w+,\s*"(\w+)"', table.read(), re.M))
    assert wanted <= names
    assert "blog" not in text
    assert live.get().status == 200
    after = live.admin.ask("GET", "/metrics")[1].decode()
    assert set(re.findall(r"^# TYPE (\S+) ", after, re.M)) == names
    assert "blog" not in after


def test_answers_are_not_stored(live):
    answer = live.over_tcp("GET", "/status")
    assert answer.status == 200 and answer.get("cache-control") == "no-store"
    assert answer.get("content-type") == "application/json"


CHANGES = [("POST", "/sandboxes/blog/wake"), ("POST", "/sandboxes/blog/pause"),
           ("POST", "/sandboxes/blog/forget"), ("PUT", "/sandboxes/blog"), ("POST", "/drain"),
           ("POST", "/reload"), ("DELETE", "/sandboxes/blog")]


@pytest.mark.parametrize("method,target", CHANGES)
def test_tcp_is_for_reading(live, method, target):
    for fields in ("", "Authorization: Bearer wrong\r\n", f"Authorization: Basic {TOKEN}\r\n",
                   "Authorization: Bearer \r\n", f"Authorization: Bearer {TOKEN}x\r\n",
                   f"Authorization: Bearer {TOKEN[:-1]}\r\n"):
        answer = live.over_tcp(method, target, b'{"state":"killed"}', fields)
        assert answer.status == 403, (fields, answer)
    assert live.hook.count("resume") == 0
    assert live.over_tcp("GET", "/status").json()["draining"] is False


def test_the_token_opens_tcp(live):
    answer = live.over_tcp("POST", "/sandboxes/blog/wake",
                           fields=f"Authorization: Bearer {TOKEN}\r\n")
    assert answer.status == 200 and answer.json()["state"] == "running"
    assert live.hook.count("resume") == 1


def test_without_a_token_tcp_stays_closed(gateway, hook):
    h, tcp = hook(), free_port()
    gateway(one_site(free_port(), h, admin={"socket": '""', "address": f"127.0.0.1:{tcp}"}))
    for fields in ("", "Authorization: Bearer \r\n", "Authorization: Bearer x\r\n"):
        with Connection(tcp) as c:
            c.send(f"POST /drain HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{fields}\r\n".encode())
            assert c.answer("POST").status == 403


@pytest.mark.parametrize("method,target,status", [
    ("GET", "/nothing", 404), ("POST", "/nothing", 404), ("GET", "/sandboxes/", 404),
    ("GET", "/sandboxes/UPPER", 404), ("GET", "/sandboxes/a..b", 404),
    ("GET", "/sandboxes/nobody", 404), ("POST", "/sandboxes/blog/explode", 405),
    ("DELETE", "/sandboxes/blog", 405), ("GET", "/sandboxes/blog?platform=other", 404),
    ("POST", "/sandboxes/nobody/forget", 409),
])
def test_what_is_refused(live, method, target, status):
    got, body = live.admin.ask(method, target)
    assert got == status, body
    assert set(json.loads(body)) == {"error", "message"}


def test_news_of_a_running_sandbox_spare_the_platform(live):
    status, answer = live.put({"state": "running", "generation": "5",
                               "address": f"127.0.0.1:{live.back}"})
    assert (status, answer) == (200, {"ok": True})
    assert live.admin.json("/sandboxes/blog")["state"] == "running"
    assert live.get().status == 200
    assert live.hook.count("resume") == 0


def test_news_while_it_is_being_woken(live):
    """The wake goes on to its own end, and is not made twice."""
    gate = live.hook.gate("resume")
    with Connection(live.port) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n")
        live.hook.wait_calls("resume")
        # Of the same generation it may be from before the sleep: not believed.
        assert live.put({"state": "running", "generation": "1",
                         "address": f"127.0.0.1:{live.back}"})[0] == 409
        gate.set()
        assert c.answer().status == 200
    assert live.hook.count("resume") == 1


def test_news_of_an_end(live):
    assert live.get().status == 200
    assert live.put({"state": "killed", "generation": "9"})[0] == 200
    assert live.get().status == 410


BAD = [
    ("not JSON", b"{", "not JSON: line 1"),
    ("empty", b"", "not JSON"),
    ("a list", b"[]", "object"),
    ("no state", b"{}", '"state"'),
    ("doubled", b'{"state":"running","state":"paused"}', "duplicate"),
    ("a number", b'{"state":"running","address":5}', '"address"'),
    ("bad port", b'{"state":"running","ports":{"0":"127.0.0.1"}}', '"ports"'),
    ("rules", b'{"state":"running","wake_rules":{}}', '"wake_rules"'),
    ("metadata", b'{"state":"running","address":"169.254.169.254"}', "refused"),
    ("mapped", b'{"state":"running","address":"[::ffff:169.254.169.254]:80"}', "refused"),
    ("public", b'{"state":"running","ports":{"3000":"8.8.8.8:80"}}', "refused"),
    ("nonsense", b'{"state":"running","address":"a b"}', "refused"),
    ("any", b'{"state":"running","address":"0.0.0.0:1"}', "refused"),
]


@pytest.mark.parametrize("body,says", [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_news_that_are_not_believed(live, body, says):
    status, answer = live.put(body)
    assert status == 422, answer
    assert answer["error"] == "record_invalid" and says in answer["message"], answer
    assert live.get().status == 200         # by the platform's own word
    assert live.hook.count("resume") == 1


def test_our_own_listeners_are_no_sandboxes(live):
    for port in (live.port, live.tcp):
        status, answer = live.put({"state": "running", "address": f"127.0.0.1:{port}"})
        assert status == 422 and "listener" in answer["message"], (port, answer)


def test_our_own_ports_are_not_asked_for(live):
    """The port of a record without one is the client's: never our own admin side."""
    running = {"state": "running", "address": "127.0.0.1"}
    live.hook.sandbox("blog", "running", address="127.0.0.1")
    assert live.put(running)[0] == 200
    for port in (live.tcp, live.port):
        with Connection(live.port) as c:
            c.send(f"GET /status HTTP/1.1\r\nHost: {port}-blog.t.localhost\r\n\r\n".encode())
            answer = c.answer()
        assert (answer.status, answer.json()["error"]) == (502, "port_closed"), answer.body
    with Connection(live.port) as c:
        c.send(f"GET / HTTP/1.1\r\nHost: {live.back}-blog.t.localhost\r\n\r\n".encode())
        assert c.answer().status == 200


def test_long_news(live):
    status, _ = live.put(b'{"state":"running","tenant":"' + b"x" * 70000 + b'"}')
    assert status in (413, 422)
    assert live.admin.ask("GET", "/livez")[0] == 200


def test_ids_that_several_platforms_know(gateway, hook, witness):
    w, one, two, admin = witness(), hook(), hook(), Admin()
    w.set(query=0)
    port = free_port()
    for h in (one, two):
        h.sandbox("blog", "paused", address=f"127.0.0.1:{w.port}")
    text = one_site(port, one, admin=admin.config)
    text = text.replace("platforms: { own: ", f"platforms: {{ other: {two.platform()}, own: ")
    text += ('  - { host: "*.u.localhost", platform: other,'
             ' connect: { allow: [127.0.0.0/8] } }\n')
    gateway(text)
    assert admin.ask("POST", "/sandboxes/blog/wake?platform=other")[0] == 200
    assert (one.count("resume"), two.count("resume")) == (0, 1)
    assert admin.ask("POST", "/sandboxes/blog/wake?platform=own")[0] == 200
    assert (one.count("resume"), two.count("resume")) == (1, 1)
    rows = admin.json("/sandboxes")["sandboxes"]
    assert sorted(row["platform"] for row in rows) == ["other", "own"]
