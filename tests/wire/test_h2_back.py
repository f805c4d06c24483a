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
      hold: {{ per_source: 1000 }}, connect: {{ allow: [127.0.0.0/8], protocol: h2 }} }}
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


def test_a_cold_port_gets_few_connections(site):
    origin, front, _ = site()
    clients = [front.connect() for _ in range(60)]
    try:
        flows = [c.open("GET", f"/slow{i}") for i, c in enumerate(clients)]
        for i in range(60):
            origin.take(path=f"/slow{i}").respond(200, body=b"%d" % i)
        assert [flow.told().body for flow in flows] == [b"%d" % i for i in range(60)]
        # Those who dialed before the first connection stood have closed theirs.
        told = [c.request("GET", "/hello").body.split()[1] for c in clients]
        assert len(set(told)) == 1, set(told)
    finally:
        for c in clients:
            c.close()


def test_websockets(site):
    origin, front, _ = site()
    with front.connect() as c:
        flow = c.ask_websocket("/ws")
        request = origin.take()
        assert (request.method, request.protocol) == ("CONNECT", "websocket")
        request.accept(data=websocket.frame(websocket.TEXT, b"first", masked=False))
        mine, theirs = websocket.WebSocket(flow.wait_head()), websocket.WebSocket(request, False)
        assert mine.receive() == (websocket.TEXT, b"first")
        mine.send(b"x" * 70000)
        assert theirs.receive() == (websocket.BINARY, b"x" * 70000)
        flow.finish()
        request.wait_ended()
        request.send(b"last").finish()
        assert flow.read_all() == b"last"
    with front.connect() as c:
        flow = c.ask_websocket("/ws")
        origin.take().respond(403, body=b"no")
        told = flow.told()
        assert (told.status, told.body, flow.tunnel) == (403, b"no", False)


def test_websockets_where_the_sandbox_takes_none(site):
    _, front, g = site(settings={})
    with front.connect() as c:
        told = c.ask_websocket("/ws").told()
        assert (told.status, json.loads(told.body)["error"]) == (502, "tunnel_unsupported")


def test_streams_interims_and_departures(site):
    origin, front, _ = site()
    with front.connect() as c:
        flow, request = c.open("GET", "/slow"), origin.take()
        request.interim(103, [("link", "</x>")])
        assert flow.wait_interim() == [(103, [("link", "</x>")])]
        request.respond(200, [("content-type", "text/event-stream")]).send(b"data: 1\n\n")
        assert flow.wait_head().read_exactly(9) == b"data: 1\n\n"
        flow.cancel()
        assert "CANCEL" in request.wait_gone()
    with front.connect() as c:
        flow = c.open("POST", "/echo", length=None).wait_head()
        for part in (b"hello", b"more"):
            flow.send(part)
            assert flow.read_exactly(len(part)) == part
        flow.finish()
        assert flow.told().body == b""
    assert origin.connections == 1


def test_a_refused_stream_is_sent_again(site):
    origin, front, _ = site()
    with front.connect() as c:
        flow = c.open("POST", "/slow", length=4)
        flow.send(b"body").finish()
        origin.take().reset(7)          # REFUSED_STREAM
        again = origin.take()
        assert (again.method, again.read_all()) == ("POST", b"body")
        again.respond(200, body=b"second")
        assert flow.told().body == b"second"


def test_what_was_perhaps_done_is_not_done_again(site):
    origin, front, _ = site()
    with front.connect() as c:
        flow = c.open("POST", "/slow", length=4)
        flow.send(b"body").finish()
        origin.take().reset(2)          # INTERNAL_ERROR
        told = flow.told()
        said = json.loads(told.body)
        assert (told.status, said["error"], said["delivered"]) == (502, "upstream_reset", "maybe")
    assert len(origin.requests) == 1
