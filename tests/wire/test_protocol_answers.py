# SPDX-License-Identifier: BSD-2-Clause
"""Answers that Rouse makes up, in the protocol of whoever asks (CONTRACT section 5)."""

import base64
import json
import socket
import struct

import pytest
from rousetest import Connection, free_port
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.fronts import KINDS, Front

CA = Authority()
GRPC = [("content-type", "application/grpc+proto"), ("te", "trailers")]
GRPC_WEB = [("content-type", "application/grpc-web+proto")]
CONNECT = [("connect-protocol-version", "1"), ("content-type", "application/proto")]
STREAM = [("content-type", "application/connect+json; charset=utf-8")]
PLAIN = [("accept", "*/*")]
E2B = [("e2b-sandbox-id", "any"), ("e2b-sandbox-port", "3000")]
BROWSER = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]

# by sandbox: slug, native and e2b status, code, e2b code
WRONG = {
    "gone": ("sandbox_gone", 410, 502, "not_found", "unavailable"),
    "closed": ("port_closed", 502, 502, "aborted", "aborted"),
    "paused": ("sandbox_paused", 409, 502, "failed_precondition", "unavailable"),
    "unknown": ("sandbox_not_found", 404, 502, "not_found", "unavailable"),
}
NUMBER = {"not_found": "5", "failed_precondition": "9", "aborted": "10", "unavailable": "14"}


class Way:
    """A gateway in front of sandboxes that cannot answer."""

    def __init__(self, kind, gateway, hook, directory):
        h, port = hook(), free_port()
        h.sandbox("gone", "killed")
        h.sandbox("closed", "running", address=f"127.0.0.1:{free_port()}")
        h.sandbox("paused", "paused", auto_resume=False)
        self.hook, self.front = h, Front(kind, port, CA, "3000-gone.t.localhost")
        text = one_site(port, h, connect={"refused_for": "200ms"})
        if self.front.tls:
            CA.fill(directory, "*.t.localhost", default="localhost", underscore=True)
            here = f"address: 127.0.0.1:{port}"
            text = text.replace(here, f"{here}, tls: {{ certificates: {directory} }}")
        self.gateway = gateway(text)

    def ask(self, what, headers, port=3000, method="POST", path="/pkg.Service/Method",
            body=b"\0\0\0\0\0", host=None):
        host = host or f"{port}-{what}.t.localhost"
        with self.front.connect(name=host) as c:
            return c.request(method, path, host, headers, body)


@pytest.fixture(params=KINDS)
def way(request, gateway, hook, tmp_path):
    return Way(request.param, gateway, hook, tmp_path)


def said(answer):
    return json.loads(answer.body)


def common(answer, slug):
    assert answer.get("Cache-Control") == "no-store"
    assert len(answer.get("X-Request-Id")) == 32
    assert answer.get("Proxy-Status").startswith("rouse; error=")
    assert answer.get("Proxy-Status").endswith(f'; details="{slug}"')
    assert (answer.get("Retry-After") is not None) == (slug == "port_closed")


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("e2b", [False, True])
def test_grpc_is_trailers_only(way, what, e2b):
    slug, _, _, code, e2b_code = WRONG[what]
    answer = way.ask(what, GRPC + (E2B if e2b else []))
    common(answer, slug)
    assert (answer.status, answer.body, answer.trailers) == (200, b"", [])
    assert answer.all("Content-Type") == ["application/grpc"]
    assert answer.all("grpc-status") == [NUMBER[e2b_code if e2b else code]]
    message = answer.get("grpc-message")
    assert message and "127.0.0.1" not in message
    pushback = answer.get("grpc-retry-pushback-ms")
    assert pushback == ("1000" if slug == "port_closed" else None)


@pytest.mark.parametrize("what", WRONG)
def test_grpc_web_has_its_trailers_in_the_body(way, what):
    slug, _, _, code, _ = WRONG[what]
    for kind in ("application/grpc-web", "application/grpc-web-text+proto"):
        answer = way.ask(what, [("content-type", kind)])
        common(answer, slug)
        body = base64.b64decode(answer.body) if "text" in kind else answer.body
        flags, length = struct.unpack(">BI", body[:5])
        lines = dict(line.split(": ", 1) for line in body[5:].decode().splitlines())
        assert (answer.status, answer.get("Content-Type")) == (200, kind)
        assert (flags, length) == (0x80, len(body) - 5)
        assert lines["grpc-status"] == NUMBER[code] and lines["grpc-message"]


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("e2b", [False, True])
def test_connect_unary_is_a_json_error(way, what, e2b):
    slug, status, e2b_status, code, e2b_code = WRONG[what]
    answer = way.ask(what, CONNECT + (E2B if e2b else []), body=b"")
    common(answer, slug)
    assert answer.status == (e2b_status if e2b else status)
    assert answer.get("Content-Type") == "application/json"
    assert said(answer)["code"] == (e2b_code if e2b else code)
    assert said(answer).keys() == {"code", "message"}


@pytest.mark.parametrize("what", WRONG)
def test_connect_streaming_ends_its_stream(way, what):
    slug, _, _, code, _ = WRONG[what]
    answer = way.ask(what, STREAM)
    common(answer, slug)
    assert (answer.status, answer.get("Content-Type")) == (200, "application/connect+json")
    flags, length = struct.unpack(">BI", answer.body[:5])
    assert (flags, length) == (2, len(answer.body) - 5)
    error = json.loads(answer.body[5:])["error"]
    assert error["code"] == code and error["message"]


def test_connect_get_is_a_call_too(way):
    answer = way.ask("gone", [], method="GET", body=b"",
                     path="/pkg.Service/Method?connect=v1&encoding=json&message=%7B%7D")
    assert (answer.status, said(answer)["code"]) == (410, "not_found")


@pytest.mark.parametrize("port", [49983, 49999])
def test_rpc_on_the_ports_of_e2b_speaks_e2b(way, port):
    for fields, code in ((GRPC, "14"), (CONNECT, "unavailable")):
        answer = way.ask("gone", fields, port=port)
        got = answer.get("grpc-status") or said(answer)["code"]
        assert got == code
    plain = way.ask("gone", PLAIN, port=port)
    assert plain.status == 410 and said(plain)["error"] == "sandbox_gone"


@pytest.mark.parametrize("what", WRONG)
def test_plain_json_by_the_column_of_the_caller(way, what):
    slug, status, e2b_status, _, _ = WRONG[what]
    answer = way.ask(what, PLAIN)
    common(answer, slug)
    assert (answer.status, said(answer)["code"], said(answer)["error"]) == (status, status, slug)
    answer = way.ask(what, E2B)
    common(answer, slug)
    keys = list(said(answer))
    assert answer.status == said(answer)["code"] == e2b_status
    assert keys[:2] == ["sandboxId", "message"] and keys[-1] == "requestId"
    assert keys[2] == ("port" if slug == "port_closed" else "code")


@pytest.mark.parametrize("host, fields, text", [
    ("localhost", {"e2b-sandbox-id": "gone"}, "missing header"),
    ("localhost", {"e2b-sandbox-port": "80"}, "missing header"),
    ("localhost", {"e2b-sandbox-id": "A_b", "e2b-sandbox-port": "80"}, "Invalid sandbox ID"),
    ("localhost", {"e2b-sandbox-id": "ab", "e2b-sandbox-port": "0x50"}, "Invalid sandbox port"),
    ("nodash.t.localhost", {"e2b-sandbox-id": "ab", "e2b-sandbox-port": "80"}, "Invalid host"),
])
def test_e2b_says_in_plain_text_that_a_host_is_wrong(way, host, fields, text):
    answer = way.ask(None, list(fields.items()), method="GET", path="/", body=b"", host=host)
    common(answer, "bad_host")
    assert (answer.status, answer.body.decode()) == (400, text + "\n")
    assert answer.get("Content-Type") == "text/plain; charset=utf-8"
    assert answer.get("X-Content-Type-Options") == "nosniff"


def test_people_get_a_page_and_grpc_wins_over_it(way):
    answer = way.ask("gone", BROWSER, method="GET", body=b"")
    assert (answer.status, answer.get("Content-Type")) == (410, "text/html; charset=utf-8")
    answer = way.ask("gone", BROWSER + GRPC)
    assert (answer.status, answer.get("grpc-status")) == (200, "5")


def test_cors_lets_the_caller_read_it(way):
    for fields in (GRPC, GRPC_WEB, CONNECT, STREAM, PLAIN):
        answer = way.ask("gone", [("origin", "https://app.example")] + fields)
        assert answer.get("Access-Control-Allow-Origin") == "https://app.example"
        assert answer.get("Vary") == "Origin"
        assert "Proxy-Status" in answer.get("Access-Control-Expose-Headers")


def test_the_log_says_what_the_status_does_not(way):
    way.ask("closed", GRPC)
    line = way.gateway.wait_access(sandbox__id="closed")[0]
    assert line["http.response.status_code"] == 200
    assert (line["error.type"], line["level"]) == ("port_closed", "warn")


@pytest.fixture
def silent():
    """A port that takes connections, whatever is spoken there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


@pytest.mark.parametrize("headers, what", [(PLAIN, "json"), (GRPC, "grpc"), (CONNECT, "connect"),
                                           (STREAM, "stream")])
def test_a_body_that_breaks_is_told_of_as_all_else(gateway, hook, silent, headers, what):
    """A bad chunk behind a good head that the sandbox has begun to see; it says nothing itself."""
    h, port = hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{silent.getsockname()[1]}")
    g = gateway(one_site(port, h))
    rid = "0193a7" + "0" * 26
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    with Connection(port) as c:
        c.send(("POST /x HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\nOrigin: https://a.example\r\n"
                f"X-Request-Id: {rid}\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
                "5\r\nhello\r\n").encode())
        with silent.accept()[0]:
            c.send(b"nonsense\r\n")
            answer = c.answer("POST")
        assert c.until_end() == "fin"
    assert answer.get("X-Request-Id") == rid
    assert answer.get("Access-Control-Allow-Origin") == "https://a.example"
    assert 'details="request_invalid"' in answer.get("Proxy-Status")
    assert answer.status == (400 if what in ("json", "connect") else 200)
    if what == "json":
        assert said(answer)["sandboxId"] == "blog" and said(answer)["error"] == "request_invalid"
    elif what == "grpc":
        assert answer.get("grpc-status") == "3" and not answer.body
    elif what == "connect":
        assert said(answer)["code"] == "invalid_argument"
    else:
        assert answer.body[:1] == b"\2"
    g.wait_access(request_id=rid, error__type="request_invalid")
