# SPDX-License-Identifier: BSD-2-Clause
"""Answers that go on: events come at once, leaving travels both ways, bodies pass full duplex; and
interim answers, trailers."""

import pytest

from rousetest import Connection, frames
from rousetest.road import ASK, EVENTS, HOST, SOON, events


# ---- bytes come at once


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_events_are_flushed_at_once(road, pair, framing):
    """Each is there before the next is sent, also its first byte alone, also the bare head."""
    r = road(*pair)
    with r.client() as c:
        flow = c.open("GET", "/events", headers=ASK)
        request = r.origin.take()
        request.respond(200, EVENTS, framing=framing)
        assert flow.wait_head(SOON).get("content-type") == "text/event-stream"
        for i in range(50):
            event = f"data: {i}\n\n".encode() * (1 + i % 7)
            request.send(event)
            assert flow.read_exactly(len(event), SOON) == event
        for byte in b"data: x":
            request.send(bytes((byte,)))
            assert flow.read_exactly(1, SOON) == bytes((byte,))
        request.finish()
        flow.wait_ended(SOON)


def test_full_duplex(road, pair):
    """Neither body waits for the other's end."""
    r = road(*pair)
    with r.client() as c:
        flow = c.open("POST", "/echo", length=None)
        flow.wait_head(SOON)
        for i in range(30):
            part = bytes((i,)) * (1 + i * 1000)
            flow.send(part)
            assert flow.read_exactly(len(part), SOON) == part
        flow.finish()
        assert flow.told(SOON).body == b""


def test_upload_goes_on_behind_the_answer(road, pair):
    r = road(*pair)
    with r.client() as c:
        flow = c.open("POST", "/talk", length=None)
        request = r.origin.take()
        flow.send(b"one")
        assert request.read_exactly(3, SOON) == b"one"
        request.respond(200, framing="chunked").send(b"yes")
        assert flow.wait_head(SOON).read_exactly(3, SOON) == b"yes"
        flow.send(b"two").finish()
        assert request.read_all(SOON) == b"two"
        request.finish()
        flow.wait_ended(SOON)


# ---- somebody leaves


def test_client_cancels(road, pair):
    r = road(*pair)
    with r.client() as c:
        flow, request = events(r, c)
        request.send(b"data: 1\n\n")
        flow.read(9)
        flow.cancel()
        request.wait_gone(SOON)
    line = r.gateway.wait_access(url__path="/events")[0]
    assert line["http.response.status_code"] == 499


def test_client_cancels_while_it_waits(road, pair):
    r = road(*pair)
    with r.client() as c:
        flow = c.open("GET", "/slow")
        request = r.origin.take()
        flow.cancel()
        request.wait_gone(SOON)


def test_client_cancels_its_upload(road, pair):
    """The sandbox never sees a complete request."""
    r = road(*pair)
    with r.client() as c:
        flow = c.open("POST", "/slow", length=None)
        request = r.origin.take()
        flow.send(b"part")
        request.read(4)
        flow.cancel()
        request.wait_gone(SOON)
        assert not request.ended


def test_sandbox_breaks_off(road, pair):
    r = road(*pair)
    with r.client() as c:
        flow, request = events(r, c)
        request.send(b"data: 1\n\n")
        flow.read(9)
        request.reset(frames.INTERNAL_ERROR)
        flow.wait_broken(SOON)


# ---- interim answers


def test_early_hints_pass(road, pair):
    r = road(*pair)
    with r.client() as c:
        flow = c.open("GET", "/slow")
        request = r.origin.take()
        request.interim(103, [("link", "</style.css>; rel=preload")])
        assert flow.wait_interim(timeout=SOON) == [(103, [("link", "</style.css>; rel=preload")])]
        request.respond(200, body=b"ok")
        assert flow.told(SOON).body == b"ok"


def test_hundred_is_ours(road, pair):
    """The sandbox's own is swallowed; the client gets one when the body has a taker."""
    r = road(*pair)
    with r.client() as c:
        flow = c.open("POST", "/slow", headers=[("expect", "100-continue")], length=4)
        assert flow.wait_interim(timeout=SOON)[0][0] == 100
        request = r.origin.take()
        assert request.get("expect") is None
        request.interim(100)
        request.interim(100)
        flow.send(b"body").finish()
        assert request.read_all(SOON) == b"body"
        request.respond(200, body=b"ok")
        told = flow.told(SOON)
        assert [status for status, _ in told.interims] == [100] and told.body == b"ok"


@pytest.mark.parametrize("count,status", [(16, 200), (17, 502)])
def test_sixteen_interims(road, pair, count, status):
    r = road(*pair)
    with r.client() as c:
        flow = c.open("GET", "/slow")
        request = r.origin.take()
        for _ in range(count):
            request.interim(103, [("link", "</x>")])
        if status == 200:
            request.respond(200, body=b"ok")
        assert flow.told(SOON).status == status


@pytest.mark.parametrize("origin", ["h1", "h2c"])
def test_no_interim_for_http_1_0(road, origin):
    r = road("h1", origin)
    with Connection(r.front.port) as c:
        c.send(f"GET /slow HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        request = r.origin.take()
        request.interim(103, [("link", "</x>")])
        request.respond(200, body=b"ok")
        answer = c.answer()
        assert answer.status == 200 and answer.body == b"ok"


# ---- trailers


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "not asked for"])
def test_trailers_of_an_answer(road, pair, asked):
    r = road(*pair)
    with r.client() as c:
        headers = [] if not asked else [("te", "trailers")] if c.h2 else \
            [("te", "trailers"), ("connection", "te")]
        flow = c.open("GET", "/slow", headers=headers)
        request = r.origin.take()
        request.respond(200, framing="chunked").send(b"body").finish([("x-sum", "4")])
        told = flow.told(SOON)
        assert told.body == b"body"
        if asked:
            assert told.trailers == [("x-sum", "4")]
        elif not c.h2:
            assert told.trailers == []


def test_trailers_of_a_request(road, pair):
    """To an HTTP/2 sandbox those that cannot be taken for a field of the head; to others none."""
    r = road(*pair)
    with r.client() as c:
        headers = [("te", "trailers")] if c.h2 else [("te", "trailers"), ("connection", "te")]
        flow = c.open("POST", "/slow", headers=headers, length=None)
        flow.send(b"body").finish([("x-sum", "4"), ("authorization", "a"), ("cookie", "b"),
                                   ("x-forwarded-for", "1.2.3.4")])
        request = r.origin.take()
        assert request.read_all(SOON) == b"body"
        assert request.trailers == ([("x-sum", "4")] if r.origin.h2 else [])
        request.respond(200, body=b"ok")
        assert flow.told(SOON).status == 200
