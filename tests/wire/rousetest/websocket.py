# SPDX-License-Identifier: BSD-2-Clause
"""WebSocket frames (RFC 6455), both ways, over any flow that has become a tunnel."""

import base64
import hashlib
import os
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def accept(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def frame(opcode, payload=b"", masked=True, fin=True, mask=b"\x11\x22\x33\x44", bits=0):
    """One frame; clients mask."""
    size, first = len(payload), bytes(((0x80 if fin else 0) | bits | opcode,))
    if size < 126:
        head = bytes((size | (masked << 7),))
    elif size < 1 << 16:
        head = bytes((126 | (masked << 7),)) + struct.pack(">H", size)
    else:
        head = bytes((127 | (masked << 7),)) + struct.pack(">Q", size)
    if not masked:
        return first + head + payload
    return first + head + mask + unmask(payload, mask)


def unmask(payload, mask):
    many = mask * (len(payload) // 4 + 1)
    return (int.from_bytes(payload, "big")
            ^ int.from_bytes(many[:len(payload)], "big")).to_bytes(len(payload), "big")


def close_payload(code, reason=""):
    return struct.pack(">H", code) + reason.encode()


def parse(data):
    """(opcode, payload, fin) at the start of a bytearray, taken out of it, or None."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7f, 2
    masked = data[1] & 0x80
    if size >= 126:
        more = 2 if size == 126 else 8
        if len(data) < 2 + more:
            return None
        size, at = int.from_bytes(data[2:2 + more], "big"), 2 + more
    end = at + (4 if masked else 0) + size
    if len(data) < end:
        return None
    payload = bytes(data[end - size:end])
    if masked:
        payload = unmask(payload, bytes(data[at:at + 4]))
    first = data[0]
    del data[:end]
    return first & 0x0f, payload, bool(first & 0x80)


class WebSocket:
    """Either end of one, on a flow in tunnel mode."""

    def __init__(self, flow, client=True):
        self.flow, self.client = flow, client

    def send(self, payload, opcode=BINARY, **options):
        self.flow.send(frame(opcode, payload, masked=self.client, **options))

    def receive(self, timeout=20):
        """(opcode, payload); Broken or a clean end of the tunnel raise."""
        found = []

        def whole():
            one = parse(self.flow.data)
            if one:
                found.append(one)
            return bool(found) or self.flow.ended or self.flow.broken

        self.flow.wait(whole, "a frame", timeout)
        if not found:
            raise EOFError(f"tunnel ended: {self.flow.broken or 'fin'}")
        with self.flow.pump.lock:
            self.flow.session.taken(self.flow)
            self.flow.pump.flush()
        return found[0][:2]

    def close(self, code=1000, reason=""):
        self.send(close_payload(code, reason), CLOSE)
