# SPDX-License-Identifier: BSD-2-Clause
"""What a server must make of an HTTP/2 client's frames: RFC 9113, RFC 7541, one line a case.

A case is (section, name, what is sent, what must come of it).  What is sent comes behind the
client's SETTINGS, unless the case begins the connection itself (`bare`).  Outcomes:

    CE code     GOAWAY with that code, then the connection's end
    SE code     RST_STREAM of the watched stream; the connection lives
    status N    an answer
    close       the connection's end without GOAWAY
    alive       none of these, and the connection answers PINGs
    OK          the request is accepted: answered, refused by a dead sandbox, or held

The sections leave some choice to servers; where they do, a case names all that is allowed.  All
were tried with nghttpd, which passes but for five (host unlike :authority, userinfo, fragment, a
plain CONNECT, and what stands at "a lower stream"), and with nginx and haproxy, which are laxer;
`python3 run_conformance.py` says how.
"""

import dataclasses

from rousetest.frames import (
    ACK, CANCEL, CONTINUATION, DATA, ENABLE_CONNECT_PROTOCOL, ENABLE_PUSH, END_HEADERS, END_STREAM,
    GOAWAY, HEADER_TABLE_SIZE, HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, PADDED, PING, PREFACE, PRIORITIZED, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, block, continuation, data, frame, goaway, headers, huffman, indexed,
    integer, literal, padded, ping, priority, priority_block, push_promise, rst_stream, settings,
    settings_ack, string, table_size, window_update)

OK = "OK"
ALL = ("awake", "held", "dead")


@dataclasses.dataclass
class Case:
    section: str
    name: str
    send: object                # bytes, or a function of a Player that returns bytes
    want: set
    stream: int = 1             # the one that is watched
    bare: bool = False          # without a preface and SETTINGS of ours before it
    states: tuple = ALL
    settings: tuple = ()
    bytewise: bool = False
    check: object = None        # function of the Player after the outcome: a complaint, or None

    def __str__(self):
        return f"{self.section} {self.name}"


CASES = []


def case(section, name, send, *want, **options):
    CASES.append(Case(section, name, send, set(want), **options))


def ce(*codes):
    return tuple("CE " + code for code in codes)


def se(*codes):
    return tuple("SE " + code for code in codes)


PROTOCOL, SIZE, FLOW = ce("PROTOCOL_ERROR"), ce("FRAME_SIZE_ERROR"), ce("FLOW_CONTROL_ERROR")
COMPRESSION = ce("COMPRESSION_ERROR")
CLOSED = ce("STREAM_CLOSED") + se("STREAM_CLOSED")
MALFORMED = se("PROTOCOL_ERROR") + ("status 400",)
ANY_PROTOCOL = PROTOCOL + se("PROTOCOL_ERROR")

# ---- 3.4 the preface

case("3.4", "another protocol's preface", b"INVALID CONNECTION PREFACE\r\n\r\n" + bytes(40),
     "close", *PROTOCOL, bare=True)
case("3.4", "a preface with a wrong last byte", PREFACE[:-1] + b"X" + settings(),
     "close", *PROTOCOL, bare=True)
case("3.4", "a preface without SETTINGS behind it", PREFACE + ping(), "close", *PROTOCOL, bare=True)
case("3.4", "a preface and a request", lambda t: PREFACE + t.get(1), "close", *PROTOCOL, bare=True)
case("3.4", "a preface and an ACK", PREFACE + settings_ack(), "close", *PROTOCOL, bare=True)
case("3.4", "a preface in single bytes", lambda t: PREFACE + settings() + t.get(1), OK, bare=True,
     bytewise=True)
case("3.4", "a request right behind the preface", lambda t: PREFACE + settings() + t.get(1), OK,
     bare=True)
case("3.4", "the server's first frame", PREFACE + settings(), "alive", bare=True,
     check=lambda t: None if t.c.seen[0].type == SETTINGS and not t.c.seen[0].has(ACK)
     else f"first: {t.c.seen[0]}")
case("3.4", "a preface twice", PREFACE, "close", *PROTOCOL, *SIZE)

# ---- 4.1 frame format

for size in (0, 1, 8, 16384):
    case("4.1", f"an unknown frame of {size} bytes", frame(0xfa, 0, 0, bytes(size)), "alive")
case("4.1", "an unknown frame on an idle stream", frame(0xfb, 0xff, 1, b"abc"), "alive")
case("4.1", "an unknown frame on an open stream",
     lambda t: t.post(1) + frame(0xfb, 0, 1, b"abc") + data(1, b"x", END_STREAM), OK)
case("4.1", "undefined flags on PING", frame(PING, 0x16, 0, b"12345678"), "alive")
case("4.1", "undefined flags on SETTINGS", frame(SETTINGS, 0xfe, 0, b""), "alive")
case("4.1", "undefined flags on HEADERS",
     lambda t: frame(HEADERS, 0x92 | END_STREAM | END_HEADERS, 1, t.block()), OK)
case("4.1", "undefined flags on DATA",
     lambda t: t.post(1) + frame(DATA, 0x56 | END_STREAM, 1, b"x" * 5), OK)
case("4.1", "undefined flags on RST_STREAM",
     lambda t: t.post(1) + frame(RST_STREAM, 0xff, 1, bytes(4)), "alive")
case("4.1", "undefined flags on WINDOW_UPDATE", frame(WINDOW_UPDATE, 0xff, 0, b"\0\0\0\1"), "alive")
case("4.1", "undefined flags on GOAWAY", frame(GOAWAY, 0xff, 0, bytes(8)), "alive", "close")
case("4.1", "the reserved bit of PING", ping(stream=1 << 31), "alive")
case("4.1", "the reserved bit of HEADERS",
     lambda t: frame(HEADERS, END_STREAM | END_HEADERS, 1 << 31 | 1, t.block()), OK)
case("4.1", "the reserved bit of an increment", window_update(0, 1 << 31 | 1), "alive")

# ---- 4.2 frame size

case("4.2", "DATA of 16384", lambda t: t.post(1) + data(1, bytes(16384), END_STREAM), OK)
case("4.2", "DATA of 16385", lambda t: t.post(1) + data(1, bytes(16385), END_STREAM), *SIZE,
     *se("FRAME_SIZE_ERROR"))
case("4.2", "HEADERS of 16384", lambda t: t.sized(16384), OK)
case("4.2", "HEADERS of 16385", lambda t: t.sized(16385), *SIZE)
case("4.2", "SETTINGS of 16386", frame(SETTINGS, 0, 0, b"\0\x77\0\0\0\0" * 2731), *SIZE)
case("4.2", "an unknown frame of 16385", frame(0xfa, 0, 0, bytes(16385)), *SIZE)
case("4.2", "a frame that claims 16 MiB", frame(DATA, 0, 1, b"", length=(1 << 24) - 1), *SIZE)
case("4.2", "PING that claims 16 MiB", frame(PING, 0, 0, b"", length=(1 << 24) - 1), *SIZE)

# ---- 4.3 and RFC 7541: header blocks

BAD_BLOCKS = [
    ("index 0", indexed(0)), ("an index behind both tables", indexed(70)),
    ("an index of a table that is empty", indexed(62)),
    ("a name's index behind both tables", literal(99, "x")),
    ("an integer of 2^64", b"\xff" + b"\xff" * 9 + b"\x7f"),
    ("an integer that goes on", b"\xff" + b"\x80" * 40),
    ("an integer cut off", b"\xff\xff"),
    ("a name cut off", b"\x40\x05ab"), ("a value cut off", b"\x40\x01a\x7f\x01"),
    ("a literal without a value", b"\x40\x01a"),
    ("a string's length of 2^31", b"\x40\x01a" + integer(1 << 31, 7)),
    ("EOS in Huffman", b"\x40\x01a" + integer(4, 7, 0x80) + b"\xff\xff\xff\xff"),
    ("Huffman padding of zeros", b"\x40\x01a" + integer(1, 7, 0x80) + b"\x18"),
    ("Huffman padding of 8 bits", b"\x40\x01a" + integer(2, 7, 0x80) + huffman("a")[:1] + b"\xff"),
    ("a table size above the setting", table_size(4097)),
    ("a table size of 2^32", table_size(1 << 32)),
]
for name, bad in BAD_BLOCKS:
    case("4.3", name, lambda t, bad=bad: headers(
        1, (bad + t.block()) if bad[0] & 0xe0 == 0x20 else t.block() + bad,
        END_STREAM | END_HEADERS), *COMPRESSION)
case("4.3", "a table size behind fields",
     lambda t: headers(1, t.block() + table_size(100), END_STREAM | END_HEADERS), *COMPRESSION)
case("4.3", "an entry larger than the table empties it", lambda t: headers(
    1, literal("a", "b", store=True) + literal("x", "y" * 5000, store=True) + indexed(62),
    END_STREAM | END_HEADERS), *COMPRESSION)
case("4.3", "an entry after the table shrank", lambda t:
     t.get(1, extra=literal("a", "b", store=True))
     + headers(3, table_size(0) + t.block() + indexed(62), END_STREAM | END_HEADERS), *COMPRESSION,
     stream=3)
GOOD_BLOCKS = [
    ("two table sizes", lambda t: table_size(0) + table_size(4096) + t.block()),
    ("a literal never to be stored", lambda t: t.block() + literal("a", "b", never=True)),
    ("everything in Huffman", lambda t: t.block(coded=True)),
    ("a stored entry used at once", lambda t: t.block() + literal("x-a", "b", store=True)
     + indexed(62)),
    ("an empty value", lambda t: t.block() + literal("x-a", "")),
    ("an empty value in Huffman", lambda t: t.block() + b"\x40" + string("x-a") + b"\x80"),
    ("all bytes of a value that are allowed",
     lambda t: t.block() + literal("x-a", bytes(range(0x80, 0x100)).decode("latin-1"))),
]
for name, good in GOOD_BLOCKS:
    case("4.3", name, lambda t, good=good: headers(1, good(t), END_STREAM | END_HEADERS), OK)
case("4.3", "an entry stored by an earlier request",
     lambda t: t.get(1, extra=literal("x-a", "b", store=True)) + t.get(3, extra=indexed(62)), OK,
     stream=3)
case("4.3", "an entry stored by a malformed request",
     lambda t: t.get(1, more=[("UPPER", "x")], extra=literal("x-a", "b", store=True))
     + t.get(3, extra=indexed(62)), OK, stream=3)
case("4.3", "an entry stored behind the end of a stream",
     lambda t: t.post(1) + rst_stream(1) + t.get(3, extra=literal("x-a", "b", store=True))
     + t.get(5, extra=indexed(62)), OK, stream=5)
for name, between in (("PRIORITY", priority(3)), ("PING", ping()), ("DATA", data(1, b"x")),
                      ("SETTINGS", settings()), ("an unknown frame", frame(0xfa, 0, 1, b"")),
                      ("WINDOW_UPDATE", window_update(0, 1)), ("RST_STREAM", rst_stream(1)),
                      ("CONTINUATION of another stream", continuation(3, b"", 0))):
    case("4.3", f"{name} within a header block", lambda t, between=between:
         headers(1, t.block()[:4], END_STREAM) + between + continuation(1, t.block()[4:]),
         *PROTOCOL)
case("4.3", "HEADERS of another stream within a header block",
     lambda t: headers(1, t.block()[:4], END_STREAM) + t.get(3), *PROTOCOL)

# ---- 5.1 stream states

IDLE = [("DATA", data(1, b"x")), ("RST_STREAM", rst_stream(1)),
        ("WINDOW_UPDATE", window_update(1, 1)), ("CONTINUATION", continuation(1, b""))]
for name, sent in IDLE:
    case("5.1", f"idle: {name}", sent, *PROTOCOL)
case("5.1", "idle: PRIORITY", lambda t: priority(1) + t.get(1), OK)
case("5.1", "idle: DATA on a stream above", lambda t: t.get(1) + data(3, b"x"), *PROTOCOL, stream=3)
for name, sent, want in (
        ("DATA", lambda t: data(1, b"x", END_STREAM), CLOSED),
        ("HEADERS", lambda t: t.get(1), CLOSED),
        ("CONTINUATION", lambda t: continuation(1, b""), PROTOCOL),
        ("WINDOW_UPDATE", lambda t: window_update(1, 1), (OK,)),
        ("PRIORITY", lambda t: priority(1, weight=7), (OK,)),
        ("RST_STREAM", lambda t: rst_stream(1), ("alive", "status 200", "status 502"))):
    case("5.1", f"half-closed: {name}", lambda t, sent=sent: t.get(1) + sent(t), *want)
# RFC 9113 lets a server ignore what comes on a closed stream, so long as nothing comes of it.
GONE = CLOSED + ("alive",)
for name, sent, want in (
        ("DATA", lambda t: data(1, b"x", END_STREAM), GONE),
        ("HEADERS", lambda t: t.get(1), GONE + PROTOCOL),
        ("CONTINUATION", lambda t: continuation(1, b""), PROTOCOL),
        ("WINDOW_UPDATE", lambda t: window_update(1, 1), GONE),
        ("PRIORITY", lambda t: priority(1), ("alive",)),
        ("RST_STREAM", lambda t: rst_stream(1), GONE)):
    case("5.1", f"reset by the client: {name}",
         lambda t, sent=sent: t.post(1) + rst_stream(1) + sent(t), *want)
for name, sent, want in (
        ("DATA", lambda t: data(1, b"x", END_STREAM), GONE),
        ("HEADERS", lambda t: t.get(1), GONE + PROTOCOL),
        ("CONTINUATION", lambda t: continuation(1, b""), PROTOCOL),
        ("WINDOW_UPDATE", lambda t: window_update(1, 1), GONE),
        ("PRIORITY", lambda t: priority(1), ("alive",)),
        ("RST_STREAM", lambda t: rst_stream(1), GONE)):
    case("5.1", f"answered: {name}", lambda t, sent=sent: t.answered(1) + sent(t),
         *want, *(("status 200", "status 502") if "alive" in want else ()),
         states=("awake", "dead"), check=lambda t: None if len(t.c.of(1, HEADERS)) == 1
         else "answered twice")

# ---- 5.1.1, 5.1.2 identifiers, how many

case("5.1.1", "an even stream", lambda t: t.get(2), *PROTOCOL, stream=2)
case("5.1.1", "stream 0", lambda t: t.get(0), *PROTOCOL)
# libnghttp2 does not answer it: it might be the late trailers of a stream that it has reset.
case("5.1.1", "a lower stream", lambda t: t.get(5) + t.get(3), *PROTOCOL, *ce("STREAM_CLOSED"),
     "alive", stream=3)
case("5.1.1", "streams left out", lambda t: t.get(7), OK, stream=7)
case("5.1.1", "the highest stream", lambda t: t.get((1 << 31) - 1), OK, stream=(1 << 31) - 1)
case("5.1.2", "one stream too many", lambda t: t.crowd(),
     *se("REFUSED_STREAM", "PROTOCOL_ERROR"), *PROTOCOL, stream=0, states=("awake", "held"))

# ---- 5.3, 6.3 priorities: deprecated, but they must not hurt

case("5.3", "HEADERS with a priority", lambda t: t.get(1, priority=priority_block(0, 255)), OK)
case("5.3", "HEADERS that depend on a later stream",
     lambda t: t.get(1, priority=priority_block(99, 0, True)), OK)
case("5.3", "HEADERS that depend on themselves", lambda t: t.get(1, priority=priority_block(1)),
     OK, *ANY_PROTOCOL)
case("5.3", "PRIORITY that depends on itself", lambda t: t.post(1) + priority(1, 1),
     "alive", *ANY_PROTOCOL, "status 502")
case("5.3", "a circle of PRIORITY", lambda t: priority(1, 3) + priority(3, 5) + priority(5, 1)
     + t.get(7), OK, stream=7)
case("6.3", "PRIORITY on stream 0", priority(0, 1), *PROTOCOL)
for size in (0, 4, 6):
    case("6.3", f"PRIORITY of {size} bytes",
         lambda t, size=size: t.post(1) + frame(PRIORITY, 0, 1, bytes(size)),
         *SIZE, *se("FRAME_SIZE_ERROR"))
case("9218", "PRIORITY_UPDATE", lambda t: frame(0x10, 0, 0, b"\0\0\0\1u=3") + t.get(1), OK)

# ---- 6.1 DATA

case("6.1", "DATA on stream 0", data(0, b"x"), *PROTOCOL)
for name, payload, want in (
        ("as long as the payload", b"\5abcd", PROTOCOL),
        ("longer than the payload", b"\xffab", PROTOCOL),
        ("without a length", b"", PROTOCOL + SIZE)):
    case("6.1", f"padding {name}", lambda t, payload=payload:
         t.post(1) + frame(DATA, PADDED | END_STREAM, 1, payload), *want)
case("6.1", "padding", lambda t: t.post(1) + data(1, b"abc", END_STREAM, pad=200), OK)
case("6.1", "nothing but padding", lambda t: t.post(1) + data(1, b"", END_STREAM, pad=255), OK)
case("6.1", "padding that is not zero",
     lambda t: t.post(1) + frame(DATA, PADDED | END_STREAM, 1, b"\4abc1234"), OK, *ANY_PROTOCOL)
case("6.1", "an empty DATA at the end", lambda t: t.post(1) + data(1, b"abc") + data(
    1, b"", END_STREAM), OK)

# ---- 6.2 HEADERS

case("6.2", "padding as long as the payload", lambda t: frame(
    HEADERS, PADDED | END_STREAM | END_HEADERS, 1, bytes((len(t.block()) + 1,)) + t.block()),
     *PROTOCOL)
case("6.2", "padding without a length",
     frame(HEADERS, PADDED | END_STREAM | END_HEADERS, 1, b""), *PROTOCOL, *SIZE)
case("6.2", "a priority cut off",
     frame(HEADERS, PRIORITIZED | END_STREAM | END_HEADERS, 1, b"\0\0\0"), *PROTOCOL, *SIZE)
case("6.2", "padding and a priority",
     lambda t: t.get(1, pad=100, priority=priority_block(0, 1)), OK)
case("6.2", "padding over the priority", lambda t: frame(
    HEADERS, PADDED | PRIORITIZED | END_STREAM | END_HEADERS, 1,
    padded(priority_block() + t.block(), 0, claim=len(t.block()) + 3)), *PROTOCOL, *SIZE)
case("6.2", "an empty block", headers(1, b"", END_STREAM | END_HEADERS), *MALFORMED)

# ---- 6.4 RST_STREAM

case("6.4", "RST_STREAM on stream 0", rst_stream(0), *PROTOCOL)
for size in (0, 3, 5):
    case("6.4", f"RST_STREAM of {size} bytes",
         lambda t, size=size: t.post(1) + frame(RST_STREAM, 0, 1, bytes(size)), *SIZE)
case("6.4", "RST_STREAM with an unknown code", lambda t: t.post(1) + rst_stream(1, 0xdeadbeef)
     + t.get(3), OK, stream=3)
case("6.4", "RST_STREAM with NO_ERROR", lambda t: t.post(1) + rst_stream(1, 0) + t.get(3), OK,
     stream=3)

# ---- 6.5 SETTINGS

case("6.5", "an ACK with a payload", frame(SETTINGS, ACK, 0, bytes(6)), *SIZE)
case("6.5", "on a stream", settings((ENABLE_PUSH, 0), stream=1), *PROTOCOL)
for size in (1, 5, 7):
    case("6.5", f"of {size} bytes", frame(SETTINGS, 0, 0, bytes(size)), *SIZE)
for name, pair, want in (
        ("ENABLE_PUSH 2", (ENABLE_PUSH, 2), PROTOCOL),
        ("INITIAL_WINDOW_SIZE 2^31", (INITIAL_WINDOW_SIZE, 1 << 31), FLOW),
        ("INITIAL_WINDOW_SIZE 2^32-1", (INITIAL_WINDOW_SIZE, (1 << 32) - 1), FLOW),
        ("MAX_FRAME_SIZE 0", (MAX_FRAME_SIZE, 0), PROTOCOL),
        ("MAX_FRAME_SIZE 16383", (MAX_FRAME_SIZE, 16383), PROTOCOL),
        ("MAX_FRAME_SIZE 2^24", (MAX_FRAME_SIZE, 1 << 24), PROTOCOL),
        ("MAX_FRAME_SIZE 2^24-1", (MAX_FRAME_SIZE, (1 << 24) - 1), ("alive",)),
        ("INITIAL_WINDOW_SIZE 2^31-1", (INITIAL_WINDOW_SIZE, (1 << 31) - 1), ("alive",)),
        ("HEADER_TABLE_SIZE 0", (HEADER_TABLE_SIZE, 0), ("alive",)),
        ("HEADER_TABLE_SIZE 2^32-1", (HEADER_TABLE_SIZE, (1 << 32) - 1), ("alive",)),
        ("MAX_CONCURRENT_STREAMS 0", (MAX_CONCURRENT_STREAMS, 0), ("alive",)),
        ("MAX_HEADER_LIST_SIZE 0", (MAX_HEADER_LIST_SIZE, 0), ("alive",)),
        ("an unknown setting", (0xff, 0xffffffff), ("alive",)),
        ("ENABLE_CONNECT_PROTOCOL 1", (ENABLE_CONNECT_PROTOCOL, 1), ("alive",)),
        ("ENABLE_CONNECT_PROTOCOL 2", (ENABLE_CONNECT_PROTOCOL, 2), ("alive",) + PROTOCOL)):
    case("6.5", name, settings(pair), *want)
case("6.5", "one setting twice", lambda t: settings((INITIAL_WINDOW_SIZE, 0),
                                                    (INITIAL_WINDOW_SIZE, 100000)) + t.get(1), OK)
case("6.5", "an ACK that nobody asked for", settings_ack(), "alive", *PROTOCOL)
case("6.5.3", "each SETTINGS is acknowledged", settings() + settings(), "alive",
     check=lambda t: None if sum(one.type == SETTINGS and one.has(ACK) for one in t.c.seen) == 3
     else "not 3 ACKs")

# ---- 6.6 PUSH_PROMISE, 6.7 PING, 6.8 GOAWAY

case("6.6", "PUSH_PROMISE", lambda t: t.post(1) + push_promise(1, 2, t.block()), *PROTOCOL)
case("6.6", "PUSH_PROMISE on stream 0", lambda t: push_promise(0, 2, t.block()), *PROTOCOL)
case("6.7", "PING is answered with its payload", ping(b"\0\xff\1abcd "), "alive",
     check=lambda t: None if any(one.type == PING and one.has(ACK)
                                 and one.payload == b"\0\xff\1abcd " for one in t.c.seen)
     else "no such ACK")
case("6.7", "PING on a stream", ping(stream=1), *PROTOCOL)
for size in (0, 6, 9):
    case("6.7", f"PING of {size} bytes", frame(PING, 0, 0, bytes(size)), *SIZE)
case("6.7", "an ACK of 9 bytes", frame(PING, ACK, 0, bytes(9)), *SIZE)
case("6.7", "an ACK that nobody asked for", ping(flags=ACK), "alive")
case("6.8", "GOAWAY on a stream", goaway(stream=1), *PROTOCOL)
case("6.8", "GOAWAY of 7 bytes", frame(GOAWAY, 0, 0, bytes(7)), *SIZE)
case("6.8", "GOAWAY behind a request", lambda t: t.get(1) + goaway(0, 0, b"bye"), OK)
case("6.8", "GOAWAY with an unknown code behind a request", lambda t: t.get(1) + goaway(0, 0xabcd),
     OK, "close")

# ---- 6.9 WINDOW_UPDATE, flow control

case("6.9", "an increment of 0", window_update(0, 0), *PROTOCOL)
case("6.9", "an increment of 0 on a stream", lambda t: t.post(1) + window_update(1, 0),
     *ANY_PROTOCOL)
for size in (0, 3, 5):
    case("6.9", f"of {size} bytes", frame(WINDOW_UPDATE, 0, 0, bytes(size)), *SIZE)
    case("6.9", f"of {size} bytes on a stream",
         lambda t, size=size: t.post(1) + frame(WINDOW_UPDATE, 0, 1, bytes(size)), *SIZE)
case("6.9.1", "the connection's window above 2^31-1", window_update(0, (1 << 31) - 1) * 2, *FLOW)
case("6.9.1", "a stream's window above 2^31-1",
     lambda t: t.post(1) + window_update(1, (1 << 31) - 1) * 2, *FLOW, *se("FLOW_CONTROL_ERROR"))
case("6.9.1", "windows of exactly 2^31-1", lambda t:
     window_update(0, (1 << 31) - 1 - 65535) + t.post(1)
     + window_update(1, (1 << 31) - 1 - 65535) + data(1, b"x", END_STREAM), OK)
case("6.9.2", "a setting takes a stream's window above 2^31-1",
     lambda t: t.post(1) + window_update(1, (1 << 31) - 1 - 65535)
     + settings((INITIAL_WINDOW_SIZE, 65536)), *FLOW, *se("FLOW_CONTROL_ERROR"),
     states=("awake", "held"))
case("6.9.2", "a window of 1", lambda t: t.window_of_one(), OK,
     settings=((INITIAL_WINDOW_SIZE, 1),), check=lambda t: t.complaint, states=("awake",))
case("6.9.2", "a window that became negative", lambda t: t.negative_window(), OK,
     settings=((INITIAL_WINDOW_SIZE, 3),), check=lambda t: t.complaint, states=("awake",))
case("6.9.1", "more DATA than the stream's window", lambda t: t.post(1) + t.too_much(1), *FLOW,
     *se("FLOW_CONTROL_ERROR"), states=("held",))

# ---- 6.10 CONTINUATION

case("6.10", "after END_HEADERS", lambda t: t.post(1) + continuation(1, b""), *PROTOCOL)
case("6.10", "on stream 0", lambda t: headers(1, t.block()[:5], 0) + continuation(0, t.block()[5:]),
     *PROTOCOL)
case("6.10", "two", lambda t: headers(1, t.block()[:3], END_STREAM)
     + continuation(1, t.block()[3:6], 0) + continuation(1, t.block()[6:]), OK)
case("6.10", "two that are empty", lambda t: headers(1, t.block(), END_STREAM)
     + continuation(1, b"", 0) + continuation(1, b""), OK)
case("6.10", "HEADERS without anything", lambda t: headers(1, b"", END_STREAM)
     + continuation(1, t.block()), OK)
case("6.10", "with undefined flags", lambda t: headers(1, t.block()[:3], END_STREAM)
     + continuation(1, t.block()[3:], END_HEADERS | 0xfb), OK)
case("6.10", "of trailers", lambda t: t.post(1) + data(1, b"abc")
     + headers(1, b"", END_STREAM) + continuation(1, block([("x-t", "1")])), OK)
case("6.10", "without an end", lambda t: headers(1, t.block(), END_STREAM)
     + continuation(1, b"", 0) * 5000, *ce("ENHANCE_YOUR_CALM", "PROTOCOL_ERROR", "INTERNAL_ERROR"),
     "close")

# ---- 8.1 requests

case("8.1", "GET", lambda t: t.get(1), OK)
case("8.1", "HEAD", lambda t: t.get(1, method="HEAD"), OK)
case("8.1", "POST with a body", lambda t: t.post(1) + data(1, b"x" * 1000, END_STREAM), OK)
case("8.1", "trailers", lambda t: t.post(1) + data(1, b"abc") + headers(
    1, block([("x-t", "1")]), END_STREAM | END_HEADERS), OK)
case("8.1", "trailers without a body", lambda t: t.post(1) + headers(
    1, block([("x-t", "1")]), END_STREAM | END_HEADERS), OK)
case("8.1", "empty trailers", lambda t: t.post(1) + headers(1, b"", END_STREAM | END_HEADERS), OK)
case("8.1", "a second HEADERS without END_STREAM",
     lambda t: t.post(1) + headers(1, block([("x-t", "1")])), *MALFORMED, *PROTOCOL)
case("8.1", "trailers with a pseudo-header", lambda t: t.post(1) + data(1, b"abc") + headers(
    1, block([(":method", "GET")]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.1", "DATA behind trailers", lambda t: t.post(1) + headers(
    1, block([("x-t", "1")]), END_STREAM | END_HEADERS) + data(1, b"x"), *CLOSED)

# ---- 8.2 fields

for name, field in (
        ("upper case", ("X-Upper", "x")), ("an empty name", ("", "x")),
        ("a space in a name", ("x y", "x")), ("a colon in a name", ("x:y", "x")),
        ("CR in a name", ("x\r", "x")), ("NUL in a name", ("x\0y", "x")),
        ("DEL in a name", ("x\x7f", "x")), ("a name above ASCII", ("x\xe9", "x")),
        ("CR in a value", ("x", "a\rb")), ("LF in a value", ("x", "a\nb")),
        ("CRLF in a value", ("x", "a\r\nb: c")), ("NUL in a value", ("x", "a\0b")),
        ("a space before a value", ("x", " a")), ("a tab after a value", ("x", "a\t")),
        ("connection", ("connection", "x")), ("connection: close", ("connection", "close")),
        ("keep-alive", ("keep-alive", "timeout=5")),
        ("proxy-connection", ("proxy-connection", "x")),
        ("transfer-encoding", ("transfer-encoding", "chunked")), ("upgrade", ("upgrade", "h2c")),
        ("te: gzip", ("te", "gzip")), ("te: trailers, gzip", ("te", "trailers, gzip"))):
    case("8.2", name, lambda t, field=field: t.get(1, more=[field]), *MALFORMED)
    if field[0] not in ("te",):
        case("8.2", f"{name}, in trailers", lambda t, field=field: t.post(1) + data(1, b"abc")
             + headers(1, block([field]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.2", "te: trailers", lambda t: t.get(1, more=[("te", "trailers")]), OK)
case("8.2.3", "cookies in crumbs", lambda t: t.get(1, more=[("cookie", "a=b"), ("cookie", "c=d")]),
     OK)

# ---- 8.3 pseudo-headers

for missing in (":method", ":scheme", ":path"):
    case("8.3", f"without {missing}", lambda t, missing=missing: t.get(1, without=missing),
         *MALFORMED)
for twice in (":method", ":scheme", ":path", ":authority"):
    case("8.3", f"{twice} twice",
         lambda t, twice=twice: headers(1, block([pair for pair in t.fields() if pair[0] == twice])
                                        + t.block(), END_STREAM | END_HEADERS), *MALFORMED)
    case("8.3", f"{twice} empty", lambda t, twice=twice: headers(1, block(
        [(name, "" if name == twice else value) for name, value in t.fields()]),
        END_STREAM | END_HEADERS), *MALFORMED)
case("8.3", "a pseudo-header behind a field", lambda t: headers(1, block(
    [*t.fields()[:3], ("x", "y"), t.fields()[3]]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.3", "an unknown pseudo-header", lambda t: headers(
    1, block([(":what", "x"), *t.fields()]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.3", "an answer's pseudo-header", lambda t: headers(
    1, block([(":status", "200"), *t.fields()]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.3", "no authority at all", lambda t: t.get(1, without=":authority"), *MALFORMED)
case("8.3", "host in place of :authority", lambda t: headers(1, block(
    [pair for pair in t.fields() if pair[0] != ":authority"] + [("host", t.host)]),
    END_STREAM | END_HEADERS), OK)
case("8.3", "host like :authority", lambda t: t.get(1, more=[("host", t.host)]), OK)
case("8.3", "host unlike :authority", lambda t: t.get(1, more=[("host", "x." + t.host)]),
     *MALFORMED)
case("8.3", "userinfo in :authority", lambda t: t.get(1, authority="a@" + t.host), *MALFORMED)
for name, path in (("without a slash", "x"), ("with a space", "/a b"), ("with a fragment", "/a#b"),
                   ("with a NUL", "/a\0b"), ("with CRLF", "/a\r\nb: c"), ("with a tab", "/a\tb"),
                   ("of *", "*"), ("that is a URL", "http://x/")):
    case("8.3", f":path {name}", lambda t, path=path: t.get(1, path=path), *MALFORMED)
for name, method in (("with a space", "GE T"), ("with CRLF", "GET\r\nx: y"), ("with a NUL", "G\0")):
    case("8.3", f":method {name}", lambda t, method=method: t.get(1, method=method), *MALFORMED)
case("8.3", ":scheme with CRLF", lambda t: t.get(1, scheme="ht\r\ntp"), *MALFORMED)
case("8.3", ":scheme that is none", lambda t: t.get(1, scheme="1://"), *MALFORMED)

# ---- 8.1.1 lengths

for name, length, body in (("above the body", "5", b"abc"), ("below the body", "2", b"abc"),
                           ("of 0 with a body", "0", b"abc"), ("above an empty body", "5", b"")):
    case("8.1.1", f"content-length {name}",
         lambda t, length=length, body=body: t.post(1, more=[("content-length", length)])
         + data(1, body, END_STREAM), *MALFORMED)
case("8.1.1", "content-length and END_STREAM", lambda t: t.get(
    1, method="POST", more=[("content-length", "5")]), *MALFORMED)
case("8.1.1", "content-length above a body with trailers",
     lambda t: t.post(1, more=[("content-length", "5")]) + data(1, b"abc")
     + headers(1, block([("x-t", "1")]), END_STREAM | END_HEADERS), *MALFORMED)
case("8.1.1", "content-length in two DATA", lambda t: t.post(1, more=[("content-length", "5")])
     + data(1, b"abc") + data(1, b"de", END_STREAM), OK)
for length in ("-1", "+5", "5,5", "x", "18446744073709551616"):
    case("8.1.1", f"content-length {length}", lambda t, length=length: t.post(
        1, more=[("content-length", length)]) + data(1, b"abcde", END_STREAM), *MALFORMED)
case("8.1.1", "content-length twice", lambda t: t.post(
    1, more=[("content-length", "5")] * 2) + data(1, b"abcde", END_STREAM), *MALFORMED)

# ---- 8.5 CONNECT

case("8.5", "CONNECT with :path", lambda t: t.get(1, method="CONNECT"), *MALFORMED)
case("8.5", "CONNECT",
     lambda t: headers(1, block([(":method", "CONNECT"), (":authority", t.host)])),
     *MALFORMED, "status 405", "status 501")
case("8.5", "CONNECT without :authority", headers(1, block([(":method", "CONNECT")])), *MALFORMED)
case("8441", ":protocol without CONNECT", lambda t: headers(
    1, block([(":protocol", "websocket"), *t.fields()]), END_STREAM | END_HEADERS), *MALFORMED)
case("8441", "an unknown :protocol", lambda t: headers(1, block(
    [(":method", "CONNECT"), (":protocol", "x"), *t.fields()[1:]])), *MALFORMED, "status 501",
    "status 405")
case("8.1", "behind a cancelled request",
     lambda t: t.post(1) + rst_stream(1, CANCEL) + t.get(3), OK, stream=3)
assert CONTINUATION == 9
