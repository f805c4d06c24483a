# SPDX-License-Identifier: BSD-2-Clause
"""A client, the program and a sandbox whose origin the test plays: one combination of protocols.

    road = Road(gateway, hook, tmp_path, "h2s", "h1")
    with road.client() as c:
        flow = c.open("GET", "/events")
        road.origin.take().respond(200).send(b"data: 1\\n\\n")
"""

import json
import struct

from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import flow
from rousetest.fronts import Front
from rousetest.net import free_port
from rousetest.origin import ALPN, Origin
from rousetest.websocket import CLOSE, WebSocket

HOST = "3000-blog.t.localhost"
EVENTS = [("content-type", "text/event-stream")]
ASK = [("accept", "text/event-stream")]
# "Within a loop turn", as a client on a busy machine can tell.
SOON = 5
CA = Authority()
LEAF = CA.leaf("o.t", "127.0.0.1")


class Road:
    """front, origin: kinds of rousetest.fronts and rousetest.origin."""

    def __init__(self, gateway, hook, directory, front="h1", origin="h1", state="running",
                 site=None, limits=None, resume_time=0.0, **record):
        context = CA.server_context(LEAF, ALPN[origin]) if origin in ALPN else None
        self.origin = Origin(origin, context)
        self.hook = hook(resume_time=resume_time)
        protocol = "h2c" if self.origin.h2 else "h1"
        self.hook.sandbox("blog", state, address=f"127.0.0.1:{self.origin.port}",
                          protocol=protocol, tls=context is not None, **record)
        self.admin, port = Admin(), free_port()
        tls = ""
        if front in ("h1s", "h2s"):
            (directory / "certs").mkdir()
            CA.fill(directory / "certs", "*.t.localhost")
            tls = f', tls: {{ certificates: "{directory / "certs"}" }}'
        self.front = Front(front, port, CA, HOST)
        options = "".join(f", {name}: {flow(keys)}" for name, keys in (site or {}).items())
        self.gateway = gateway(f"""\
listen: [ {{ address: "127.0.0.1:{port}"{tls} }} ]
admin: {flow(self.admin.config)}
workers: 1
limits: {flow({"connections_per_source": "off", "connection_rate": "off"} | (limits or {}))}
platforms: {{ own: {self.hook.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own{options},
      connect: {{ allow: [127.0.0.0/8], tls_verify: off }} }}
""")

    def client(self, bytewise=False, **options):
        return self.front.connect(bytewise, **options)

    def news(self, state):
        """The platform says so, and means it."""
        record = dict(self.hook.sandbox("blog", state))
        status, text = self.admin.ask("PUT", "/sandboxes/blog", json.dumps(record))
        assert status in (200, 204), text

    def stop(self):
        self.origin.stop()


def join(road, c, headers=()):
    """The client's end and the sandbox's end of a new WebSocket."""
    flow = c.ask_websocket("/ws?a=b", headers=headers)
    request = road.origin.take()
    assert (request.protocol, request.path) == ("websocket", "/ws?a=b")
    request.accept()
    assert flow.wait_head().tunnel
    return WebSocket(flow), WebSocket(request, client=False)


def closed_with(end):
    """Code and reason of the Close frame that comes next."""
    opcode, payload = end.receive()
    assert opcode == CLOSE, (opcode, payload)
    return struct.unpack(">H", payload[:2])[0], payload[2:].decode()


def events(road, c, headers=EVENTS):
    """A stream that has begun: (client's flow, sandbox's)."""
    flow = c.open("GET", "/events", headers=ASK)
    request = road.origin.take()
    request.respond(200, headers, framing=None if road.origin.h2 else "chunked")
    assert flow.wait_head(SOON).status == 200
    return flow, request
