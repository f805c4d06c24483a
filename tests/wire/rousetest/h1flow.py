# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/1.1 at either side, strict; see flow.py."""

import re

from rousetest import raw, strict, websocket
from rousetest.flow import Flow, Violation

CHUNK = re.compile(rb"[0-9A-Fa-f]{1,15}")


class H1Flow(Flow):
    def __init__(self, session, number):
        super().__init__(session, number)
        self.out = None         # framing of what is sent: cl, chunked, close, tunnel, none
        self.sent_all = False
        self.upgrade = False    # the request asks for a WebSocket
        self.key = None
        self.keep = True        # the connection lives on

    def _put(self, data):
        self.session.out += data

    def _fields(self, headers):
        return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")

    # client

    def start(self, method, path, host, headers, framing, upgrade=False):
        self.method, self.out, self.upgrade = method, framing, upgrade
        head = [("Host", host)] if host is not None else []
        head += headers
        if framing == "chunked":
            head.append(("Transfer-Encoding", "chunked"))
        self._put(f"{method} {path} HTTP/1.1\r\n".encode("latin-1") + self._fields(head)
                  + b"\r\n")
        if framing == "none":
            self.sent_all = True

    # both

    def _send(self, data):
        if self.out == "chunked":
            self._put(b"%x\r\n%s\r\n" % (len(data), data) if data else b"")
        else:
            self._put(data)

    def _finish(self, trailers):
        if self.sent_all:
            return
        self.sent_all = True
        if self.out == "chunked":
            self._put(b"0\r\n" + self._fields(trailers) + b"\r\n")
        if self.out == "close" or (self.out == "tunnel") or not self.keep:
            self.session.shut = True
        self.session.sent(self)

    def _reset(self, _code):
        self.pump.drop("rst")

    def _cancel(self):
        self.pump.drop("fin")

    # origin

    def _head(self, status, headers, framing, interim=False):
        bare = status < 200 or status in (204, 304)
        if framing == "chunked" and not bare and self.method != "HEAD":
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        if framing == "close":
            headers, self.keep = [*headers, ("Connection", "close")], False
        self._put(f"HTTP/1.1 {status} {'Interim' if interim else 'Fine'}\r\n".encode()
                  + self._fields(headers) + b"\r\n")
        if not interim:
            self.out = "none" if bare or self.method == "HEAD" else framing
            if self.upgrade and not self.tunnel:
                self.session.refused(self)

    def _accept(self, headers):
        answer = websocket.accept(self.key) if self.key else ""
        headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                   *([("Sec-WebSocket-Accept", answer)] if answer else []), *headers]
        self.tunnel = True
        self._head(101, headers, "none")
        self.out = "tunnel"
        self.session.tunnel(self)


class H1Session:
    """One connection; at the client flows are opened with open()."""

    def __init__(self, link, pump, server=False, on_head=None, on_end=None):
        self.link, self.pump, self.server = link, pump, server
        self.on_head, self.on_end = on_head, on_end
        self.out, self.shut = bytearray(), False
        self.state = "idle" if not server else "head"
        self.flow, self.count, self.left = None, 0, 0
        self.violation = None
        self.requests = []      # flows, in order

    h2 = False

    @property
    def half_open(self):
        return self.state == "tunnel" and not self.flow.sent_all

    def start(self):
        pass

    def open(self, method, path, host, headers, framing, scheme=None, protocol=None):
        assert self.state == "idle", f"the connection is busy: {self.state}"
        self.count += 1
        flow = self.flow = H1Flow(self, self.count)
        flow.key = next((value for name, value in headers
                         if name.lower() == "sec-websocket-key"), None)
        flow.start(method, path, host, headers, framing, bool(protocol))
        self.state = "head"
        return flow

    def taken(self, flow):
        pass

    # ---- input

    def advance(self):
        """Takes what the link has read."""
        if self.violation:
            return
        try:
            while self._step():
                pass
            if self.link.end:
                self._ended(self.link.end)
        except (raw.BadAnswer, strict.Odd, Violation) as error:
            self.violation = str(error)
            if self.flow:
                self.flow.breaks(f"violation: {error}")
            self.pump.drop("fin")

    def _step(self):
        data = self.link.input
        if not data:
            return False
        return getattr(self, "_in_" + self.state)(data)

    def _in_idle(self, data):
        raise Violation(f"bytes nobody asked for: {bytes(data[:100])!r}")

    def _in_waiting(self, _data):
        return False            # a server that still answers, or has not said 101 yet

    def _in_head(self, data):
        at = data.find(b"\r\n\r\n")
        if at < 0:
            if len(data) > 1 << 18:
                raise Violation("a head without an end")
            return False
        head = bytes(data[:at + 4])
        del data[:at + 4]
        if self.server:
            self._request(head)
        else:
            self._answer(head)
        return True

    def _request(self, head):
        line, at = strict._line(head, 0)
        match = strict.LINE.fullmatch(line)
        if not match:
            raise Violation(f"request line {line!r}")
        fields, _ = strict._fields(head, at)
        self.count += 1
        flow = self.flow = H1Flow(self, self.count)
        flow.method, flow.path = match[1].decode(), match[2].decode()
        flow.headers, flow.here = fields, True
        hosts = flow.all("host")
        if len(hosts) != 1:
            raise Violation(f"Host {hosts}")
        flow.host = hosts[0]
        lengths, codings = flow.all("content-length"), flow.all("transfer-encoding")
        if len(lengths) + len(codings) > 1 or codings not in ([], ["chunked"]):
            raise Violation(f"framing {lengths} {codings}")
        if flow.all("upgrade"):
            flow.upgrade, flow.protocol = True, flow.get("upgrade").lower()
            flow.key = flow.get("sec-websocket-key")
        flow.keep = "close" not in flow.get("connection", "").lower()
        self.requests.append(flow)
        self._body("chunked" if codings else "cl" if lengths else "none",
                   int(lengths[0]) if lengths else 0, flow.upgrade)
        self.on_head(flow)
        flow.announced = True
        if flow.ended and not flow.sent_all:
            self.on_end(flow)

    def _answer(self, head):
        flow = self.flow
        line, at = raw._line(head, 0)
        match = raw.STATUS.fullmatch(line)
        if not match:
            raise Violation(f"status line {line!r}")
        fields, _ = raw._fields(head, at)
        headers = [(name.lower(), value) for name, value in fields]
        status = int(match[1])
        framing, length = raw._framing(status, flow.method, headers)
        if status == 101:
            if not flow.upgrade:
                raise Violation("101 to a request without Upgrade")
            flow.status, flow.headers, flow.here = status, headers, True
            if flow.key and flow.get("sec-websocket-accept") != websocket.accept(flow.key):
                raise Violation(f"Sec-WebSocket-Accept {flow.get('sec-websocket-accept')}")
            flow.tunnel, flow.out = True, "tunnel"
            flow.sent_all = False
            self.state = "tunnel"
            return
        if status < 200:
            flow.interims.append((status, headers))
            return
        flow.status, flow.headers, flow.here = status, headers, True
        flow.keep = "close" not in flow.get("connection", "").lower()
        self._body(framing, length)

    def _body(self, framing, length, upgrade=False):
        if upgrade:
            self.state = "waiting"
        elif framing == "chunked":
            self.state = "chunk_line"
        elif framing == "close":
            self.state = "close"
        elif length:
            self.state, self.left = "length", length
        else:
            self._whole([])

    def _in_length(self, data):
        part = bytes(data[:self.left])
        del data[:len(part)]
        self.left -= len(part)
        self.flow.on_data(part)
        if not self.left:
            self._whole([])
        return True

    def _in_chunk_line(self, data):
        at = data.find(b"\n")
        if at < 0:
            return False
        line = bytes(data[:at + 1])
        del data[:at + 1]
        if not CHUNK.fullmatch(line[:-2]) or line[-2:] != b"\r\n":
            raise Violation(f"chunk line {line!r}")
        self.left = int(line, 16)
        self.state = "chunk_data" if self.left else "trailers"
        return True

    def _in_chunk_data(self, data):
        part = bytes(data[:self.left])
        del data[:len(part)]
        self.left -= len(part)
        self.flow.on_data(part)
        if not self.left:
            self.state = "chunk_end"
        return True

    def _in_chunk_end(self, data):
        if len(data) < 2:
            return False
        if data[:2] != b"\r\n":
            raise Violation("a chunk without CRLF at its end")
        del data[:2]
        self.state = "chunk_line"
        return True

    def _in_trailers(self, data):
        try:
            fields, at = raw._fields(bytes(data), 0)
        except raw.Incomplete:
            return False
        del data[:at]
        self._whole([(name.lower(), value) for name, value in fields])
        return True

    def _in_close(self, data):
        self.flow.on_data(bytes(data))
        data.clear()
        return True

    _in_tunnel = _in_close

    def _whole(self, trailers):
        """The message that comes is complete."""
        flow = self.flow
        flow.trailers, flow.ended = trailers, True
        self.state = "waiting"
        if self.server:
            if flow.sent_all:
                self.state = "head" if flow.keep else "stop"
            elif flow.announced:
                self.on_end(flow)
        elif not flow.keep:
            self.state = "stop"
        elif flow.sent_all:
            self.state = "idle"

    def _in_stop(self, data):
        raise Violation(f"bytes after the last message: {bytes(data[:100])!r}")

    def _ended(self, how):
        flow = self.flow
        if flow and not flow.ended:
            clean = self.state == "tunnel" or (self.state == "close" and not self.server)
            if clean and how == "fin":
                flow.ended = True
            else:
                flow.breaks(how)
        elif flow and not flow.sent_all:
            flow.breaks(how)                    # a whole request whose client left

    # ---- output

    def sent(self, flow):
        """The flow's own side is complete."""
        if flow is self.flow and flow.ended:
            if self.server:
                self.state = "head" if flow.keep else "stop"
            elif self.state == "waiting":
                self.state = "idle"

    def refused(self, flow):
        """An Upgrade was answered with something else: it was a request without a body."""
        flow.upgrade, flow.ended = False, True

    def tunnel(self, flow):
        self.state = "tunnel"
