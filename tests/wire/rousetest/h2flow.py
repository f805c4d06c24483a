# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/2 at either side, strict and well-behaved; see flow.py.  Hostile peers: h2.py."""

import re

import hpack

from rousetest import frames
from rousetest.flow import Flow, Violation

DEFAULTS = {frames.HEADER_TABLE_SIZE: 4096, frames.ENABLE_PUSH: 1,
            frames.MAX_CONCURRENT_STREAMS: 1 << 31, frames.INITIAL_WINDOW_SIZE: 65535,
            frames.MAX_FRAME_SIZE: 16384, frames.MAX_HEADER_LIST_SIZE: 1 << 31,
            frames.ENABLE_CONNECT_PROTOCOL: 0}
NAME = re.compile(r":?[!#$%&'*+\-.^_`|~0-9a-z]+")
VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")
HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
ASKS = {":method", ":scheme", ":authority", ":path", ":protocol"}


def check_fields(fields, allowed, needed):
    """RFC 9113 section 8: what a header section may hold."""
    seen, regular = {}, False
    for name, value in fields:
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise Violation(f"field {name!r}: {value!r}")
        if name.startswith(":"):
            if regular or name in seen or name not in allowed:
                raise Violation(f"pseudo-header {name} in {fields}")
            seen[name] = value
        else:
            regular = True
        if name in HOP or (name == "te" and value != "trailers"):
            raise Violation(f"connection-specific field {name}: {value}")
    if not needed <= set(seen):
        raise Violation(f"pseudo-headers {set(seen)} of {needed}")
    return seen


class H2Flow(Flow):
    def __init__(self, session, number):
        super().__init__(session, number)
        self.window = session.peer[frames.INITIAL_WINDOW_SIZE]          # what we may send
        self.room = session.ours[frames.INITIAL_WINDOW_SIZE]            # what the peer may
        self.queue, self.end, self.after = bytearray(), False, []       # body still to send
        self.sent_all = self.closed = False
        self.reset_code = None                                          # of the peer's RST_STREAM
        self.length = None                                              # announced content-length

    def describe(self):
        return (f"{super().describe()}, {len(self.queue)} B to send, window {self.window}/"
                f"{self.session.window}")

    @property
    def pending(self):
        return len(self.queue)

    def _send(self, data):
        self.queue += data
        self.session.drain(self)

    def _finish(self, trailers):
        if not self.end:
            self.end, self.after = True, trailers
            self.session.drain(self)

    def _reset(self, code):
        if not self.closed:
            self.closed = True
            self.session.out += frames.rst_stream(self.number, code)

    def _cancel(self):
        self._reset(frames.CANCEL)

    def _head(self, status, headers, framing, interim=False):
        bare = not interim and (framing == "none" or self.method == "HEAD"
                                or status in (204, 304))
        fields = [(":status", str(status))] + [(name.lower(), value) for name, value in headers]
        self.session.put_headers(self, fields, bare)

    def _accept(self, headers):
        self.tunnel = True
        self._head(200, headers, "chunked")


class H2Session:
    """credit: auto gives the peer its window back at once, read when a test has taken the data."""

    h2, half_open = True, False

    def __init__(self, link, pump, server=False, on_head=None, on_end=None, settings=(),
                 credit="auto"):
        self.link, self.pump, self.server = link, pump, server
        self.on_head, self.on_end, self.credit = on_head, on_end, credit
        self.out, self.shut = bytearray(), False
        self.peer, self.ours = dict(DEFAULTS), dict(DEFAULTS) | dict(settings)
        self.given = dict(settings)
        self.window = self.room = 65535
        self.flows, self.requests = {}, []
        self.next = 1
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder(1 << 20)
        self.preface = bytearray(frames.PREFACE) if server else None
        self.fragment, self.opened = None, 0
        self.acked = self.settled = False
        self.goaway, self.violation = None, None
        self.pings = []

    def start(self):
        if not self.server:
            self.given.setdefault(frames.ENABLE_PUSH, 0)
            self.out += frames.PREFACE
        self.out += frames.settings(*self.given.items())

    def open(self, method, path, host, headers, framing, scheme="http", protocol=None):
        flow = H2Flow(self, self.next)
        self.next += 2
        self.flows[flow.number] = flow
        flow.method = method
        fields = [(":method", method), (":scheme", scheme), (":authority", host), (":path", path)]
        if protocol:
            assert self.peer[frames.ENABLE_CONNECT_PROTOCOL] == 1, "no extended CONNECT"
            fields[0] = (":method", "CONNECT")
            fields.insert(1, (":protocol", protocol))
        fields = [pair for pair in fields if pair[1] is not None]
        fields += [(name.lower(), value) for name, value in headers]
        self.put_headers(flow, fields, framing == "none" and not protocol)
        return flow

    # ---- output

    def put_headers(self, flow, fields, last):
        fragment = self.encoder.encode(fields)
        most = self.peer[frames.MAX_FRAME_SIZE]
        pieces = [fragment[at:at + most] for at in range(0, len(fragment), most)] or [b""]
        flags = frames.END_STREAM if last else 0
        for number, piece in enumerate(pieces):
            if number == len(pieces) - 1:
                flags |= frames.END_HEADERS
            kind = frames.CONTINUATION if number else frames.HEADERS
            self.out += frames.frame(kind, flags, flow.number, piece)
            flags = 0
        if last:
            flow.sent_all = flow.end = True

    def drain(self, flow):
        """Sends what the windows let through."""
        if flow.closed or flow.sent_all:
            return
        while flow.queue:
            count = min(len(flow.queue), flow.window, self.window,
                        self.peer[frames.MAX_FRAME_SIZE])
            if count <= 0:
                return
            piece = bytes(flow.queue[:count])
            del flow.queue[:count]
            flow.window -= count
            self.window -= count
            last = flow.end and not flow.queue and not flow.after
            self.out += frames.data(flow.number, piece, frames.END_STREAM if last else 0)
            flow.sent_all = flow.sent_all or last
        if flow.end and not flow.sent_all:
            flow.sent_all = True
            if flow.after:
                self.put_headers(flow, [(n.lower(), v) for n, v in flow.after], True)
                return
            self.out += frames.data(flow.number, b"", frames.END_STREAM)

    def taken(self, flow):
        if self.credit == "read":
            self._give(flow, flow.received - len(flow.data) - flow.credited)

    def _give(self, flow, count):
        if count <= 0:
            return
        flow.credited += count
        self.room += count
        self.out += frames.window_update(0, count)
        if not flow.ended and not flow.broken and not flow.closed:
            flow.room += count
            self.out += frames.window_update(flow.number, count)

    # ---- input

    def advance(self):
        if self.violation:
            return
        try:
            self._read()
        except (Violation, hpack.HPACKError, UnicodeError) as error:
            self.violation = f"{type(error).__name__}: {error}"
            for flow in self.flows.values():
                flow.breaks(f"violation: {error}")
            self.pump.drop("fin")
        if self.link.end:
            for flow in self.flows.values():
                if not (flow.ended and flow.sent_all) and not flow.closed:
                    flow.breaks(self.link.end)

    def _read(self):
        data = self.link.input
        if self.preface:
            count = min(len(data), len(self.preface))
            if data[:count] != self.preface[:count]:
                raise Violation(f"preface {bytes(data[:24])!r}")
            del data[:count], self.preface[:count]
            if self.preface:
                return
        while True:
            if len(data) >= 3:
                size = int.from_bytes(data[:3], "big")
                if size > self.ours[frames.MAX_FRAME_SIZE]:
                    raise Violation(f"a frame of {size} bytes")
            one = frames.parse(data)
            if one is None:
                return
            self._frame(one)

    def _frame(self, one):
        if not self.settled and (one.type != frames.SETTINGS or one.has(frames.ACK)):
            raise Violation(f"first frame is {one}")
        if self.fragment is not None and (one.type != frames.CONTINUATION
                                          or one.stream != self.fragment[0].stream):
            raise Violation(f"{one} within a header block")
        if one.type < len(frames.TYPES):
            getattr(self, "_on_" + frames.TYPES[one.type].lower())(one)

    def _on_settings(self, one):
        if one.stream or len(one.payload) % 6:
            raise Violation(str(one))
        if one.has(frames.ACK):
            if one.payload:
                raise Violation("an ACK with settings")
            self.acked = True
            return
        self.settled = True
        for key, value in one.settings:
            if key == frames.INITIAL_WINDOW_SIZE:
                if value >= 1 << 31:
                    raise Violation("initial window")
                for flow in self.flows.values():
                    flow.window += value - self.peer[key]
            if key == frames.MAX_FRAME_SIZE and not 16384 <= value < 1 << 24:
                raise Violation(f"max frame size {value}")
            if key in (frames.ENABLE_PUSH, frames.ENABLE_CONNECT_PROTOCOL) and value > 1:
                raise Violation(f"setting {key} = {value}")
            if key == frames.HEADER_TABLE_SIZE:
                self.encoder.header_table_size = min(value, 4096)
            self.peer[key] = value
        self.out += frames.settings_ack()
        for flow in list(self.flows.values()):
            self.drain(flow)

    def _on_ping(self, one):
        if one.stream or len(one.payload) != 8:
            raise Violation(str(one))
        if one.has(frames.ACK):
            self.pings.append(one.payload)
        else:
            self.out += frames.ping(one.payload, frames.ACK)

    def _on_goaway(self, one):
        if one.stream or len(one.payload) < 8:
            raise Violation(str(one))
        self.goaway = one
        for flow in self.flows.values():
            if not self.server and flow.number > one.last_stream:
                flow.breaks(f"goaway {frames.code_name(one.code)}")

    def _on_window_update(self, one):
        if len(one.payload) != 4 or not one.increment:
            raise Violation(str(one))
        if not one.stream:
            self.window += one.increment
            if self.window >= 1 << 31:
                raise Violation("the connection's window overflows")
            for flow in list(self.flows.values()):
                self.drain(flow)
            return
        flow = self._known(one)
        flow.window += one.increment
        if flow.window >= 1 << 31:
            raise Violation("a stream's window overflows")
        self.drain(flow)

    def _on_priority(self, one):
        if len(one.payload) != 5 or not one.stream:
            raise Violation(str(one))

    def _on_push_promise(self, one):
        raise Violation(str(one))

    def _on_rst_stream(self, one):
        if len(one.payload) != 4:
            raise Violation(str(one))
        flow = self._known(one)
        flow.reset_code = one.code
        flow.closed = True
        flow.breaks(f"rst_stream {frames.code_name(one.code)}")

    def _known(self, one):
        flow = self.flows.get(one.stream)
        if flow is None:
            raise Violation(f"{one} on an idle stream")
        return flow

    def _on_data(self, one):
        flow, content = self._known(one), one.content
        if content is None:
            raise Violation(f"padding of {one}")
        if not flow.here or flow.ended:
            raise Violation(f"{one} where no body is")
        self.room -= len(one.payload)
        flow.room -= len(one.payload)
        if self.room < 0 or flow.room < 0:
            raise Violation(f"more than the window: {self.room} {flow.room}")
        flow.on_data(content)
        if one.has(frames.END_STREAM):
            self._whole(flow)
        slack = len(one.payload) - len(content)
        if self.credit == "auto" or flow.closed:
            self._give(flow, len(one.payload))
        elif slack:
            self._give(flow, slack)
            flow.credited -= slack

    def _on_headers(self, one):
        if one.content is None or not one.stream:
            raise Violation(str(one))
        self.fragment = (one, bytearray(one.content))
        self._block(one)

    def _on_continuation(self, one):
        if self.fragment is None:
            raise Violation(f"{one} without a header block")
        self.fragment[1].extend(one.payload)
        self._block(one)

    def _block(self, one):
        if not one.has(frames.END_HEADERS):
            return
        (first, fragment), self.fragment = self.fragment, None
        fields = [(name.decode("latin-1"), value.decode("latin-1"))
                  for name, value in self.decoder.decode(bytes(fragment), raw=True)]
        last = first.has(frames.END_STREAM)
        flow = self.flows.get(first.stream)
        if self.server and flow is None:
            self._request(first, fields, last)
            return
        if flow is None:
            raise Violation(f"{first} on an idle stream")
        if flow.ended:
            raise Violation(f"{first} after the end")
        if flow.here:
            check_fields(fields, set(), set())
            if not last:
                raise Violation("trailers without END_STREAM")
            flow.trailers = fields
            self._whole(flow)
            return
        self._answer(flow, fields, last)

    def _request(self, first, fields, last):
        if first.stream % 2 == 0 or first.stream <= self.opened:
            raise Violation(f"{first} opens a stream")
        self.opened = first.stream
        seen = check_fields(fields, ASKS, {":method", ":authority"})
        flow = self.flows[first.stream] = H2Flow(self, first.stream)
        flow.method, flow.path = seen[":method"], seen.get(":path")
        flow.host, flow.scheme = seen[":authority"], seen.get(":scheme")
        flow.protocol = seen.get(":protocol")
        if (flow.method != "CONNECT" or flow.protocol) and not (flow.path and flow.scheme):
            raise Violation(f"pseudo-headers {seen}")
        flow.headers = [pair for pair in fields if not pair[0].startswith(":")]
        flow.here = True
        self._length(flow)
        self.requests.append(flow)
        self.on_head(flow)
        flow.announced = True
        if last:
            self._whole(flow)

    @staticmethod
    def _length(flow):
        lengths = flow.all("content-length")
        if len(lengths) > 1 or not re.fullmatch(r"0|[1-9][0-9]{0,17}", (lengths or ["0"])[0]):
            raise Violation(f"content-length {lengths}")
        if lengths:
            flow.length = int(lengths[0])

    def _answer(self, flow, fields, last):
        seen = check_fields(fields, {":status"}, {":status"})
        if not re.fullmatch(r"[1-5][0-9][0-9]", seen[":status"]):
            raise Violation(f":status {seen[':status']}")
        status, headers = int(seen[":status"]), [p for p in fields if p[0] != ":status"]
        if status < 200:
            if last or status == 101:
                raise Violation(f"an interim answer {status}")
            flow.interims.append((status, headers))
            return
        flow.status, flow.headers, flow.here = status, headers, True
        self._length(flow)
        if flow.method == "HEAD" or status == 304:
            flow.length = None
        if flow.protocol and status // 100 == 2:
            flow.tunnel = True
        if last:
            self._whole(flow)

    def _whole(self, flow):
        if flow.length is not None and flow.length != flow.received:
            raise Violation(f"{flow.received} bytes, content-length {flow.length}")
        flow.ended = True
        if self.server:
            self.on_end(flow)
