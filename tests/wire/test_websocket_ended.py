# SPDX-License-Identifier: BSD-2-Clause
"""WebSockets that the gateway ends: the sandbox falls asleep, nobody uses them, or we stop."""

import threading

import pytest

from rousetest.road import closed_with, join
from rousetest.websocket import BINARY


@pytest.mark.parametrize("how", ["announced", "unannounced", "asked", "killed"])
def test_the_sandbox_is_paused(road, pair, how):
    r = road(*pair)
    with r.client() as c:
        mine, theirs = join(r, c)
        theirs.flow.send(b"\x82\x05ab")
        assert mine.flow.read_exactly(4) == b"\x82\x05ab"
        if how == "asked":
            asked = threading.Thread(target=r.admin.ask, args=("POST", "/sandboxes/blog/pause"))
            asked.start()
        else:
            r.news({"announced": "pausing", "unannounced": "paused", "killed": "killed"}[how])
        code, reason = closed_with(theirs) # the client has no frame under way
        text = "sandbox gone" if how == "killed" else "sandbox paused"
        assert (code, reason) == (1001, text)
        theirs.flow.send(b"cde\x82\x01x") # the rest of its frame, and one more
        assert mine.flow.read_exactly(3) == b"cde"
        assert closed_with(mine) == (1001, text)
        mine.flow.wait_ended()
        mine.close(1001)
        mine.flow.finish()
        if how == "asked":
            theirs.flow.finish()
            r.hook.wait_calls("pause")
            asked.join()
    r.admin.wait_metric("rouse_tunnels", 0)


def test_a_silent_tunnel_keeps_it_awake(road):
    r = road(site={"idle": {"pause_after": "1s"}})
    with r.client() as c:
        mine, theirs = join(r, c)
        with r.client() as other:
            told = other.request("GET", "/hello")
            assert told.status == 200
        r.gateway.wait_access(url__path="/hello")
        # Longer than pause_after: a pause would be tried, and end the tunnel.
        with pytest.raises(AssertionError):
            r.hook.wait_calls("pause", timeout=2)
        mine.send(b"still here")
        assert theirs.receive() == (BINARY, b"still here")
        mine.flow.finish()
        theirs.flow.finish()
    r.hook.wait_calls("pause")


def test_idle_limit(road, pair):
    r = road(*pair, site={"idle": {"tunnel": "1s"}})
    with r.client() as c:
        mine, theirs = join(r, c)
        assert closed_with(mine) == (1001, "idle") == closed_with(theirs)
        mine.flow.wait_ended()
    assert "idle" in r.gateway.wait_access(rouse__class="websocket")[0].values()


def test_drain(road, pair):
    """Requests end, tunnels go on; then they are told."""
    r = road(*pair, limits={"drain": "100ms", "drain_tunnels": "1s"})
    with r.client() as c:
        mine, theirs = join(r, c)
        r.admin.ask("POST", "/drain")
        r.gateway.wait_event("draining")
        mine.send(b"still here")
        assert theirs.receive() == (BINARY, b"still here")
        assert closed_with(mine) == (1012, "restart") == closed_with(theirs)
        mine.flow.wait_ended()
        mine.flow.finish()
        theirs.flow.finish()
    r.gateway.finish()


def test_stopped_at_once(road):
    """A second signal does not wait, but says why."""
    r = road(limits={"drain": "1m"})
    with r.client() as c:
        mine, _ = join(r, c)
        r.admin.ask("POST", "/drain")
        r.gateway.wait_event("draining")
        r.admin.ask("POST", "/drain")
        assert closed_with(mine) == (1012, "restart")
    r.gateway.finish()
