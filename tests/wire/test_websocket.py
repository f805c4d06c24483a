# SPDX-License-Identifier: BSD-2-Clause
"""WebSockets from a client to a sandbox over every pair of protocols: held, refused, ended."""

import json
import random
import struct

import pytest

from rousetest import Connection, free_port
from rousetest.config import one_site
from rousetest.road import closed_with, join
from rousetest.websocket import BINARY, PING, TEXT

def frame_head(size, masked=False):
    return b"\x82" + (b"\xff" if masked else b"\x7f") + struct.pack(">Q", size) + \
        (b"mask" if masked else b"")


# ---- bytes


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
def test_messages_both_ways(road, pair, bytewise):
    r = road(*pair)
    with r.client(bytewise) as c:
        mine, theirs = join(r, c)
        for size in (0, 1, 125, 126, 3000) if bytewise else (0, 1, 125, 126, 65535, 65536, 200000):
            mine.send(b"u" * size, TEXT)
            assert theirs.receive() == (TEXT, b"u" * size)
            theirs.send(b"d" * size, PING)
            assert mine.receive() == (PING, b"d" * size)


def test_64_mebibytes_both_ways_at_once(road, pair):
    r = road(*pair)
    size, step = (64 if pair == ("h1", "h1") else 8) << 20, 1 << 18
    up, down = random.Random(1).randbytes(size), random.Random(2).randbytes(size)
    got = bytearray()
    with r.client() as c:
        mine, theirs = join(r, c)
        theirs.flow.send(frame_head(size) + down, wait=False)
        mine.flow.send(frame_head(size, masked=True))
        for at in range(0, size, step):
            mine.flow.send(up[at:at + step], timeout=60)
            if len(got) < size + 10:
                got += mine.flow.read(timeout=60)
        got += mine.flow.read_exactly(size + 10 - len(got), 60)
        assert got == frame_head(size) + down
        assert theirs.flow.read_exactly(size + 14, 60) == frame_head(size, masked=True) + up
        mine.send(b"next")
        assert theirs.receive() == (BINARY, b"next")


def test_many_small_messages(road, pair):
    r = road(*pair)
    dice = random.Random(7)
    messages = [dice.randbytes(dice.choice((1, 2, 7, 125, 126, 1000))) for _ in range(2000)]
    with r.client() as c:
        mine, theirs = join(r, c)
        for message in messages:
            mine.send(message)
        for message in messages:
            assert theirs.receive() == (BINARY, message)


# ---- handshakes


def test_held_through_a_wake(road, pair):
    """What came early is delivered first, and only after the yes."""
    r = road(*pair, state="paused")
    gate = r.hook.gate("resume")
    with r.client() as c:
        flow = c.ask_websocket("/ws", early=b"early ")
        r.hook.wait_calls("resume")
        flow.send(b"and less so")
        gate.set()
        request = r.origin.take()
        flow.send(b", late")
        assert not request.data
        request.accept(data=b"first")
        assert flow.wait_head().tunnel and flow.read_exactly(5) == b"first"
        assert request.read_exactly(23) == b"early and less so, late"
        flow.finish()
        request.finish()
        flow.wait_ended()
    assert r.gateway.wait_access(rouse__class="websocket")[0]["http.response.status_code"] == 101


@pytest.mark.parametrize("status", [200, 400, 403, 426, 503])
def test_no_is_an_answer(road, pair, status):
    r = road(*pair)
    with r.client() as c:
        flow = c.ask_websocket("/ws", early=b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        request = r.origin.take()
        if r.origin.h2 and status == 200:
            return # that is a yes
        request.respond(status, body=b"no")
        told = flow.told()
        if c.h2 and status == 200:
            assert told.status == 502 # 200 would be a yes
        else:
            assert (told.status, told.body, flow.tunnel) == (status, b"no", False)
        assert not request.data
    assert [q.path for q in r.origin.requests] == ["/ws"]


def test_a_wrong_yes_is_none(gateway, hook, witness):
    w, h, port = witness(), hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    gateway(one_site(port, h))
    w.plan(raw=b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\nhello")
    with Connection(port) as c:
        c.send(b"GET /ws HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\nConnection: Upgrade\r\n"
               b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly")
        answer = c.answer()
        assert answer.status == 502 and answer.json()["error"] == "upstream_malformed"


# ---- ends


def test_client_ends_first(road, pair):
    r = road(*pair)
    with r.client() as c:
        mine, theirs = join(r, c)
        mine.send(b"bye")
        mine.flow.finish()
        assert theirs.receive() == (BINARY, b"bye")
        theirs.flow.wait_ended()
        theirs.flow.send(b"so long").finish()
        assert mine.flow.read_all() == b"so long"
    r.admin.wait_metric("rouse_tunnels", 0)


def test_sandbox_ends_first(road, pair):
    r = road(*pair)
    with r.client() as c:
        mine, theirs = join(r, c)
        assert r.admin.metric("rouse_tunnels") == 1
        theirs.close(1000, "done")
        theirs.flow.finish()
        assert closed_with(mine) == (1000, "done")
        mine.flow.wait_ended()
        mine.close(1000)
        assert closed_with(theirs) == (1000, "")
        mine.flow.finish()
        theirs.flow.wait_ended()
    r.admin.wait_metric("rouse_tunnels", 0)


def test_client_leaves(road, pair):
    r = road(*pair)
    with r.client() as c:
        _, theirs = join(r, c)
        theirs.flow.send(b"x")
        c.reset()
        theirs.flow.wait(lambda: theirs.flow.gone or theirs.flow.ended, "an end")
    r.admin.wait_metric("rouse_tunnels", 0)


def test_sandbox_dies(road, pair):
    """Between two frames it is said with 1014; within one the tunnel breaks."""
    r = road(*pair)
    with r.client() as c:
        mine, _ = join(r, c)
        r.origin.drop_all("rst")
        assert closed_with(mine) == (1014, "sandbox connection broke")
        mine.flow.wait_ended()
    with r.client() as c:
        mine, theirs = join(r, c)
        theirs.flow.send(b"\x82\x05abc")
        assert mine.flow.read_exactly(5) == b"\x82\x05abc"
        r.origin.drop_all("rst")
        mine.flow.wait_broken()


# ---- a token in a subprotocol


@pytest.mark.parametrize("offered,seen,chosen,told", [
    (["rouse.token.secret"], [], None, "rouse.token.secret"),
    (["rouse.token.secret, chat"], ["chat"], "chat", "chat"),
    (["chat, rouse.token.secret", "news"], ["chat, news"], "news", "news"),
    (["chat", "rouse.token.secret"], ["chat"], None, None),
])
def test_token_as_a_subprotocol(road, pair, offered, seen, chosen, told):
    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" # of "secret"
    r = road(*pair, traffic_token_sha256=[digest])
    with r.client() as c:
        assert c.ask_websocket("/ws").wait_head().status == 401
    name = "sec-websocket-protocol"
    with r.client() as c:
        flow = c.ask_websocket("/ws", headers=[(name, "rouse.token.wrong")])
        assert flow.wait_head().status == 403
    with r.client() as c:
        flow = c.ask_websocket("/ws", headers=[(name, one) for one in offered])
        request = r.origin.take()
        assert request.all(name) == seen
        request.accept([(name, chosen)] if chosen else [])
        assert flow.wait_head().tunnel
        assert flow.get(name) == told
        flow.finish()
        request.finish()
        flow.wait_ended()
    assert "secret" not in json.dumps(r.gateway.log)
