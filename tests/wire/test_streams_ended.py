# SPDX-License-Identifier: BSD-2-Clause
"""Event streams that the gateway ends, never so that they look complete: the sandbox falls asleep,
nothing moves, or we stop."""

import contextlib

import pytest

from rousetest.flow import Broken
from rousetest.link import Late
from rousetest.road import ASK, EVENTS, SOON, events


@pytest.mark.parametrize("how", ["announced", "unannounced", "asked", "killed"])
def test_the_sandbox_is_paused(road, pair, how):
    r = road(*pair)
    with r.client() as c, r.client() as other:
        flow, request = events(r, c)
        request.send(b"data: 1\n\n")
        flow.read(9)
        page = other.open("GET", "/page")
        served = r.origin.take()
        served.respond(200, [("content-type", "text/html")], framing="chunked").send(b"<p>")
        page.wait_head(SOON).read(3)
        if how == "asked":
            served.finish()
            page.wait_ended()
            assert r.admin.ask("POST", "/sandboxes/blog/pause")[0] == 200
        else:
            r.news({"announced": "pausing", "unannounced": "paused", "killed": "killed"}[how])
        with pytest.raises(Broken):
            flow.read_all(SOON)
        request.wait_gone(SOON)
        if how != "asked": # a page that is being answered is no stream
            served.send(b"more").finish()
            assert page.read_all(SOON) == b"more"


def test_idle_limit(road, pair):
    """What moves stays, what does not is cut."""
    r = road(*pair, site={"idle": {"stream": "1s"}})
    with r.client() as c, r.client() as other:
        flow, request = events(r, c)
        quiet, _ = events(r, other)
        for _ in range(50):
            request.send(b":\n\n")
            flow.read(3)
            with contextlib.suppress(Late):
                quiet.wait_broken(0.1)
                break
        assert quiet.broken
        assert not flow.broken and not flow.ended
        flow.cancel()


def test_without_a_limit_silence_is_allowed(road, pair):
    """Limits for bodies of known length do not count."""
    r = road(*pair, limits={"answer_stall": "1s", "stall": "1s"})
    with r.client() as c:
        flow = c.open("POST", "/talk", headers=ASK, length=None)
        request = r.origin.take()
        request.respond(200, EVENTS, framing="chunked").send(b"x")
        assert flow.wait_head().read(1) == b"x"
        with r.client() as other:
            counted = other.open("GET", "/page")
            r.origin.take().respond(200, [("content-length", "9")]).send(b"part")
            counted.wait_head().wait_broken()
        request.send(b"y")
        assert flow.read(1, SOON) == b"y"
        flow.send(b"z")
        assert request.read(1, SOON) == b"z"
        flow.cancel()


def test_drain(road, pair):
    r = road(*pair, limits={"drain": "300ms"})
    with r.client() as c:
        flow, request = events(r, c)
        request.send(b"data: 1\n\n")
        flow.read(9)
        r.admin.ask("POST", "/drain")
        with pytest.raises(Broken):
            flow.read_all(SOON)
    r.gateway.finish()
