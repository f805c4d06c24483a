# SPDX-License-Identifier: BSD-2-Clause
"""One gateway before many sandboxes, so that one body of tests runs over every pair of protocols.

A Place is the gateway with a plain and a TLS listener, and the platform.  A Case is one sandbox
with an origin of its own behind it: front kind, back kind, how the client cuts its bytes, and
whether the sandbox is awake, held (paused; go() lets it wake) or dead (running, its port closed).
"""

import itertools
import json
import os

from rousetest import fronts, origin
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.fronts import Front
from rousetest.gateway import Gateway
from rousetest.hook import Hook
from rousetest.net import free_port
from rousetest.origin import Origin

FRONTS, BACKS = fronts.KINDS, origin.KINDS
USUAL = object()
# How a sandbox says what it speaks, and the ALPN of its TLS.
RECORD = {"h1": {"protocol": "h1"}, "h2c": {"protocol": "h2c"},
          "h1s": {"protocol": "h1", "tls": True}, "h2s": {"protocol": "h2c", "tls": True}}


class Place:
    def __init__(self, program, directory, **site):
        self.ca = Authority()
        self.ca.fill(directory / "certs", "*.t.localhost")
        self.backs = {kind: self.ca.server_context(self.ca.leaf("*.t.localhost"), alpn)
                      for kind, alpn in origin.ALPN.items()}
        self.hook, self.count = Hook(), itertools.count(1)
        self.ports = {False: free_port(), True: free_port()}
        config = one_site(
            self.ports[False], self.hook, tls_port=self.ports[True],
            certificates=directory / "certs",
            limits={"connections_per_source": "off", "connection_rate": "off", "wakes": "off"},
            hold={"timeout": "60s", "per_source": "off"},
            wake={"limit_per_sandbox": "off", "limit_per_client": "off"},
            connect={"refused_for": "1ms", "tls_ca": self.ca.write(directory / "ca.pem")}, **site)
        self.gateway = Gateway(program, config, directory)

    def finish(self):
        try:
            self.gateway.finish()
        finally:
            self.hook.stop()

    def case(self, front="h1", back="h1", bytewise=False, state="awake", **options):
        return Case(self, front, back, bytewise, state, **options)


class Case:
    """context: of the origin's TLS, if not the usual one; options: more of the Origin."""

    def __init__(self, place, front, back, bytewise, state, record=None, context=USUAL, **options):
        self.place, self.hook, self.back = place, place.hook, back
        self.bytewise, self.state = bytewise, state
        self.id = f"s{next(place.count)}"
        self.host = f"3000-{self.id}.t.localhost"
        if context is USUAL:
            context = place.backs.get(back)
        self.origin = Origin(back, context, closed=state == "dead", **options)
        self.front = Front(front, place.ports[front.endswith("s")], place.ca, self.host)
        self.gate = self.hook.gate("resume", id=self.id) if state == "held" else None
        self.hook.sandbox(self.id, "paused" if state == "held" else "running",
                          address=f"127.0.0.1:{self.origin.port}",
                          **(RECORD[back] | (record or {})))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.origin.stop()
        except AssertionError:
            if kind is None:
                raise

    @property
    def held(self):
        return self.state == "held"

    def connect(self, **options):
        return self.front.connect(self.bytewise, **options)

    def go(self):
        """Lets a held sandbox wake, once its request waits; nothing may have reached it before."""
        if not self.held:
            return
        self.hook.wait_calls("resume", id=self.id)
        assert not self.origin.connections, "a paused sandbox was connected to"
        self.gate.set()
        self.state = "woken"

    def request(self, client, method="GET", path="/hello", headers=(), body=b"", **options):
        """A whole request through hold and wake."""
        flow = client.open(method, path, self.host, headers, len(body))
        if body:
            flow.send(body, wait=self.state == "awake" and len(body) < 10000)
            flow.finish()
        self.go()
        return flow.told(**options)


def error(told):
    """(status, slug, delivered) of an answer that the gateway made up."""
    said = json.loads(told.body)
    assert said["code"] == told.status and told.get("x-request-id"), told
    assert f'details="{said["error"]}"' in told.get("proxy-status"), told
    return told.status, said["error"], said["delivered"]


def combinations(number=0, fronts_=FRONTS, backs=BACKS, cuts=(False, True),
                 states=("awake", "held")):
    """All of them; under ROUSE_QUICK an eighth, another one for each number."""
    every = list(itertools.product(fronts_, backs, cuts, states))
    if os.environ.get("ROUSE_QUICK"):
        every = every[number % 8::8] or every[:1]
    return every


def name(combination):
    front, back, bytewise, state = combination
    return f"{front}-{back}-{'bytes' if bytewise else 'whole'}-{state}"
