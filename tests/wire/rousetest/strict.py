# SPDX-License-Identifier: BSD-2-Clause
"""Requests as strict servers read them: one parser of our own, and h11.

What Rouse forwards must be the same to both, and to the witness's lax framer (`odd` must be empty).
"""

import dataclasses
import re

import h11

LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP/1\.1")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*"
                   rb"((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*")


class Odd(Exception):
    """Not exactly what RFC 9112 lets a client send."""


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: list               # (lower-case name, value)
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key == name]


def _line(data, at):
    end = data.find(b"\r\n", at)
    if end < 0:
        raise Odd(f"incomplete: {data[at:at + 60]!r}")
    line = data[at:end]
    if re.search(rb"[\0\r\n]", line):
        raise Odd(f"CR, LF or NUL in {line!r}")
    return line, end + 2


def _fields(data, at):
    fields = []
    while True:
        line, at = _line(data, at)
        if not line:
            return fields, at
        match = FIELD.fullmatch(line)
        if not match:
            raise Odd(f"field {line!r}")
        fields.append((match[1].decode("latin-1").lower(), match[2].decode("latin-1")))


def _body(data, at, request):
    lengths, codings = request.all("content-length"), request.all("transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Odd(f"framing {lengths} {codings}")
    if codings:
        if codings != ["chunked"]:
            raise Odd(f"Transfer-Encoding {codings}")
        body = b""
        while True:
            line, at = _line(data, at)
            if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", line):
                raise Odd(f"chunk line {line!r}")
            size = int(line, 16)
            if not size:
                trailers, at = _fields(data, at)
                if trailers:
                    raise Odd(f"trailers {trailers}")
                return body, at
            if data[at + size:at + size + 2] != b"\r\n":
                raise Odd("chunk without CRLF")
            body += data[at:at + size]
            at += size + 2
    if lengths:
        if not re.fullmatch(r"0|[1-9][0-9]*", lengths[0]):
            raise Odd(f"Content-Length {lengths}")
        size = int(lengths[0])
        if len(data) < at + size:
            raise Odd("incomplete body")
        return data[at:at + size], at + size
    return b"", at


def parse(data):
    """All requests in the bytes of one connection."""
    requests, at = [], 0
    while at < len(data):
        line, at = _line(data, at)
        match = LINE.fullmatch(line)
        if not match:
            raise Odd(f"request line {line!r}")
        headers, at = _fields(data, at)
        request = Request(match[1].decode(), match[2].decode(), headers, b"")
        if len(request.all("host")) != 1:
            raise Odd(f"Host {request.all('host')}")
        request.body, at = _body(data, at, request)
        requests.append(request)
    return requests


def parse_h11(data):
    """The same by h11."""
    requests = []
    while data:
        side = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        side.receive_data(data)
        try:
            head = side.next_event()
            if not isinstance(head, h11.Request):
                raise Odd(f"h11: {head}")
            body = b""
            while True:
                event = side.next_event()
                if isinstance(event, h11.EndOfMessage):
                    break
                if not isinstance(event, h11.Data):
                    raise Odd(f"h11: {event}")
                body += bytes(event.data)
        except h11.RemoteProtocolError as error:
            raise Odd(f"h11: {error}") from error
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1"))
                   for name, value in head.headers]
        requests.append(Request(head.method.decode(), head.target.decode("latin-1"), headers, body))
        data = side.trailing_data[0]
    return requests


def agree(data):
    """The requests in `data`, on which both parsers must agree."""
    ours, theirs = parse(data), parse_h11(data)
    if ours != theirs:
        raise Odd(f"two readings: {ours} and {theirs}")
    return ours
