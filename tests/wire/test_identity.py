# SPDX-License-Identifier: BSD-2-Clause
"""Who the sandbox is told the client is (RELIABILITY G2): a trusted peer's word is kept."""

import pytest
from rousetest import Connection, free_port
from rousetest.config import one_site

CLAIMS = ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 10.1.1.1", "X-Forwarded-Proto: https",
          "X-Forwarded-Host: app.example.com", "X-Real-IP: 198.51.100.8",
          "Connection: x-forwarded-for, via, x-request-id"]


class Way:
    def __init__(self, gateway, witness, hook, trusted, **options):
        self.w, self.hook, self.port = witness(), hook(), free_port()
        self.hook.sandbox("blog", "running", address=f"127.0.0.1:{self.w.port}")
        text = one_site(self.port, self.hook, **options)
        if trusted:
            here = f"address: 127.0.0.1:{self.port}"
            text = text.replace(here, f"{here}, trusted_proxies: [127.0.0.0/8]")
        self.gateway = gateway(text)

    def seen(self, fields):
        head = ["GET / HTTP/1.1", "Host: 3000-blog.t.localhost", *fields, "", ""]
        with Connection(self.port) as c:
            assert c.request("\r\n".join(head).encode(), timeout=20).status == 200
        raw = self.w.conns()[-1]["bytes"].decode().split("\r\n\r\n")[0]
        seen = {}
        for line in raw.split("\r\n")[1:]:
            name, value = line.split(": ", 1)
            seen.setdefault(name.lower(), []).append(value)
        return seen


@pytest.fixture
def way(gateway, witness, hook):
    return lambda trusted, **options: Way(gateway, witness, hook, trusted, **options)


def test_a_stranger_is_who_he_is(way):
    seen = way(False).seen(CLAIMS)
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["http"]
    assert seen["x-forwarded-host"] == ["3000-blog.t.localhost"]
    assert "x-real-ip" not in seen and seen["via"] == ["1.1 rouse"]
    assert len(seen["x-request-id"]) == 1


def test_a_trusted_proxy_is_believed(way):
    seen = way(True).seen(CLAIMS)
    assert seen["x-forwarded-for"] == ["198.51.100.7, 10.1.1.1, 127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["https"]
    assert seen["x-forwarded-host"] == ["app.example.com"]
    assert "x-real-ip" not in seen


def test_many_lines_become_one(way):
    """As many as fit into a head: nothing is lost, and memory does not grow with their square."""
    via = [f"Via: 1.1 {'x' * 280}{i:03}" for i in range(80)]
    seen = way(False).seen(via)
    assert seen["via"] == [", ".join(line[5:] for line in via) + ", 1.1 rouse"]


def test_a_strangers_claims_do_not_pass(way):
    seen = way(False).seen([*CLAIMS, "Forwarded: for=198.51.100.7;proto=https",
                            "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /a",
                            "x-forwarded-server: b", "X_Forwarded_Proto: https"])
    ours = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    assert {name for name in seen if "forwarded" in name} == ours


def test_forwarded_goes_on_behind_trusted_proxies(way):
    w = way(True)
    seen = w.seen(["Forwarded: for=203.0.113.5, "
                   "for=\"[2001:db8::7]:99\";proto=https;host=a.example",
                   "Forwarded: for=127.0.0.9", "X-Forwarded-Port: 443"])
    assert seen["forwarded"] == [
        'for=203.0.113.5, for="[2001:db8::7]:99";proto=https;host=a.example, for=127.0.0.9, '
        'for=127.0.0.1;host="3000-blog.t.localhost";proto=http']
    assert seen["x-forwarded-for"] == ["2001:db8::7, 127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["https"] and seen["x-forwarded-host"] == ["a.example"]
    assert seen["x-forwarded-port"] == ["443"]
    line = w.gateway.wait_access()[0]
    assert line["client.address"] == "2001:db8::7"
    assert line["network.peer.address"] == "127.0.0.1"


@pytest.mark.parametrize("lie", ["for=198.51.100.8", 'for="198.51.100.7', "198.51.100.7"])
def test_a_forwarded_that_is_not_believed_goes(way, lie):
    """Through a proxy that writes X-Forwarded-For only, a client's Forwarded comes as it was."""
    seen = way(True).seen(["X-Forwarded-For: 198.51.100.7", f"Forwarded: {lie};proto=https"])
    assert "forwarded" not in seen and seen["x-forwarded-proto"] == ["http"]
    assert seen["x-forwarded-for"] == ["198.51.100.7, 127.0.0.1"]


@pytest.mark.parametrize("trusted", [True, False])
def test_limits_count_the_client_behind_the_proxy(way, trusted):
    """hold.per_source: one held request of each address."""
    w = way(trusted, hold={"per_source": 1})
    w.hook.sandbox("late", address=f"127.0.0.1:{w.w.port}")
    gate = w.hook.gate("resume")

    def start(client):
        c = Connection(w.port)
        c.send(f"GET / HTTP/1.1\r\nHost: 3000-late.t.localhost\r\nX-Forwarded-For: {client}\r\n\r\n"
               .encode())
        return c

    first = start("198.51.100.7, 127.0.0.3")
    w.hook.wait_calls("resume")
    same, other = start("1.1.1.1, 198.51.100.7"), start("198.51.100.8")
    assert same.answer().json()["error"] == "hold_queue_full"
    if not trusted:
        assert other.answer().json()["error"] == "hold_queue_full"
    gate.set()
    assert first.answer().status == 200
    if trusted:
        assert other.answer().status == 200
        w.gateway.wait_access(client__address="198.51.100.8", held=True)
    for c in (first, same, other):
        c.close()
