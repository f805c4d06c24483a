# SPDX-License-Identifier: BSD-2-Clause
"""Clients that leave at every step: nothing leaks, accounts balance (invariant 3), others go on."""

import os
import random

from rousetest import BadAnswer, Connection, crowd, free_port
from rousetest.config import config

QUICK = bool(os.environ.get("ROUSE_QUICK"))
OFF = "    wake: { limit_per_sandbox: off, limit_per_client: off }\n"


def request(host, rid, body=b""):
    return (f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Rid: {rid}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def test_ten_thousand_clients_leave_a_running_sandbox(gateway, witness, hook):
    w, h, port = witness(args=["--forget"]), hook(), free_port()
    w.set(query=0)
    w.standard(delay=3, size=60000)
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    g = gateway(config(port, h.platform()))
    host, total = "3000-blog.t.localhost", 1000 if QUICK else 10000
    options = {"clients": 50, "abort": 70, "abort_wait": 8, "method": "POST", "body": 3000}
    with Connection(port) as c:
        assert c.request(request(host, "first"), "POST").status == 200
    before = g.open_descriptors()
    result = crowd(port, host, total=total, check=True, prefix="c", **options)
    assert result["left"] + result["answered"] == total
    assert result["left"] > total // 3 and result["wrong"] == result["lost"] == result["reset"] == 0
    assert set(result["status"]) == {"200"}
    with Connection(port) as c:
        assert c.request(request(host, "last"), "POST").status == 200
    w.wait(reading_most=0)
    g.wait_descriptors(before + w.stats()["open"] + 1)      # one may be idle to the platform
    assert w.stats()["executions_max"] == 1
    g.finish()
    assert g.events("accounting")[-1]["accepted"] >= result["sent"]


def leave(connection, how):
    if how == "rst":
        connection.reset()
    elif how == "half":
        connection.half_close()
        connection.until_end()
        connection.close()
    else:
        connection.close()


def test_clients_leave_while_held(gateway, witness, hook):
    """Per sandbox one is patient and nine leave: before, in and after their request, while held."""
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    g = gateway(config(port, h.platform(), site=OFF))
    dice = random.Random(7)
    for n in range(20 if QUICK else 150):
        name, host = f"s{n}", f"3000-s{n}.t.localhost"
        h.sandbox(name, address=f"127.0.0.1:{w.port}")
        gate = h.gate("resume", id=name)
        patient = Connection(port)
        patient.send(request(host, f"p{n}"))
        h.wait_calls("resume", id=name)
        leavers = [Connection(port) for _ in range(9)]
        for i, c in enumerate(leavers):
            data = request(host, f"l{n}.{i}", b"x" * 1000)
            cut = dice.choice((0, 10, len(data) - 1, len(data), len(data)))
            c.send(data[:cut if i < 6 else len(data)])
        for c in dice.sample(leavers[:6], 6):
            leave(c, dice.choice(("fin", "rst", "half")))
        gate.set()
        assert patient.answer("POST").get("x-witness-rid") == f"p{n}"
        patient.close()
        for c in leavers[6:]:
            leave(c, dice.choice(("fin", "rst")))
        assert h.count("resume", name) == 1
    g.finish()
    assert w.stats()["executions_max"] <= 1
    last = g.events("accounting")[-1]
    assert last["client_left"] > 0 and last["answered"] >= 20


def test_all_leave_before_the_sandbox_runs(gateway, witness, hook):
    """Nobody waits any more when the resume is answered; the next one finds the sandbox awake."""
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    h.sandbox("blog", address=f"127.0.0.1:{w.port}")
    g = gateway(config(port, h.platform(), site=OFF))
    gate = h.gate("resume")
    clients = [Connection(port) for _ in range(50)]
    for n, c in enumerate(clients):
        c.send(request("3000-blog.t.localhost", f"a{n}"))
    h.wait_calls("resume")
    mark = g.mark()
    for c in clients:
        c.close()
    g.wait_access(50, after=mark, http__response__status_code=499)
    gate.set()
    with Connection(port) as c:
        assert c.request(request("3000-blog.t.localhost", "next"), "POST").status == 200
    assert h.count("resume") == 1
    assert w.executions() == {"next": 1}


def test_leaves_in_the_middle_of_the_answer(gateway, witness, hook):
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    w.standard(size=50_000_000)
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    gateway(config(port, h.platform()))
    for n in range(10 if QUICK else 60):
        c = Connection(port, rcvbuf=4096)
        c.send(request("3000-blog.t.localhost", f"m{n}"))
        assert c.pull()
        leave(c, "rst" if n % 2 else "fin")
    w.wait(open_most=0)
    try:
        with Connection(port) as c:
            c.send(b"GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n")
            assert c.answer().status == 404
    except BadAnswer as problem:
        raise AssertionError("the gateway is gone") from problem
