# SPDX-License-Identifier: BSD-2-Clause
"""Who the sandbox is told the client is (RELIABILITY G2): a trusted peer's word is kept."""

import pytest
from rousetest import Connection, free_port
from rousetest.config import one_site

CLAIMS = ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 10.1.1.1", "X-Forwarded-Proto: https",
          "X-Forwarded-Host: app.example.com", "X-Real-IP: 198.51.100.8",
          "Connection: x-forwarded-for, via, x-request-id"]


class Way:
    def __init__(self, gateway, witness, hook, trusted):
        self.w, h, self.port = witness(), hook(), free_port()
        h.sandbox("blog", "running", address=f"127.0.0.1:{self.w.port}")
        text = one_site(self.port, h)
        if trusted:
            here = f"address: 127.0.0.1:{self.port}"
            text = text.replace(here, f"{here}, trusted_proxies: [127.0.0.0/8]")
        gateway(text)

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
    return lambda trusted: Way(gateway, witness, hook, trusted)


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
