# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a sandbox's own answer on its way: fields that reach too far, fields of ours."""

import re

import pytest

from rousetest import free_port
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.fronts import KINDS, Front

CA = Authority()
HOST = "3000-blog.t.localhost"

FOREIGN = ['Alt-Svc: h3=":443"', "NEL: {}", "Report-To: {}", 'Clear-Site-Data: "cookies"',
           "Set-Cookie: a=b; Domain=t.localhost", "Set-Cookie: c=d; Domain=localhost; Path=/",
           "Proxy-Authentication-Info: x=y"]
OWN = ["Set-Cookie: e=f; Path=/", f"Set-Cookie: g=h; Domain={HOST}", 'Clear-Site-Data: "cache"',
       'Reporting-Endpoints: a="/r"', "Timing-Allow-Origin: *"]


class Way:
    def __init__(self, kind, gateway, witness, hook, directory, site="", state="running"):
        self.w, h, port = witness(), hook(), free_port()
        h.sandbox("blog", state, address=f"127.0.0.1:{self.w.port}")
        self.front = Front(kind, port, CA, HOST)
        text = one_site(port, h).replace("platform: own,", f"platform: own, {site}")
        if self.front.tls:
            CA.fill(directory, "*.t.localhost", underscore=True)
            here = f"address: 127.0.0.1:{port}"
            text = text.replace(here, f"{here}, tls: {{ certificates: {directory} }}")
        self.gateway = gateway(text)

    def ask(self, fields, headers=()):
        self.w.plan("\r\n".join(["HTTP/1.1 200 OK", "Content-Length: 0", *fields, "", ""]).encode())
        return self.front.request("GET", "/", HOST, headers)


@pytest.fixture(params=KINDS)
def way(request, gateway, witness, hook, tmp_path):
    return lambda **options: Way(request.param, gateway, witness, hook, tmp_path, **options)


def lines(answer):
    return [f"{name}: {value}".lower() for name, value in answer.headers]


def lower(fields):
    return {field.lower() for field in fields}


def test_what_reaches_beyond_the_host_is_stripped(way):
    hsts = "Strict-Transport-Security: max-age=9;includeSubDomains"
    got = lines(way().ask(FOREIGN + OWN + [hsts]))
    assert not lower(FOREIGN) & set(got)
    assert lower(OWN) <= set(got)
    assert "strict-transport-security: max-age=9" in got


def test_an_early_hint_is_stripped_too(way):
    w = way()
    hint = ["HTTP/1.1 103 Early Hints", "Link: </x>", "Connection: x-y", "X-Y: 1", "Keep-Alive: a",
            *FOREIGN, ""]
    w.w.plan("\r\n".join(hint + ["HTTP/1.1 200 OK", "Content-Length: 0", "", ""]).encode())
    answer = w.front.request("GET", "/", HOST, ())
    assert answer.status == 200
    [(status, fields)] = answer.interims
    assert status == 103
    assert {name.lower() for name, _ in fields} == {"link"}


def test_a_site_may_let_it_pass(way):
    got = lines(way(site="answers: { foreign_fields: pass },").ask(FOREIGN + OWN))
    assert lower(FOREIGN[:-1] + OWN) <= set(got)
    assert FOREIGN[-1].lower() not in got       # hop-by-hop, whatever the site says


def test_a_sandboxs_proxy_status_is_added_to(way):
    """The last member is ours: what a sandbox says in our name is not the last word."""
    w = way()
    answer = w.ask(['Proxy-Status: rouse; error=destination_unavailable; details="paused"'])
    assert answer.all("Proxy-Status") == [
        'rouse; error=destination_unavailable; details="paused"', "rouse; received-status=200"]
    assert w.ask([]).get("Proxy-Status") is None


def test_the_time_of_a_hold_is_told(way):
    w = way(state="paused")
    answer = w.ask(["Server-Timing: app;dur=3"])
    own, ours = answer.all("Server-Timing")
    assert own == "app;dur=3"
    assert re.fullmatch(r"hold;dur=\d+\.\d, wake;dur=\d+\.\d, port;dur=\d+\.\d", ours), ours
    again = w.ask([]).get("Server-Timing")     # another worker may have to ask, on a busy machine
    assert again is None or "wake" not in again


def test_trace_context_and_scheme(way):
    w = way()
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    w.ask([], [("traceparent", parent), ("tracestate", "a=1"), ("tracestate", "b=2")])
    seen = w.w.conns()[-1]["bytes"].decode().lower()
    assert f"traceparent: {parent}\r\n" in seen and "tracestate: a=1" in seen
    assert f"x-forwarded-proto: {w.front.tls and 'https' or 'http'}\r\n" in seen
    assert f"via: {w.front.h2 and '2.0' or '1.1'} rouse\r\n" in seen
    line = w.gateway.wait_access()[0]
    assert line.get("url.scheme", "http") == ("https" if w.front.tls else "http")
    assert line["network.protocol.version"] == ("2" if w.front.h2 else "1.1")


def test_a_loop_is_cut_at_the_third_round(way):
    w = way()
    for rounds, status in ((2, 200), (3, 508), (9, 508)):
        answer = w.ask([], [("via", ", ".join(["1.1 rouse"] * rounds))])
        assert answer.status == status
    assert "proxy_loop_detected" in answer.get("Proxy-Status")
