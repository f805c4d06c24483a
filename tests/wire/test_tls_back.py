# SPDX-License-Identifier: BSD-2-Clause
"""TLS to sandboxes: verified by connect.tls_ca and tls_name, protocol by ALPN; hooks over https."""

import json
import subprocess

import pytest

from rousetest import free_port
from rousetest.certs import Authority
from rousetest.fronts import Front
from rousetest.origin import ALPN, Origin

HOST = "3000-blog.t.localhost"
CA, OTHER = Authority(), Authority()


@pytest.fixture
def site(gateway, hook, tmp_path):
    made = []

    def make(kind, connect, name=HOST, authority=CA, state="running", tls=None, offers=None):
        leaf = authority.leaf(name)
        origin = Origin(kind, authority.server_context(leaf, offers or ALPN[kind]))
        made.append(origin)
        h = hook(resume_time=0.05)
        h.sandbox("blog", state, address=f"127.0.0.1:{origin.port}", **(tls or {}))
        ca, port = CA.write(tmp_path / "ca.pem"), free_port()
        g = gateway(f"""\
listen: [ {{ address: 127.0.0.1:{port} }} ]
admin: {{ socket: "" }}
workers: 1
platforms: {{ own: {h.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own,
      connect: {{ allow: [127.0.0.0/8], tls_ca: "{ca}", {connect} }} }}
""")
        return origin, Front("h1", port, host=HOST), g

    yield make
    for origin in made:
        origin.stop()


def error_of(told):
    return told.status, json.loads(told.body)["error"]


@pytest.mark.parametrize("kind, protocol", [("h1s", "auto"), ("h2s", "auto"), ("h2s", "h2"),
                                            ("h1s", "h1")])
def test_protocols_over_tls(site, kind, protocol):
    origin, front, g = site(kind, f"tls: on, protocol: {protocol}", state="paused")
    with front.connect() as c:
        for rid in "12":
            told = c.request("GET", "/hello", headers=[("x-rid", rid)])
            assert (told.status, told.body) == (200, f"o conn=1 rid={rid}\n".encode())
        body = b"b" * 200_000
        assert c.request("POST", "/echo", body=body).body == body
    line = g.wait_access(url__path="/echo")[0]
    assert line["upstream.protocol"] == kind[:2]


def test_alpn_chooses(site):
    """Offered both, the sandbox takes HTTP/1."""
    origin, front, g = site("h1s", "tls: on", offers=["http/1.1"])
    assert front.request("GET", "/hello").status == 200
    assert g.wait_access(url__path="/hello")[0]["upstream.protocol"] == "h1"


def test_the_record_says_tls(site):
    _, front, _ = site("h1s", "tls: off", tls={"tls": True, "protocol": "h1"})
    assert front.request("GET", "/hello").status == 200


@pytest.mark.parametrize("state", ["running", "paused"])
@pytest.mark.parametrize("name, authority", [("other.t", CA), (HOST, OTHER)],
                         ids=["name", "authority"])
def test_who_is_not_trusted(site, name, authority, state):
    origin, front, g = site("h2s", "tls: on", name, authority, state)
    assert error_of(front.request("GET", "/hello")) == (502, "upstream_untrusted")
    g.wait_event("upstream_untrusted")
    assert not origin.requests


def test_names_and_verification_as_configured(site):
    _, front, _ = site("h2s", "tls: on, tls_name: sandbox.internal", "sandbox.internal")
    assert front.request("GET", "/hello").status == 200
    _, front, _ = site("h2s", "tls: on, tls_verify: off", "whoever.t", OTHER)
    assert front.request("GET", "/hello").status == 200


def test_a_ca_file_that_is_gone(gateway, hook, witness, tmp_path):
    h, port = hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{free_port()}")
    CA.write(tmp_path / "none.pem")
    g = gateway(f"""\
listen: [ {{ address: 127.0.0.1:{port} }} ]
admin: {{ socket: "" }}
platforms: {{ own: {h.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own,
      connect: {{ allow: [127.0.0.0/8], tls: on, tls_ca: "{tmp_path / 'none.pem'}" }} }}
""")
    (tmp_path / "none.pem").unlink()
    front = Front("h1", port, host=HOST)
    assert error_of(front.request("GET", "/")) == (502, "upstream_untrusted")
    assert "none.pem" in str(g.wait_event("upstream_untrusted"))


def test_a_ca_file_that_cannot_be_used(rouse, tmp_path):
    (tmp_path / "bad.pem").write_text("no certificate\n")
    for name in ("bad.pem", "none.pem"):
        (tmp_path / "rouse.yaml").write_text(f"""\
listen: [ {{ address: 127.0.0.1:0 }} ]
platforms: {{ own: {{ plugin: http, inspect: "https://127.0.0.1/{{id}}" }} }}
sites:
  - host: "*.t.localhost"
    platform: own
    connect:
      tls_ca: {tmp_path / name}
""")
        told = subprocess.run([rouse, "check", "-c", tmp_path / "rouse.yaml"], capture_output=True,
                              text=True, timeout=30)
        assert told.returncode == 78 and f"rouse.yaml:7:15: error: {tmp_path / name}" in told.stderr


def gateway_with_hook(gateway, hook, port, ca):
    return gateway(f"""\
listen: [ {{ address: 127.0.0.1:{port} }} ]
admin: {{ socket: "" }}
platforms: {{ own: {hook.platform(ca=ca)} }}
sites:
  - {{ host: "*.t.localhost", platform: own, connect: {{ allow: [127.0.0.0/8] }} }}
""")


def test_hooks_over_https(gateway, hook, witness, tmp_path):
    h, w, port = hook(context=CA.server_context(CA.leaf("127.0.0.1"))), witness(), free_port()
    h.sandbox("blog", "paused", address=f"127.0.0.1:{w.port}")
    gateway_with_hook(gateway, h, port, CA.write(tmp_path / "ca.pem"))
    assert Front("h1", port, host=HOST).request("GET", "/").status == 200
    assert h.count("resume") == 1


@pytest.mark.parametrize("leaf", [CA.leaf("other.t"), OTHER.leaf("127.0.0.1")],
                         ids=["name", "authority"])
def test_hooks_that_are_not_trusted(gateway, hook, tmp_path, leaf):
    h, port = hook(context=CA.server_context(leaf)), free_port()
    h.sandbox("blog", "paused")
    gateway_with_hook(gateway, h, port, CA.write(tmp_path / "ca.pem"))
    told = Front("h1", port, host=HOST).request("GET", "/")
    assert error_of(told) == (503, "platform_unreachable")
    assert not h.calls
