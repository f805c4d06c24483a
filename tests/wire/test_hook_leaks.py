# SPDX-License-Identifier: BSD-2-Clause
"""Round after round of every fault of a platform: no descriptor and no memory is lost.

CYCLES=10000 in the environment runs so many wakes instead of a few hundred.
"""

import os

from rousetest import Connection, Reply, free_port

AT_ONCE = 100
# No two without an answer side by side: five in a row would open the breaker.
FAULTS = [
    Reply(), Reply(close=True), Reply(status=400), Reply(reset=True),
    Reply(status=302, headers={"Location": "/"}), Reply(raw=b"nonsense\r\n\r\n"), Reply(status=500),
    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), Reply(body=b"[]"),
    Reply(size=1 << 20), Reply(status=503, body={"error": "no_capacity"}), Reply(hang=True),
    Reply(status=403), Reply(body={"id": "other", "state": "running"}),
    Reply(body={"state": "running", "address": "169.254.169.254"}), Reply(status=202), Reply(),
]

TOLD = {"200", "wake_denied", "resume_failed", "resume_timeout", "capacity_exhausted",
        "platform_unreachable"}


def burst(port, hook, witness, first):
    """A wake for each of AT_ONCE sandboxes that nobody has seen before; what they were told."""
    clients = []
    for n in range(first, first + AT_ONCE):
        name = f"s{n}"
        hook.sandbox(name, "paused", address=f"127.0.0.1:{witness.port}")
        hook.script("resume", FAULTS[n % len(FAULTS)], id=name)
        c = Connection(port, timeout=30)
        c.send(f"GET / HTTP/1.1\r\nHost: 3000-{name}.t.localhost\r\n\r\n".encode())
        clients.append(c)
    answers = [c.answer() for c in clients]
    for c in clients:
        c.close()
    return {answer.json()["error"] if answer.status != 200 else "200" for answer in answers}


def test_nothing_is_lost(gateway, witness, hook):
    w, h, port = witness(), hook(), free_port()
    w.standard(framing="close")  # no connection to a sandbox stays
    g = gateway(f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
log: {{ format: json, level: info, access: false }}
limits: {{ connections_per_source: off, connection_rate: off, wakes: off }}
platforms: {{ own: {h.platform(timeout="5s")} }}
sites:
  - host: "*.t.localhost"
    platform: own
    hold: {{ timeout: 1500ms, per_source: off }}
    wake: {{ lease: 1s, resume_timeout: 300ms, limit_per_client: off }}
    connect: {{ allow: [127.0.0.0/8] }}
""")
    rounds = max(6, int(os.environ.get("CYCLES", "0")) // AT_ONCE)
    descriptors, memory = [], []
    for n in range(rounds):
        seen = burst(port, h, w, n * AT_ONCE)
        assert "200" in seen and seen <= TOLD, (seen, g.events("plugin"))
        descriptors.append(g.open_descriptors())
        memory.append(g.resident_bytes())
    # Later rounds need no more than early ones: each would lose some hundred descriptors.
    assert max(descriptors[3:]) <= max(descriptors[:3]) + AT_ONCE // 2, descriptors
    if not os.environ.get("INSTRUMENT"):  # what is known of each sandbox stays
        assert memory[-1] - memory[2] < rounds * AT_ONCE * 8 * 1024 + (8 << 20), memory
    assert h.overlapping() == []
