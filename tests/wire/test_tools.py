# SPDX-License-Identifier: BSD-2-Clause
"""The tools themselves: a witness that lies makes every other test worthless."""

import hashlib
import random
import socket
import time

import pytest

from rousetest import BadAnswer, Connection, Reply, crowd, parse_answers, play, random_cuts
from rousetest import start_crowd
from rousetest.raw import bytewise


def get(target="/", **fields):
    extra = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"GET {target} HTTP/1.1\r\nHost: x\r\n{extra}\r\n".encode()


def test_witness_records_every_byte_and_answers_in_order(witness):
    w = witness(name="A", generation=7)
    sent = get("/a?rid=1") + get("/b?rid=2&size=9000&framing=chunked") + get("/c?rid=3")
    with Connection(w.port) as c:
        c.send(sent)
        answers = [c.answer() for _ in range(3)]
    assert [a.get("X-Witness-Rid") for a in answers] == ["1", "2", "3"]
    assert answers[1].framing == "chunked" and len(answers[1].body) == 9000
    assert answers[1].body[8192:].startswith(b"witness name=A conn=1 req=2 id=2 gen=7 off=8192\n")
    w.wait(ended=1)
    conn = w.conns()[0]
    assert conn["bytes"] == sent and conn["end"] == "fin"
    assert w.executions() == {"1": 1, "2": 1, "3": 1}


@pytest.mark.parametrize("cut", ["whole", "bytewise", "random"])
def test_witness_reads_bodies_however_they_are_cut(witness, cut):
    w = witness()
    body = random.Random(5).randbytes(1000)
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in random_cuts(body, random.Random(1)))
    post = b"POST /?rid=%d HTTP/1.1\r\nHost: x\r\n"
    data = (post % 1 + b"Content-Length: 1000\r\n\r\n" + body
            + post % 2 + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n")
    pieces = {"whole": [data], "bytewise": bytewise(data),
              "random": random_cuts(data, random.Random(2), 50)}[cut]
    played = play(w.port, [(pieces, ["POST", "POST"])])[0]
    assert [a.status for a in played.answers] == [200, 200]
    digest = hashlib.sha256(body).hexdigest()
    assert [r["sha256"] for r in w.conns()[0]["requests"]] == [digest, digest]
    assert [r["odd"] for r in w.conns()[0]["requests"]] == [[], []]


@pytest.mark.parametrize("request_, odd", [
    (b"GET / HTTP/1.1\nHost: x\r\n\r\n", ["bare_lf"]),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", ["host_twice"]),
    (b"GET / HTTP/1.1\r\nA: b\r\n\r\n", ["no_host"]),
    (b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", ["fold"]),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n", ["cl_and_te"]),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ["te_value"]),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"1;a\r\nx\r\n0\r\nT: 1\r\n\r\n",
     ["chunk_extension", "trailers"]),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz0\r\n\r\n",
     ["chunk_size", "chunk_crlf"]),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx", ["cl_value"]),
    (b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", ["start_line"]),
    (b"GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n", ["nul", "name"]),
], ids=str)
def test_witness_names_what_is_odd(witness, request_, odd):
    w = witness()
    with Connection(w.port) as c:
        c.send(request_)
        c.half_close()
        c.until_end()
    w.wait(ended=1)
    assert sorted(w.conns()[0]["requests"][0]["odd"]) == sorted(odd)


def test_witness_plans(witness):
    w = witness()
    w.plan(b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok", drip=1, drip_delay=0.1)
    w.plan(status=404, interim=103, interim_n=2, size=0)
    with Connection(w.port) as c:
        assert c.request(get()).body == b"ok"
        answer = c.request(get())
        assert (answer.status, answer.interims) == (404, [103, 103])
        c.send(get("/?cut=30&end=rst"))
        assert c.until_end() == "rst" and len(c.data) == 30
    with Connection(w.port) as c:
        c.send(get("/?cut=0"))
        assert c.until_end() == "fin" and c.data == b""
    with Connection(w.port) as c:
        c.send(b"POST /?early=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        assert c.answer().status == 200
    with Connection(w.port) as c:
        answer = c.request(get("/?times=2"))
        assert c.answer().body == answer.body
    with Connection(w.port) as c:
        assert c.request(get("/?idle=boo&idle_delay=1")).status == 200
        assert c.pull() and c.data == b"boo"


def test_witness_port_opens_when_told(witness):
    w = witness(closed=True)
    with pytest.raises(ConnectionRefusedError):
        Connection(w.port)
    w.listen(after_ms=30)
    while True:
        try:
            connection = Connection(w.port)
            break
        except ConnectionRefusedError:
            pass
    now = time.monotonic_ns()
    opened = w.stats()["ports"][0]["listen_ns"]
    assert 0 < now - opened < 1_000_000_000
    connection.close()
    w.refuse()
    with pytest.raises(ConnectionRefusedError):
        Connection(w.port)


def test_witness_counts_the_unanswered(witness):
    w = witness()
    w.standard(never=1)
    clients = [Connection(w.port) for _ in range(5)]
    for c in clients:
        c.send(get())
    assert w.wait(unanswered=5)["unanswered_max"] == 5
    clients[0].reset()
    w.wait(ended=1)
    assert w.stats()["unanswered"] == 4
    assert w.conns()[0]["end"] == "rst"


def test_crowd_counts_and_checks(witness):
    w = witness()
    held = start_crowd(w.port, "x", clients=500, path="/{id}?delay=300", check=True)
    assert held.wait_sent()["sent"] == 500
    result = held.result()
    assert result["status"] == {"200": 500} and result["wrong"] == 0
    assert w.stats()["unanswered_max"] == 500
    paced = crowd(w.port, "x", clients=20, rate=2000, total=1000, check=True, prefix="p",
                  path="/?size=5000&framing=chunked")
    assert paced["answered"] == 1000 and paced["wrong"] == 0 and paced["opened"] <= 20
    w.set(name="liar")
    w.standard(b"HTTP/1.1 200 OK\r\nX-Witness-Rid: 1\r\nContent-Length: 0\r\n\r\n")
    assert crowd(w.port, "x", clients=10, check=True)["wrong"] == 10
    w.standard(cut=20)
    assert crowd(w.port, "x", clients=10)["lost"] == 10


def test_crowd_leaves(witness):
    w = witness()
    result = crowd(w.port, "x", clients=20, total=400, abort=60, method="POST", body=5000,
                   path="/?size=100000&delay=5", check=True)
    assert result["left"] + result["answered"] == 400 and result["left"] > 100
    assert result["wrong"] == 0


@pytest.mark.parametrize("bad", [
    b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 600 OK\r\n\r\n",
], ids=lambda bad: bad.split(b"\r\n", 1)[-1][:24].decode("latin-1").strip() or "bare LF")
def test_strict_parser_refuses(bad):
    with pytest.raises(BadAnswer):
        parse_answers(bad)


def test_hook_is_a_good_platform_and_a_bad_one(hook):
    h = hook(resume_time=0.05)
    h.sandbox("blog", address="127.0.0.1:1")

    def ask(method, path, body=b""):
        head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
        with Connection(h.port) as c:
            return c.request(head.encode() + body)

    assert ask("GET", "/sandboxes/nobody").status == 404
    assert ask("GET", "/sandboxes/blog").json()["state"] == "paused"
    assert ask("POST", "/sandboxes/blog/resume", b'{"op":"resume"}').json()["state"] == "running"
    assert h.of("resume", "blog")[0].json() == {"op": "resume"}
    h.script("inspect", Reply(status=429, headers={"Retry-After": 3}), Reply(raw=b"rubbish"))
    answer = ask("GET", "/sandboxes/blog")
    assert (answer.status, answer.get("Retry-After")) == (429, "3")
    with pytest.raises(BadAnswer):
        ask("GET", "/sandboxes/blog")
    gate = h.gate("resume")
    with Connection(h.port) as c:
        c.send(b"POST /sandboxes/blog/resume HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        h.wait_calls("resume", 2)
        gate.set()
        assert c.answer().status == 200
    assert h.overlapping() == []
    h.script("inspect", Reply(hang=True), id="blog")
    with Connection(h.port) as c:
        c.send(b"GET /sandboxes/blog HTTP/1.1\r\nHost: h\r\n\r\n")
        h.wait_calls("inspect", 5)
    h.kill()
    with pytest.raises(OSError):
        Connection(h.port)


def test_namespace_can_be_silent(namespace, witness):
    w = witness(namespace=namespace)
    with Connection(w.port, namespace.address) as c:
        assert c.request(get()).status == 200
    namespace.silence(w.port)
    with pytest.raises(socket.timeout):
        Connection(w.port, namespace.address, timeout=0.3)
    namespace.voice()
    with Connection(w.port, namespace.address) as c:
        assert c.request(get()).status == 200
