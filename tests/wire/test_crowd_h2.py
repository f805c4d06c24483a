# SPDX-License-Identifier: BSD-2-Clause
"""A hundred requests on each of many HTTP/2 connections, all for one paused sandbox.

CROWD_H2=1000 is the full measure: so many connections, a hundred thousand requests in one process.
"""

import os

from rousetest import free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import one_site
from rousetest.faults import CountMalloc

HOST = "3000-blog.t.localhost"
INSTRUMENTED = bool(os.environ.get("INSTRUMENT"))
LINKS = int(os.environ.get("CROWD_H2", "20" if INSTRUMENTED else "50"))
HELD = LINKS * 100
# What a browser sends: 300 bytes of fields.
FIELDS = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
          "Accept: text/event-stream,application/json;q=0.9,*/*;q=0.8",
          "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br, zstd"]
WIDE = {"connections": 20000, "connections_per_source": "off", "connection_rate": "off",
        "pool_per_sandbox": 1000, "sandbox_connections": 1000, "hold_bytes": "1g"}
HOLD = {name: max(HELD, 1000) for name in ("per_sandbox", "per_tenant", "per_source", "total")}
BYTES_EACH = 4 * 1024


def test_held_on_streams(gateway, witness, hook, tmp_path):
    counts = None if INSTRUMENTED else CountMalloc(tmp_path)
    admin, h, port = Admin(), hook(), free_port()
    w = witness(closed=True)
    w.set(record_max=0)
    h.sandbox("blog", address=f"127.0.0.1:{w.port}")
    gate = h.gate("resume")
    g = gateway(one_site(port, h, limits=WIDE, hold=HOLD | {"timeout": "300s"},
                         admin=admin.config, workers=1), env=counts.env if counts else None)
    admin.metrics()
    resident, before = g.resident_bytes(), counts.total().live if counts else 0
    load = start_crowd(port, HOST, clients=HELD, h2=100, concurrent=64, check=True, field=FIELDS,
                       timeout=280000)
    assert load.wait_sent()
    admin.wait_metric("rouse_held_requests", HELD, timeout=120)
    if counts:
        each = (counts.total().live - before) / HELD
        print(f"# {each:.0f} bytes for each held stream, "
              f"{(g.resident_bytes() - resident) / HELD:.0f} resident")
        assert each <= BYTES_EACH
    gate.set()
    g.wait_event("woken", timeout=60)
    w.listen()
    result = load.result()
    assert result["status"] == {"200": HELD} and result["wrong"] == 0, result
    assert result["lost"] == 0 and result["reset"] == 0 and result["goaways"] == 0, result
    assert result["opened"] == LINKS and h.count("resume") == 1
    stats = w.stats()
    took = (result["last_answer_ns"] - stats["ports"][0]["listen_ns"]) / 1e9
    print(f"# all answered within {took:.2f} s of the port's opening")
    assert stats["executions_max"] == 1 and stats["executed"] == HELD
    admin.wait_metric("rouse_held_requests", 0)
