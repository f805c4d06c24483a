# SPDX-License-Identifier: BSD-2-Clause
"""Resume calls whose outcome nobody knows: 5xx, no answer, an answer that cannot be believed.
Rouse looks before it calls again, never before the lease is over, three times at most."""

import dataclasses
import time

import pytest

from rousetest import Connection, Reply, free_port

UNKNOWN = {
    "500": Reply(status=500),
    "503": Reply(status=503),
    "closed": Reply(close=True),
    "reset": Reply(reset=True),
    "no-http": Reply(raw=b"SSH-2.0-hook\r\n\r\n"),
    "smuggling": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n{}"),
    "cut": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"state\":"),
    "no-json": Reply(body=b"it is running, trust me"),
    "half-json": Reply(body=b'{"state": "running"'),
    "old-epoch": Reply(body={"state": "running", "epoch": 1, "address": "127.0.0.1:1"}),
    "1-gib": Reply(size=1 << 30),
    "drip": Reply(drip=0.05),
    "hang": Reply(hang=True),
}


@pytest.fixture
def crowd_of_platforms(gateway, witness, hook):
    """Starts a gateway with a platform (so a breaker of its own) and a paused sandbox for each list
    of replies, asks for all of them at once, returns the hook and (answer, seconds) for each."""

    def run(replies, hold):
        w, h, port = witness(), hook(), free_port()
        platforms, sites = [], []
        for n, reply in enumerate(replies):
            h.sandbox(f"s{n}", "paused", address=f"127.0.0.1:{w.port}")
            h.script("resume", *reply, id=f"s{n}")
            platforms.append(f"  p{n}: {h.platform(timeout='500ms')}")
            sites.append(f'  - {{ host: "*.p{n}.localhost", platform: p{n}, '
                         f"hold: {{ timeout: {hold} }}, wake: {{ lease: 1s }}, "
                         "connect: { allow: [127.0.0.0/8] } }")
        g = gateway("\n".join([f"listen: [{{ address: 127.0.0.1:{port} }}]",
                               'admin: { socket: "" }', "log: { format: json }",
                               "platforms:", *platforms, "sites:", *sites, ""]))
        before, started = g.resident_bytes(), time.monotonic()
        clients = [Connection(port, timeout=30) for _ in replies]
        for n, c in enumerate(clients):
            c.send(f"GET / HTTP/1.1\r\nHost: 3000-s{n}.p{n}.localhost\r\n\r\n".encode())
        answers = []
        for c in clients:
            answers.append((c.answer(), time.monotonic() - started))
            c.close()
        assert g.resident_bytes() - before < 32 << 20
        assert h.overlapping() == [] and h.overlapping("inspect") == []
        return h, answers

    return run


def test_it_worked_but_nobody_heard(crowd_of_platforms):
    """The resume happened, its answer was no good: Rouse looks, and does not call again."""
    h, answers = crowd_of_platforms([[reply] for reply in UNKNOWN.values()], "20s")
    for n, name in enumerate(UNKNOWN):
        answer, _ = answers[n]
        assert answer.status == 200, (name, answer.body)
        assert h.count("resume", id=f"s{n}") == 1, name


def test_it_never_works(crowd_of_platforms):
    """Three calls, each after the lease of the one before; then an answer that says why."""
    replies = [[dataclasses.replace(reply, act=False)] * 20 for reply in UNKNOWN.values()]
    h, answers = crowd_of_platforms(replies, "20s")
    for n, name in enumerate(UNKNOWN):
        answer, seconds = answers[n]
        said = (answer.status, answer.json()["error"], answer.json()["delivered"])
        assert said == (503, "platform_unreachable", "no"), (name, answer.body)
        assert int(answer.get("Retry-After")) >= 1
        assert seconds < 15, (name, seconds)
        calls = h.of("resume", id=f"s{n}")
        assert len(calls) == 3, name
        keys = {call.headers["idempotency-key"] for call in calls}
        epochs = [int(call.headers["rouse-epoch"]) for call in calls]
        assert len(keys) == 1 and epochs == sorted(set(epochs)), name
        for one, two in zip(calls, calls[1:]):
            assert two.at - one.at >= 0.95e9, name
