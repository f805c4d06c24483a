# SPDX-License-Identifier: BSD-2-Clause
"""Sandboxes that speak HTTP/2: bodies, trailers, interims, cancels, refusals, hostile ones."""

import json
import os
import struct

import pytest

from rousetest import frames, free_port, websocket
from rousetest.fronts import Front
from rousetest.origin import Origin

HOST = "3000-blog.t.localhost"


@pytest.fixture
def site(gateway, hook):
    """(origin, front, gateway) with one running sandbox behind a site that speaks HTTP/2."""
    made = []

    def make(**options):
        origin = Origin("h2c", **options)
        made.append(origin)
        h = hook()
        h.sandbox("blog", "running", address=f"127.0.0.1:{origin.port}")
        port = free_port()
        g = gateway(f"""\
listen: [ {{ address: 127.0.0.1:{port} }} ]
admin: {{ socket: "" }}
workers: 1
platforms: {{ own: {h.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own,
      connect: {{ allow: [127.0.0.0/8], protocol: h2 }} }}
""")
        return origin, Front("h1", port, host=HOST), g

    yield make
    for origin in made:
        origin.stop()


def test_one_connection_for_many(site):
    origin, front, g = site()
    with front.connect() as c:
        for rid in "123":
            told = c.request("GET", "/hello", headers=[("x-rid", rid)])
            assert (told.status, told.body) == (200, f"o conn=1 rid={rid}\n".encode())
    body = os.urandom(300_000)
    with front.connect() as c:
        assert c.request("POST", "/echo", body=body).body == body
        said = json.loads(c.request("POST", "/digest", chunks=[b"abc", b"d"]).body)
        assert said["length"] == 4
        assert c.request("HEAD", "/hello").body == b""
    assert origin.connections == 1
    line = g.wait_access(url__path="/echo")[0]
    assert line["upstream.protocol"] == "h2"
