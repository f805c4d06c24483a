# SPDX-License-Identifier: BSD-2-Clause
"""A platform behind the `http` plugin that misbehaves: the answer of CONTRACT section 5 for each
way, at most three resume calls for one wake, never two at a time."""

import base64
import dataclasses
import hashlib
import hmac
import re
import time

import pytest

from rousetest import Connection, Reply, free_port, start_crowd

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@dataclasses.dataclass
class Stage:
    gateway: object
    hook: object
    witness: object
    port: int

    def get(self, timeout=20, head=GET):
        with Connection(self.port, timeout=timeout) as c:
            return c.request(head)

    def calm(self, calls=3):
        """No storm and no overlap, whatever happened."""
        assert self.hook.count("resume") <= calls, self.hook.of("resume")
        assert self.hook.overlapping() == []
        assert self.hook.overlapping("inspect") == []


@pytest.fixture
def stage(gateway, witness, hook):
    """A factory: a paused sandbox `blog`, its platform, a gateway whose limits are short."""

    def make(state="paused", hold="2s", allow="[127.0.0.0/8]", hook_options=None, address=None,
             site="", **platform):
        w, h, port = witness(), hook(**(hook_options or {})), free_port()
        h.sandbox("blog", state, address=address or f"127.0.0.1:{w.port}")
        platform.setdefault("timeout", "500ms")
        g = gateway(f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
workers: 2
log: {{ format: json, level: debug }}
limits: {{ connections_per_source: off, connection_rate: off }}
platforms: {{ own: {h.platform(**platform)} }}
sites:
  - host: "*.t.localhost"
    platform: own
    hold: {{ timeout: {hold} }}
    wake: {{ lease: 1s, limit_per_sandbox: off, limit_per_client: off }}
    connect: {{ allow: {allow} }}
{site}""")
        return Stage(g, h, w, port)

    return make


def refusal(answer, status, slug):
    assert (answer.status, answer.json()["error"]) == (status, slug), answer.body
    assert answer.json()["delivered"] == "no"
    assert answer.get("Cache-Control") == "no-store"


# ---- answers that end the wake at once


FINAL = {
    "400": (Reply(status=400), 502, "resume_failed"),
    "401": (Reply(status=401), 502, "resume_failed"),
    "403": (Reply(status=403), 403, "wake_denied"),
    "404": (Reply(status=404), 404, "sandbox_not_found"),
    "410": (Reply(status=410), 410, "sandbox_gone"),
    "422": (Reply(status=422), 502, "resume_failed"),
    "428": (Reply(status=428), 409, "sandbox_paused"),
    "redirect": (Reply(status=302, headers={"Location": "/sandboxes/blog/pause"}), 502,
                 "resume_failed"),
    "other-id": (Reply(body={"id": "shop", "state": "running", "address": "127.0.0.1:1"}), 502,
                 "resume_failed"),
}


@pytest.mark.parametrize("reply, status, slug", FINAL.values(), ids=FINAL)
def test_final_answers(stage, reply, status, slug):
    s = stage()
    reply = dataclasses.replace(reply, act=False)
    s.hook.script("resume", reply)
    answer = s.get()
    refusal(answer, status, slug)
    assert answer.get("Retry-After") is None
    assert s.hook.count("resume") == 1 and s.hook.count("pause") == 0
    # Remembered: who comes now gets the same without another call.
    refusal(s.get(), status, slug)
    s.calm(1)
    assert s.witness.stats()["connections"] == 0


def test_a_refused_credential_is_said_loudly(stage):
    s = stage()
    s.hook.script("resume", Reply(status=401, act=False))
    s.get()
    said = s.gateway.wait_event("plugin", level="error", hook__name="own")
    assert "401" in said["detail"] and "secret" in said["detail"]


# ---- answers that are transient


@pytest.mark.parametrize("status", [202, 408])
def test_under_way(stage, status):
    """Keep holding, look again; the call is not repeated."""
    s = stage(hold="10s", hook_options={"resume_time": 0.3})
    s.hook.script("resume", Reply(status=status, body={"state": "resuming"}))
    assert s.get().status == 200
    s.calm(1)


@pytest.mark.parametrize("status", [409, 423, 425])
def test_conflict_is_waited_out(stage, status):
    """It was being paused: when that is over it is called again."""
    s = stage(hold="10s")
    s.hook.script("resume", Reply(status=status, act=False))
    assert s.get().status == 200
    s.calm(2)


def test_a_conflict_without_end(stage):
    s = stage(hold="3s")
    s.hook.script("resume", *[Reply(status=409, act=False)] * 50)
    answer = s.get()
    assert answer.status in (503, 504), answer.body
    assert answer.get("Retry-After")
    s.calm()


def test_a_stale_epoch_is_looked_at_again(stage):
    s = stage(hold="10s")
    s.hook.script("resume", Reply(status=412, act=False))
    assert s.get().status == 200
    first, second = s.hook.of("resume")
    assert int(second.headers["rouse-epoch"]) > int(first.headers["rouse-epoch"])
    s.calm(2)


@pytest.mark.parametrize("status, body", [(429, {}), (503, {"error": "no_capacity"})])
def test_no_capacity(stage, status, body):
    s = stage()
    s.hook.script("resume", *[Reply(status=status, body=body, act=False,
                                    headers={"Retry-After": "7"})] * 9)
    answer = s.get()
    refusal(answer, 429, "capacity_exhausted")
    assert 1 <= int(answer.get("Retry-After")) <= 7
    s.calm()


def test_capacity_comes_back(stage):
    s = stage(hold="10s")
    s.hook.script("resume", Reply(status=503, body={"error": "no_capacity"}, act=False))
    assert s.get().status == 200
    s.calm(2)


def test_slow_is_not_wrong(stage):
    s = stage(hold="10s", timeout="5s")
    s.hook.script("resume", Reply(delay=1.5))
    assert s.get().status == 200
    s.calm(1)


# ---- a platform that is not there


def test_refused(stage):
    """Nothing is known of the sandbox and nobody can be asked."""
    s = stage()
    s.hook.kill()
    answer = s.get()
    refusal(answer, 503, "platform_unreachable")
    assert int(answer.get("Retry-After")) >= 1


def test_killed_in_mid_call(stage):
    s = stage(hold="4s")
    s.hook.gate("resume")
    with Connection(s.port, timeout=20) as c:
        c.send(GET)
        s.hook.wait_calls("resume")
        s.hook.kill()
        answer = c.answer()
    refusal(answer, 503, "platform_unreachable")
    s.calm(1)


def test_reload_in_mid_call(stage):
    """The platform's options change while it is resuming: the call is given up, not the wake."""
    s = stage(hold="10s")
    gate = s.hook.gate("resume")
    with Connection(s.port, timeout=20) as c:
        c.send(GET)
        s.hook.wait_calls("resume")
        s.gateway.reload(s.gateway.config.read_text().replace("timeout: 500ms", "timeout: 700ms"))
        s.gateway.wait_event("reloaded")
        gate.set()
        assert c.answer().status == 200
    s.calm()


def test_other_platforms_go_on(gateway, witness, hook):
    """One hook hangs; wakes by the other are not slower."""
    w, bad, good, port = witness(), hook(), hook(), free_port()
    for h in (bad, good):
        h.sandbox("blog", "paused", address=f"127.0.0.1:{w.port}")
    bad.script("inspect", *[Reply(hang=True)] * 100)
    g = gateway(f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
log: {{ format: json }}
limits: {{ connections_per_source: off, connection_rate: off }}
platforms:
  bad: {bad.platform(timeout="1s")}
  good: {good.platform()}
sites:
  - {{ host: "*.bad.localhost", platform: bad, hold: {{ timeout: 3s }} }}
  - {{ host: "*.good.localhost", platform: good, connect: {{ allow: [127.0.0.0/8] }} }}
""")
    load = start_crowd(port, "3000-blog.bad.localhost", clients=20)
    load.wait_sent()
    bad.wait_calls("inspect")
    with Connection(port) as c:
        answer = c.request(b"GET / HTTP/1.1\r\nHost: 3000-blog.good.localhost\r\n\r\n")
        assert answer.status == 200, answer.body
    (said,) = g.wait_access(http__response__status_code=200)
    assert said["t.total_ms"] < 500
    assert set(load.result()["status"]) <= {"503", "504"}
    assert bad.overlapping("inspect") == []


def test_breaker(stage):
    """After five calls into the void the hook is left in peace, but for a probe a second."""
    s = stage(hold="1s", timeout="200ms")
    s.hook.script("inspect", *[Reply(close=True)] * 1000)
    for n in range(6):
        host = f"3000-s{n}.t.localhost".encode()
        with Connection(s.port, timeout=20) as c:
            refusal(c.request(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"), 503,
                    "platform_unreachable")
    s.gateway.wait_event("plugin", level="warn", hook__name="own")
    calls = s.hook.of("inspect")
    for one, two in zip(calls[5:], calls[6:]):
        assert two.at - one.at >= 0.95e9
    # It comes back; the next probe closes the breaker.
    s.hook._script.clear()
    s.hook.sandbox("late", "running", address=f"127.0.0.1:{s.witness.port}")
    mark = s.gateway.mark()
    deadline = time.monotonic() + 20    # what is remembered of the outage answers in microseconds
    while time.monotonic() < deadline:
        with Connection(s.port, timeout=20) as c:
            answer = c.request(b"GET / HTTP/1.1\r\nHost: 3000-late.t.localhost\r\n\r\n")
        if answer.status == 200:
            break
        refusal(answer, 503, "platform_unreachable")
    assert answer.status == 200
    s.gateway.wait_event("plugin", level="info", after=mark, hook__name="own")


# ---- a platform that lies


LIES = {
    "metadata": "169.254.169.254:80",
    "metadata-v6": "[fd00:ec2::254]:80",
    "unspecified": "0.0.0.0:80",
    "not-allowed": "10.1.2.3:80",
    "public": "93.184.216.34:80",
    "mapped": "[::ffff:169.254.169.254]:80",
    "nonsense": "not an address:80",
}


@pytest.mark.parametrize("address", LIES.values(), ids=LIES)
def test_addresses_that_may_not_be(stage, address):
    s = stage()
    s.hook.script("resume", *[Reply(body={"state": "running", "address": address})] * 20)
    s.hook.script("inspect", Reply(body={"state": "paused"}),
                  *[Reply(body={"state": "running", "address": address})] * 200)
    answer = s.get()
    assert answer.status in (502, 503), answer.body
    assert answer.json()["error"] in ("resume_failed", "platform_unreachable")
    assert address.split(":")[0].encode() not in answer.body  # texts name no addresses
    s.calm()


def test_loopback_must_be_allowed(stage):
    s = stage(allow="[10.0.0.0/8]")
    answer = s.get()
    assert answer.status in (502, 503), answer.body
    assert s.witness.stats()["connections"] == 0
    s.calm()


def test_our_own_listener_is_no_sandbox(stage):
    s = stage()
    s.hook.sandbox("blog", "paused", address=f"127.0.0.1:{s.port}")
    answer = s.get()
    assert answer.status in (502, 503), answer.body
    assert answer.json()["error"] in ("resume_failed", "platform_unreachable")
    s.calm()
    assert len(s.gateway.wait_access()) == 1  # and no request of our own to ourselves


def test_running_but_nothing_listens(stage):
    """The port is waited for, not woken again."""
    s = stage(hold="1500ms", address=f"127.0.0.1:{free_port()}")
    answer = s.get()
    refusal(answer, 502, "port_closed")
    assert answer.get("Retry-After") == "1"
    s.calm(1)


def test_a_name_is_resolved_and_judged(stage):
    s = stage()
    s.hook.sandbox("blog", "paused", address=f"localhost:{s.witness.port}")
    assert s.get().status == 200
    s.calm(1)
    refused = stage(allow="[10.0.0.0/8]")
    refused.hook.sandbox("blog", "paused", address=f"localhost:{refused.witness.port}")
    assert refused.get().json()["error"] in ("resume_failed", "platform_unreachable")
    assert refused.witness.stats()["connections"] == 0


def test_success_while_still_paused(stage):
    """It answers 200, and its inspect goes on saying `paused`."""
    s = stage(hold="6s")
    s.hook.script("resume", *[Reply(body=b"", act=False)] * 20)
    answer = s.get()
    assert answer.status in (503, 504), answer.body
    assert answer.get("Retry-After")
    s.calm()


def test_success_with_a_paused_record(stage):
    s = stage(hold="6s")
    s.hook.script("resume", *[Reply(body={"state": "paused"}, act=False)] * 20)
    answer = s.get()
    assert answer.status in (503, 504), answer.body
    s.calm()


def test_inspect_about_another_sandbox(stage):
    s = stage()
    s.hook.script("inspect", *[Reply(body={"id": "shop", "state": "running",
                                           "address": f"127.0.0.1:{s.witness.port}"})] * 100)
    refusal(s.get(), 503, "platform_unreachable")
    assert s.witness.stats()["connections"] == 0
    s.calm(0)


# ---- what the platform sees


def test_headers_of_the_calls(stage):
    s = stage(hold="10s", headers='{ Authorization: "Bearer abc" }')
    s.hook.script("resume", Reply(status=500, act=False))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    head = GET[:-2] + f"traceparent: {trace}\r\n\r\n".encode()
    assert s.get(head=head).status == 200
    first, second = s.hook.of("resume")
    # Two attempts of one intent: one key, a higher epoch.
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert int(second.headers["rouse-epoch"]) > int(first.headers["rouse-epoch"]) > 0
    for call in s.hook.of():
        assert call.headers["authorization"] == "Bearer abc"
        assert call.headers["accept"] == "application/json"
        assert re.fullmatch("[0-9a-f]{32}", call.headers["x-request-id"])
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", call.headers["traceparent"])
        assert call.method == ("GET" if call.op == "inspect" else "POST")
        assert "webhook-signature" not in call.headers
    body = first.json()
    assert body["op"] == "resume" and body["id"] == "blog" and body["port"] == 3000
    assert body["epoch"] == int(first.headers["rouse-epoch"])
    assert body["class"] == "other" and body["deadline_ms"] > 0
    assert body["caller"]["method"] == "GET" and body["caller"]["path"] == "/"
    assert body["caller"]["host"] == HOST and body["caller"]["client"]
    s.calm(2)


def verified(call, key):
    """As any receiver of Standard Webhooks does it."""
    text = b".".join([call.headers["webhook-id"].encode(),
                      call.headers["webhook-timestamp"].encode(), call.body])
    mac = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    offered = call.headers["webhook-signature"].split(" ")
    return any(hmac.compare_digest(one, f"v1,{mac}") for one in offered)


def test_signature(stage):
    key = bytes(range(32))
    secret = "whsec_" + base64.b64encode(key).decode()
    s = stage(hold="10s", secret=f'"{secret}"', site="    idle: { pause_after: 1s }\n")
    assert s.get().status == 200
    s.hook.wait_calls("pause")
    calls = s.hook.of()
    assert {call.op for call in calls} == {"inspect", "resume", "pause"}
    for call in calls:
        assert call.method == "POST" and call.json()["id"] == "blog"
        assert call.json()["op"] == call.op
        assert verified(call, key)
        assert not verified(call, bytes(32))
    ids = [call.headers["webhook-id"] for call in calls]
    assert len(set(ids)) == len(ids)
    pause = s.hook.of("pause")[0].json()
    assert pause["generation"] == "1" and pause["reason"] == "idle"
    # Nothing secret in the log.
    assert secret not in str(s.gateway.log)
