# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a request when its sandbox speaks HTTP/2 badly (RELIABILITY E13), a line a case.

A case is (name, what the sandbox sends when the request is there, what the client must get):

    BAD      a 502 that the gateway made up
    CUT      an answer that broke off, or the 502 where its head had not gone out yet
    GOOD     the sandbox's own 200

`bare`: sent in place of SETTINGS, before the request is read.
"""

import dataclasses

from rousetest.frames import (
    ACK, CANCEL, DATA, ENABLE_CONNECT_PROTOCOL, ENABLE_PUSH, END_HEADERS, END_STREAM,
    ENHANCE_YOUR_CALM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, MAX_FRAME_SIZE,
    NO_ERROR, PADDED, PING, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, block, bomb, continuation, data, frame, goaway, headers, indexed,
    literal, padded, ping, priority, priority_block, push_promise, rst_stream, settings,
    settings_ack, table_size, window_update)

BAD, CUT, GOOD = {"bad"}, {"bad", "cut"}, {"good"}
LAST = END_STREAM | END_HEADERS


@dataclasses.dataclass
class Case:
    name: str
    send: bytes
    want: set
    bare: bool = False
    end: str = None             # what the sandbox does to the connection afterwards: fin, rst
    method: str = "GET"

    def __str__(self):
        return self.name


CASES = []


def case(name, send, want, **options):
    CASES.append(Case(name, send, want, **options))


def head(*fields, status="200", flags=END_HEADERS):
    return headers(1, block([(":status", status), *fields]), flags)


ANSWER = head() + data(1, b"ok", END_STREAM)
PART = head() + data(1, b"part")

# ---- good ones, so that the rest proves something

case("an answer", ANSWER, GOOD)
case("padding", headers(1, block([(":status", "200")]), pad=50) + data(1, b"ok", END_STREAM, pad=9),
     GOOD)
case("a header block in four frames", headers(1, b"", 0) + continuation(1, block(
    [(":status", "200")]), 0) + continuation(1, b"", 0) + continuation(1, literal("x-a", "b"))
    + data(1, b"ok", END_STREAM), GOOD)
case("trailers", head() + data(1, b"ok") + headers(1, block([("x-t", "1")]), LAST), GOOD)
case("sixteen interim answers", head(status="103") * 16 + ANSWER, GOOD)
case("unknown frames", frame(0xfa, 0xff, 0, b"abc") + frame(0xfb, 0, 1, b"") + ANSWER, GOOD)
case("unknown settings", settings((0xff, 1), (ENABLE_CONNECT_PROTOCOL, 1)) + ANSWER, GOOD)
case("priorities", priority(1, 3) + headers(1, block([(":status", "200")]),
                                            priority=priority_block(3))
     + data(1, b"ok", END_STREAM), GOOD)
case("a last GOAWAY that includes the request", goaway(1) + ANSWER, GOOD)
case("a GOAWAY that warns", goaway((1 << 31) - 1) + ANSWER, GOOD)
case("an answer and a reset without an error", ANSWER + rst_stream(1, NO_ERROR), GOOD)
case("an answer and the end", ANSWER, GOOD, end="fin")

# ---- before the first SETTINGS

for name, sent in (("HTTP/1", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
                   ("an SSH banner", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
                   ("zeros", bytes(100)), ("PING", ping()), ("an ACK", settings_ack()),
                   ("HEADERS", ANSWER), ("GOAWAY", goaway(0, PROTOCOL_ERROR)),
                   ("DATA of 16 MiB", frame(DATA, 0, 0, bytes(1000), length=(1 << 24) - 1))):
    case(f"first of all: {name}", sent, BAD, bare=True, end="fin")
case("first of all: the end", b"", BAD, bare=True, end="fin")

# ---- errors of the connection

for name, sent in (
        ("ENABLE_PUSH 1", settings((ENABLE_PUSH, 1))),
        ("ENABLE_PUSH 2", settings((ENABLE_PUSH, 2))),
        ("INITIAL_WINDOW_SIZE 2^31", settings((INITIAL_WINDOW_SIZE, 1 << 31))),
        ("MAX_FRAME_SIZE 1", settings((MAX_FRAME_SIZE, 1))),
        ("SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, bytes(5))),
        ("SETTINGS on a stream", settings(stream=1)),
        ("an ACK with a payload", frame(SETTINGS, ACK, 0, bytes(6))),
        ("PING of 7 bytes", frame(PING, 0, 0, bytes(7))), ("PING on a stream", ping(stream=1)),
        ("GOAWAY of 4 bytes", frame(GOAWAY, 0, 0, bytes(4))),
        ("GOAWAY on a stream", goaway(stream=1)),
        ("RST_STREAM of 5 bytes", frame(RST_STREAM, 0, 1, bytes(5))),
        ("RST_STREAM on stream 0", rst_stream(0)), ("RST_STREAM of an idle stream", rst_stream(99)),
        ("WINDOW_UPDATE of 3 bytes", frame(WINDOW_UPDATE, 0, 0, bytes(3))),
        ("an increment of 0", window_update(0, 0)),
        ("a window above 2^31-1", window_update(0, (1 << 31) - 1)),
        ("WINDOW_UPDATE of an idle stream", window_update(99, 1)),
        ("PUSH_PROMISE", push_promise(1, 2, block([(":method", "GET"), (":path", "/"),
                                                   (":scheme", "http"), (":authority", "x")]))),
        ("DATA on stream 0", data(0, b"x")), ("DATA of an idle stream", data(99, b"x")),
        ("HEADERS on stream 0", headers(0, block([(":status", "200")]), LAST)),
        ("HEADERS of an idle stream", headers(99, block([(":status", "200")]), LAST)),
        ("HEADERS of an even stream", headers(2, block([(":status", "200")]), LAST)),
        ("CONTINUATION without HEADERS", continuation(1, b"")),
        ("PING within a header block", headers(1, b"\x88", 0) + ping()),
        ("HEADERS within a header block", headers(1, b"\x88", 0) + ANSWER),
        ("PRIORITY on stream 0", frame(PRIORITY, 0, 0, bytes(5))),
        ("a frame of 16385 bytes", frame(0xfa, 0, 0, bytes(16385))),
        ("a frame that claims 16 MiB", frame(HEADERS, END_HEADERS, 1, b"", length=(1 << 24) - 1)),
        ("padding above the payload", head() + frame(DATA, PADDED, 1, b"\x09ab")),
        ("a bad index", headers(1, indexed(99))), ("index 0", headers(1, indexed(0))),
        ("a table of 2^20", headers(1, table_size(1 << 20) + b"\x88")),
        ("a literal cut off", headers(1, b"\x88\x40\x05ab")),
        ("padding above HEADERS", frame(HEADERS, PADDED | LAST, 1, padded(b"\x88", 0, claim=9)))):
    case(f"connection: {name}", sent, CUT if sent.startswith(head()) else BAD)

# ---- malformed answers

for name, sent in (
        ("no :status", headers(1, block([("x-a", "b")]), LAST)),
        ("two :status", headers(1, block([(":status", "200"), (":status", "200")]), LAST)),
        ("a request's pseudo-header",
         headers(1, block([(":status", "200"), (":path", "/")]), LAST)),
        (":status behind a field", headers(1, block([("x-a", "b"), (":status", "200")]), LAST)),
        ("an empty block", headers(1, b"", LAST)), ("DATA first", data(1, b"x", END_STREAM)),
        ("upper case", head(("X-Upper", "x"), flags=LAST)),
        ("connection", head(("connection", "close"), flags=LAST)),
        ("transfer-encoding", head(("transfer-encoding", "chunked"), flags=LAST)),
        ("upgrade", head(("upgrade", "h2c"), flags=LAST)),
        ("an empty name", head(("", "x"), flags=LAST)), ("CR", head(("x", "a\rb"), flags=LAST)),
        ("LF", head(("x", "a\nb"), flags=LAST)), ("NUL", head(("x", "a\0b"), flags=LAST)),
        ("CRLF in a name", head(("x\r\ny", "a"), flags=LAST)),
        ("a space in a name", head(("x y", "a"), flags=LAST)),
        ("content-length and no body", head(("content-length", "5"), flags=LAST)),
        ("content-length twice",
         head(("content-length", "0"), ("content-length", "0"), flags=LAST)),
        ("content-length x", head(("content-length", "x"), flags=LAST)),
        ("content-length -1", head(("content-length", "-1"), flags=LAST)),
        ("content-length 2^64", head(("content-length", "18446744073709551616"), flags=LAST)),
        ("an interim answer that ends", head(status="103", flags=LAST)),
        ("seventeen interim answers", head(status="103") * 17 + ANSWER),
        ("101", head(status="101") + ANSWER)):
    case(f"malformed: {name}", sent, BAD)
for status in ("99", "600", "000", "1000", "20", "2 0", "abc", "-20", ""):
    case(f"malformed: :status {status!r}", head(status=status, flags=LAST), BAD)
for name, sent in (
        ("more than content-length", head(("content-length", "2")) + data(1, b"abc", END_STREAM)),
        ("less than content-length", head(("content-length", "5")) + data(1, b"abc", END_STREAM)),
        ("trailers with :status", PART + headers(1, block([(":status", "200")]), LAST)),
        ("trailers without the end", PART + headers(1, block([("x-t", "1")]))),
        ("trailers in upper case", PART + headers(1, block([("X-T", "1")]), LAST)),
        ("trailers with CRLF", PART + headers(1, block([("x-t", "a\r\nb")]), LAST))):
    case(f"malformed: {name}", sent, CUT)
case("a body in a 204", head(status="204") + data(1, b"abc", END_STREAM), CUT | {"empty"})
case("a body for a HEAD", head() + data(1, b"abc", END_STREAM), CUT | {"empty"}, method="HEAD")

# ---- resets and ends

for code in (NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, CANCEL, REFUSED_STREAM, ENHANCE_YOUR_CALM,
             0xdeadbeef):
    case(f"reset {code:#x} before the answer", rst_stream(1, code), BAD)
    case(f"reset {code:#x} within the answer", PART + rst_stream(1, code), CUT)
for code in (NO_ERROR, INTERNAL_ERROR, ENHANCE_YOUR_CALM):
    case(f"GOAWAY {code:#x} without the request", goaway(0, code), BAD, end="fin")
    case(f"GOAWAY {code:#x} and the end", goaway(1, code), BAD, end="fin")
    case(f"GOAWAY {code:#x} within the answer", PART + goaway(1, code), CUT, end="fin")
for end in ("fin", "rst"):
    case(f"{end} before the answer", b"", BAD, end=end)
    case(f"{end} within the head", head()[:-1], BAD, end=end)
    case(f"{end} within the answer", PART, CUT, end=end)

# ---- floods: cut off in the budget, with or without an answer behind them

for name, sent in (
        ("PING", ping() * 20000), ("SETTINGS", settings() * 5000),
        ("settings", settings(*[(0xff, 1)] * 2700)), ("ACKs", settings_ack() * 20000),
        ("PING ACKs", ping(flags=ACK) * 20000), ("unknown frames", frame(0xfa, 0, 0) * 20000),
        ("PRIORITY", priority(1) * 20000), ("WINDOW_UPDATE", window_update(0, 1) * 20000),
        ("CONTINUATION", headers(1, b"\x88", 0) + continuation(1, b"", 0) * 20000),
        ("fields", headers(1, block([(":status", "200")]) + literal("a", "") * 4000, LAST)),
        ("a header block of 160 KiB", headers(1, block([(":status", "200")])
                                              + literal("a", "x" * 16000), 0)
         + b"".join(continuation(1, literal("a", "x" * 16000), 0) for _ in range(9))
         + continuation(1, b"")),
        ("an HPACK bomb", headers(1, block([(":status", "200")]) + bomb("a", 3900, 12000), LAST)),
        ("HPACK bombs of one byte", headers(1, block([(":status", "200")])
                                            + literal("a", "", store=True) + indexed(62) * 16000,
                                            LAST))):
    case(f"flood: {name}", sent + (b"" if sent.startswith(headers(1, b"\x88", 0)[:5]) else ANSWER),
         BAD)
case("flood: table sizes", headers(1, table_size(0) * 16000 + b"\x88", LAST), BAD | {"empty"})
case("flood: empty DATA", head() + data(1, b"") * 20000 + data(1, b"ok", END_STREAM), CUT)
case("flood: padding", head() + data(1, b"", pad=255) * 20000 + data(1, b"ok", END_STREAM), CUT)
case("flood: more than the window", head() + data(1, bytes(16384)) * 600, CUT)
