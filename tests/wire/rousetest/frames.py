# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/2 frames and HPACK, byte by byte: anything can be written, right or wrong.

Frames are functions that return bytes; what they are given is never checked.

    headers(1, block(REQUEST), END_STREAM | END_HEADERS)
    frame(0x4, 0, 0, b"12345")              # SETTINGS of five bytes
"""

import dataclasses
import struct

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
TYPES = ("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY",
         "WINDOW_UPDATE", "CONTINUATION")

END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM,
 INADEQUATE_SECURITY, HTTP_1_1_REQUIRED) = range(14)
CODES = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
         "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
         "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")

(HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE,
 MAX_HEADER_LIST_SIZE) = range(1, 7)
ENABLE_CONNECT_PROTOCOL = 8


def code_name(code):
    return CODES[code] if code < len(CODES) else f"{code:#x}"


@dataclasses.dataclass
class Frame:
    type: int
    flags: int
    stream: int
    payload: bytes
    fields: list = None         # of a header block that ends here, decoded by the session

    def __str__(self):
        name = TYPES[self.type] if self.type < len(TYPES) else f"{self.type:#x}"
        more = f" {code_name(self.code)}" if self.type in (RST_STREAM, GOAWAY) else ""
        return f"{name}({self.stream}, flags {self.flags:#x}, {len(self.payload)} B{more})"

    def has(self, flag):
        return bool(self.flags & flag)

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        at = 4 if self.type == GOAWAY else 0
        return int.from_bytes(self.payload[at:at + 4], "big")

    @property
    def last_stream(self):
        return int.from_bytes(self.payload[:4], "big") & 0x7fffffff

    @property
    def increment(self):
        return int.from_bytes(self.payload[:4], "big") & 0x7fffffff

    @property
    def settings(self):
        return [struct.unpack_from(">HI", self.payload, at)
                for at in range(0, len(self.payload) - 5, 6)]

    @property
    def content(self):
        """The payload without padding and priority; None if the padding is wrong."""
        at, end = 0, len(self.payload)
        if self.type in (DATA, HEADERS, PUSH_PROMISE) and self.has(PADDED):
            if not end or self.payload[0] >= end:
                return None
            at, end = 1, end - self.payload[0]
        if self.type == HEADERS and self.has(PRIORITIZED):
            at += 5
        if self.type == PUSH_PROMISE:
            at += 4
        return self.payload[at:end] if at <= end else None


def complete(data):
    """Does it begin with a whole frame?"""
    return len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big")


def parse(data):
    """The frame at the start of a bytearray, taken out of it, or None."""
    if not complete(data):
        return None
    length = int.from_bytes(data[:3], "big")
    stream = int.from_bytes(data[5:9], "big") & 0x7fffffff
    frame_ = Frame(data[3], data[4], stream, bytes(data[9:9 + length]))
    del data[:9 + length]
    return frame_


def parse_all(data):
    data, found = bytearray(data), []
    while (one := parse(data)) is not None:
        found.append(one)
    return found


# ---- frames out


def frame(kind, flags, stream, payload=b"", length=None):
    """Any frame; length: a lie about it."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def padded(payload, pad, claim=None):
    """With `pad` bytes of padding, or one that claims another number."""
    return bytes((pad if claim is None else claim,)) + payload + bytes(pad)


def priority_block(depends=0, weight=15, exclusive=False):
    return ((exclusive << 31) | depends).to_bytes(4, "big") + bytes((weight,))


def data(stream, payload=b"", flags=0, pad=None):
    if pad is not None:
        payload, flags = padded(payload, pad), flags | PADDED
    return frame(DATA, flags, stream, payload)


def headers(stream, fragment, flags=END_HEADERS, pad=None, priority=None):
    if priority is not None:
        fragment, flags = priority + fragment, flags | PRIORITIZED
    if pad is not None:
        fragment, flags = padded(fragment, pad), flags | PADDED
    return frame(HEADERS, flags, stream, fragment)


def continuation(stream, fragment=b"", flags=END_HEADERS):
    return frame(CONTINUATION, flags, stream, fragment)


def priority(stream, depends=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, priority_block(depends, weight, exclusive))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def settings(*pairs, flags=0, stream=0):
    """settings((INITIAL_WINDOW_SIZE, 0), ...)"""
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def settings_ack():
    return frame(SETTINGS, ACK, 0)


def push_promise(stream, promised, fragment, flags=END_HEADERS):
    return frame(PUSH_PROMISE, flags, stream, promised.to_bytes(4, "big") + fragment)


def ping(payload=b"12345678", flags=0, stream=0):
    return frame(PING, flags, stream, payload)


def goaway(last=0, code=NO_ERROR, debug=b"", stream=0):
    return frame(GOAWAY, 0, stream, last.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


# ---- HPACK out


STATIC = [(name.decode(), value.decode()) for name, value in HeaderTable.STATIC_TABLE]


def integer(value, bits, first=0):
    """RFC 7541 section 5.1; `first` holds the bits above the prefix."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    out, value = bytearray((first | most,)), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def huffman(text):
    text = text.encode("latin-1") if isinstance(text, str) else text
    return HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)


def string(text, coded=False):
    text = text.encode("latin-1") if isinstance(text, str) else text
    if coded:
        text = huffman(text)
    return integer(len(text), 7, 0x80 if coded else 0) + text


def indexed(index):
    return integer(index, 7, 0x80)


def literal(name, value, store=False, never=False, coded=False):
    """name: text, or the index of a name in the tables."""
    bits, first = (6, 0x40) if store else (4, 0x10 if never else 0)
    index = name if isinstance(name, int) else 0
    out = integer(index, bits, first)
    if not index:
        out += string(name, coded)
    return out + string(value, coded)


def table_size(size):
    return integer(size, 5, 0x20)


def block(fields, coded=False):
    """A header block that needs no dynamic table: from the static one where it can."""
    out = b""
    for name, value in fields:
        if (name, value) in STATIC:
            out += indexed(STATIC.index((name, value)) + 1)
        else:
            out += literal(name, value, coded=coded)
    return out


def bomb(name="x", size=4000, times=1000):
    """One large entry stored, then named again and again: one byte each on the wire."""
    return literal(name, "a" * size, store=True) + indexed(62) * times


def request_fields(method="GET", path="/", authority="localhost", scheme="http", more=()):
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path),
            *more]
