# SPDX-License-Identifier: BSD-2-Clause
"""Rows A10-A13, A15, E4, E11: what happens around a message must not spill into the next one."""

import hashlib
import os
import random
import threading

import pytest

from conftest import FRONTS
from rousetest import BadAnswer, Connection, play
from rousetest.corpus import Forwarded

HOST = b"3000-blog.t.localhost"
INNER = b"GET /inner HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n"
QUICK = bool(os.environ.get("ROUSE_QUICK"))


def head(method, target, *lines, rid="1"):
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: " + HOST, b"X-Rid: " + rid.encode(),
             *lines]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def get(rid, target="/"):
    return head("GET", target, rid=rid)


def post(rid, body, target="/"):
    return head("POST", target, b"Content-Length: %d" % len(body), rid=rid) + body


def chunked(rid, body, target="/", size=1000):
    parts = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
                     for i in range(0, len(body), size))
    return head("POST", target, b"Transfer-Encoding: chunked", rid=rid) + parts + b"0\r\n\r\n"


def never_seen(witness):
    assert not [record["start"] for conn in witness.conns() for record in conn["requests"]
                if "/inner" in record["start"]]


# ---- A10: answers that we make up to requests with a body


@pytest.mark.parametrize("framing", ["counted", "chunked"])
@pytest.mark.parametrize("size", [len(INNER), 20000, 60000, 200000])
def test_refused_upload_hides_nothing(front, framing, size):
    """An unknown site; the body is a request. Drained or closed, it is never the next request."""
    if "gateway" not in FRONTS:
        pytest.skip("needs rouse serve")
    f = front("gateway")
    body = (INNER * (size // len(INNER) + 1))[:size]
    data = (post if framing == "counted" else chunked)("1", body)
    with Connection(f.port) as c:
        c.send(data.replace(HOST, b"x.example.org", 1))
        assert c.answer("POST").status == 404
        try:
            c.send(get("2"))
            answer = c.answer()
            assert answer.get("x-witness-rid") == "2"
        except (BadAnswer, ConnectionError):
            assert c.until_end() in ("fin", "rst")
    never_seen(f.witness)


# ---- A12: answers that come before the request is complete


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("end", ["keep", "fin"])
@pytest.mark.parametrize("size", [1000, 300000])
def test_early_answer_ends_the_connection_to_the_sandbox(front, kind, end, size):
    f = front(kind)
    f.witness.plan(for_="1", early=1, end=end)
    body = INNER * (size // len(INNER))
    with Connection(f.port) as c:
        c.send(head("POST", "/", b"Content-Length: %d" % len(body)) + body[:100])
        assert c.answer("POST").status == 200
        try:
            c.send(body[100:] + get("2"))
            if size < 60000:
                assert c.answer().get("x-witness-rid") == "2"
        except (BadAnswer, ConnectionError):
            c.until_end()
    with Connection(f.port) as c:
        assert c.request(get("3")).get("x-witness-rid") == "3"
    never_seen(f.witness)
    one, three = (next(conn for conn in f.witness.conns()
                       if rid in [record["id"] for record in conn["requests"]]) for rid in "13")
    assert one["conn"] != three["conn"]


@pytest.mark.parametrize("kind", FRONTS)
def test_early_answer_of_a_sandbox_that_does_not_read(front, kind):
    """The upload is larger than all buffers; the answer comes through, nobody waits for ever."""
    f = front(kind)
    f.witness.plan(for_="1", early=1, noread=1, end="keep")
    with Connection(f.port) as c:
        c.sock.settimeout(20)
        sender = threading.Thread(target=lambda: _push(c, head(
            "POST", "/", b"Content-Length: 50000000") + b"u" * 50000000), daemon=True)
        sender.start()
        assert c.answer("POST").status == 200
        c.until_end()
    sender.join(20)
    assert not sender.is_alive()


def _push(connection, data):
    try:
        connection.sock.sendall(data)
    except OSError:
        pass


# ---- A13: pipelining


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("mode", ["at once", "bytewise"])
def test_pipelined_answers_in_order(front, kind, mode):
    f = front(kind)
    count = 100 if mode == "bytewise" or QUICK else 1000
    data = b"".join((get, lambda r: post(r, b"b" * 50), lambda r: chunked(r, b"c" * 50))[n % 3](
        f"p{n}") for n in range(count))
    pieces = [data] if mode == "at once" else [data[i:i + 1] for i in range(len(data))]
    methods = [("GET", "POST", "POST")[n % 3] for n in range(count)]
    played = play(f.port, [(pieces, methods)], timeout=20)[0]
    assert not played.error and not played.rest
    assert [a.get("x-witness-rid") for a in played.answers] == [f"p{n}" for n in range(count)]
    forwarded = Forwarded(f.witness)
    assert not forwarded.odd
    assert all(len(forwarded.requests[f"p{n}"]) == 1 for n in range(count))


@pytest.mark.parametrize("kind", FRONTS)
def test_one_in_service_at_a_time(front, kind):
    f = front(kind)
    f.witness.standard(delay=20)
    played = play(f.port, [([b"".join(get(f"o{n}") for n in range(10))], ["GET"] * 10)])[0]
    assert len(played.answers) == 10
    assert f.witness.stats()["unanswered_max"] == 1


@pytest.mark.parametrize("kind", FRONTS)
def test_bytes_after_connection_close_are_dropped(front, kind):
    f = front(kind)
    with Connection(f.port) as c:
        c.send(head("GET", "/", b"Connection: close") + INNER)
        answer = c.answer()
        assert answer.status == 200 and answer.get("connection") == "close"
        assert c.until_end() in ("fin", "rst") and c.data == b""
    never_seen(f.witness)


@pytest.mark.parametrize("kind", FRONTS)
def test_pipelined_behind_a_refused_request(front, kind):
    f = front(kind)
    with Connection(f.port) as c:
        c.send(get("1") + b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + INNER)
        assert c.answer().status == 200
        assert c.answer().status == 400
        assert c.until_end() == "fin" and c.data == b""
    never_seen(f.witness)


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("token", ["websocket", "h2c", "foo", "websocket, h2c"])
def test_pipelined_behind_an_upgrade(front, kind, token):
    """No 101 comes: what follows is either answered in order or the connection is closed."""
    f = front(kind)
    with Connection(f.port) as c:
        c.send(head("GET", "/", b"Connection: Upgrade", b"Upgrade: " + token.encode(),
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13",
                    rid="1") + get("2"))
        first = c.answer()
        assert first.status == 200
        try:
            assert c.answer().get("x-witness-rid") == "2"
        except BadAnswer:
            assert c.end
    forwarded = Forwarded(f.witness)
    assert not forwarded.odd
    for requests in forwarded.requests.values():
        assert not requests[0].all("http2-settings")
        assert requests[0].all("upgrade") == (["websocket"] if token == "websocket" else [])


# ---- A11: Expect


@pytest.mark.parametrize("kind", FRONTS)
def test_expect_continue(front, kind):
    f = front(kind)
    body = random.Random(3).randbytes(200000)
    with Connection(f.port) as c:
        c.send(head("POST", "/", b"Content-Length: %d" % len(body), b"Expect: 100-continue"))
        while b"\r\n\r\n" not in c.data:
            assert c.pull()
        assert c.data.startswith(b"HTTP/1.1 100 ")
        c.send(body)
        answer = c.answer("POST")
        assert (answer.status, answer.interims) == (200, [100])
        assert c.request(get("2")).get("x-witness-rid") == "2"
    record = f.witness.conns()[0]["requests"][0]
    assert record["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("kind", FRONTS)
def test_final_answer_instead_of_100(front, kind):
    """The sandbox refuses before the body: the client may send it or not, nothing is confused."""
    f = front(kind)
    f.witness.plan(for_="1", early=1, status=403)
    with Connection(f.port) as c:
        c.send(head("POST", "/", b"Content-Length: %d" % len(INNER), b"Expect: 100-continue"))
        answer = c.answer("POST")
        assert answer.status == 403
        c.send(INNER)
        try:
            c.send(get("2"))
            assert c.answer().get("x-witness-rid") == "2"
        except (BadAnswer, ConnectionError):
            c.until_end()
    never_seen(f.witness)


# ---- A15: truncated requests


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("how", ["fin", "half", "rst"])
def test_truncated_request_never_looks_complete(front, kind, how):
    f = front(kind)
    body = b"hello" * 20
    whole = {"c": post("@", body), "k": chunked("@", body, size=30)}
    started = []
    for name, data in whole.items():
        first = data.index(b"\r\n\r\n") + 4
        for cut in [*range(1, first, 9), *range(first, len(data), 1 if not QUICK else 7)]:
            rid = f"{name}{cut}"
            c = Connection(f.port)
            c.send(data[:cut].replace(b"X-Rid: @", b"X-Rid: " + rid.encode()))
            if cut >= first:
                started.append(rid)
            if how == "rst":
                f.witness.ask("GET", "/stats")      # the bytes get a chance to be forwarded
                c.reset()
            elif how == "fin":
                c.close()
            else:
                c.half_close()
                c.until_end()
                c.close()
    f.witness.wait(open_most=0) if how != "rst" else None
    for conn in f.witness.conns():
        for record in conn["requests"]:
            assert not record["complete"], record
            assert record["id"] in started


# ---- E4: bytes on an idle connection to the sandbox


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("what", ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG", "x", "\r\n"])
def test_unasked_bytes_are_nobodys_answer(front, kind, what):
    f = front(kind)
    with Connection(f.port) as c:
        assert c.request(get("1")).status == 200
        f.witness.push(what.encode())
        f.witness.wait(ended=1)
        assert c.request(get("2")).get("x-witness-rid") == "2"
    assert [conn["requests"][0]["id"] for conn in f.witness.conns()] == ["1", "2"]


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_closed_while_idle_is_noticed(front, kind, how):
    """Also for a request that may not be sent twice."""
    f = front(kind)
    with Connection(f.port) as c:
        for n in range(5):
            assert c.request(post(f"i{n}", b"x"), "POST").get("x-witness-rid") == f"i{n}"
            f.witness.close(how)
            f.witness.wait(ended=n + 1)
    assert f.witness.stats()["executions_max"] == 1


# ---- E11: back pressure


@pytest.mark.parametrize("kind", FRONTS)
def test_client_that_does_not_read_holds_the_sandbox(front, kind):
    f = front(kind)
    f.witness.plan(for_="1", size=200_000_000)
    with Connection(f.port, rcvbuf=4096) as c:
        c.send(get("1"))
        f.witness.wait(requests=1)
        assert c.pull()
        before = f.witness.conns()[0]["requests"][0]
        assert not before["finished_ns"]
    f.witness.wait(ended=1, timeout=5)


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("framing", ["cl", "chunked", "close"])
def test_large_answers_are_byte_identical(front, kind, framing):
    f = front(kind)
    size = 20_000_000 if QUICK else 100_000_000
    f.witness.plan(for_="1", size=size, framing=framing, chunk=60000)
    with Connection(f.port) as c:
        c.send(head("GET", "/", b"Connection: close"))
        got = bytearray()
        while c.pull():
            got += c.data
            c.data = b""
    split = got.index(b"\r\n\r\n") + 4
    body = bytes(got[split:])
    if b"chunked" in got[:split]:
        body = b"".join(_dechunk(body))
    assert len(body) == size
    for offset in (0, 4096 * 1000, size // 4096 * 4096):
        assert b" id=1 gen=1 off=%d\n" % offset in body[offset:offset + 200]


def _dechunk(data):
    at = 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if not size:
            assert data[end:] == b"\r\n\r\n"
            return
        yield data[end + 2:end + 2 + size]
        assert data[end + 2 + size:end + 4 + size] == b"\r\n"
        at = end + 4 + size


@pytest.mark.parametrize("kind", FRONTS)
@pytest.mark.parametrize("framing", ["counted", "chunked"])
def test_large_uploads_are_byte_identical(front, kind, framing):
    f = front(kind)
    body = random.Random(1).randbytes(1 << 20) * (8 if QUICK else 32)
    with Connection(f.port) as c:
        c.send((post if framing == "counted" else lambda r, b: chunked(r, b, size=70000))("1",
                                                                                          body))
        assert c.answer("POST").status == 200
    record = f.witness.conns()[0]["requests"][0]
    assert (record["body"], record["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize("kind", FRONTS)
def test_client_gone_ends_the_request_at_the_sandbox(front, kind):
    f = front(kind)
    f.witness.standard(never=1)
    c = Connection(f.port)
    c.send(get("1"))
    f.witness.wait(requests=1)
    c.close()
    f.witness.wait(ended=1, timeout=5)
