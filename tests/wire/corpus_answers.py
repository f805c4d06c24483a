# SPDX-License-Identifier: BSD-2-Clause
"""Answers of a hostile sandbox, rows E1-E3, E5-E10 of the threat table; what the client sees.

A verdict (`want`) is a set of:
  502        a clean answer of our own
  "pass"     the answer, as `sees` says
  "cut"      the answer begins and is then visibly incomplete: never a clean end
`reusable`: True, the connection to the sandbox lives on; False, it must be closed; None, either.
Tests may cut what the sandbox sends wherever they like; after it the sandbox does what `end` says.
"""

import dataclasses

TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789"
                  b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
CL5 = b"Content-Length: 5"
OK = b"HTTP/1.1 200 OK"


@dataclasses.dataclass
class Sees:
    status: int = 200
    body: bytes = b"hello"
    interims: list = None                                       # None: not looked at
    fields: dict = dataclasses.field(default_factory=dict)
    absent: tuple = ()


@dataclasses.dataclass
class Case:
    row: str
    name: str
    raw: bytes
    want: frozenset
    sees: Sees
    method: str = "GET"
    end: str = "keep"           # what the sandbox does afterwards: keep, fin, rst
    reusable: bool = False
    family: bool = False

    def __str__(self):
        return f"{self.row}-{self.name}"


def want(*verdicts):
    return frozenset(verdicts)


BAD = want(502)
PASS = want("pass")
CUT = want("cut")
BROKEN = want("cut",
              502)       # whether the head had left when the fault was seen depends on the cut


class Rows:
    def __init__(self):
        self.cases = []

    def add(self, row, name, raw, verdict, sees=None, **options):
        options.setdefault("reusable", False)
        self.cases.append(Case(row, name, raw, frozenset(verdict), sees or Sees(), **options))

    def head(self, row, name, lines, verdict, start=OK, body=b"hello", sees=None, **options):
        raw = b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body
        self.add(row, name, raw, verdict, sees, **options)


def chunks(*parts, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def e1(rows):
    """Framing that two readers could read in two ways."""
    te = b"Transfer-Encoding: chunked"
    body = chunks(b"hello")
    for name, lines in {"cl te": [CL5, te], "te cl": [te, CL5], "cl te, capitals": [CL5,
                                                                                    te.upper()],
                        "cl 0 te": [b"Content-Length: 0", te], "te twice": [te, te],
                        "te identity": [b"Transfer-Encoding: identity"], "cl twice": [CL5, CL5],
                        "cl twice, different": [CL5, b"Content-Length: 6"],
                        "cl twice, other case": [CL5, b"content-length: 5"],
                        "cl empty and good": [b"Content-Length:", CL5],
                        "cl and te identity": [CL5, b"Transfer-Encoding: identity"]}.items():
        rows.head("E1", name, lines, BAD, body=body)
    for value in (b"+5", b"-5", b"0x5", b"5_", b"5 5", b"5, 5", b"5,5", b"5,6", b"5,", b",5", b"",
                  b"5.0", b"5e0",
                  b"five", b"18446744073709551616", b"18446744073709551621", b"9223372036854775808",
                  b"99999999999999999999", b"5;", b'"5"', b"5\x0b", b"5\xa0", b"-0", b"+0",
                  b"0" * 40 + b"5",
                  b"5\x00", b"5h"):
        rows.head("E1", f"length {value[:20]!r}", [b"Content-Length: " + value], BAD)
    for value in (b"xchunked", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip", b"gzip",
                  b"identity",
                  b"chunked,", b",chunked", b"chunked;a", b"", b"chunk", b"chunked\x00",
                  b"\x0bchunked", b'"chunked"',
                  b"chunked, identity", b"deflate", b"br", b"chu nked"):
        rows.head("E1", f"coding {value!r}", [b"Transfer-Encoding: " + value], BAD, body=body)
    rows.head("E1", "chunked in HTTP/1.0", [te], BAD, start=b"HTTP/1.0 200 OK", body=body)
    for name in (b"Content-Length ", b"Content-Length\t", b" Content-Length", b"Transfer-Encoding ",
                 b"Content Length", b"Content-Length\x00"):
        rows.head("E1", f"name {name!r}", [b"A: b", name + b": 5"], BAD)
    for value in (b"5", b" 5 ", b"\t5", b"05"):
        rows.head("E1", f"good length {value!r}", [b"Content-Length:" + value], PASS, reusable=True)
    for value in (b"chunked", b"Chunked", b"\tchunked "):
        rows.head("E1", f"good coding {value!r}", [b"Transfer-Encoding:" + value], PASS, body=body,
                  reusable=True)
    rows.head("E1", "until close", [], PASS, end="fin")
    rows.head("E1", "until close, HTTP/1.0", [], PASS, start=b"HTTP/1.0 200 OK", end="fin")
    rows.head("E1", "HTTP/1.0 counted", [CL5], PASS, start=b"HTTP/1.0 200 OK", end="fin")
    bodies(rows)


def bodies(rows):
    """Chunked bodies that break after a good head."""
    te = [b"Transfer-Encoding: chunked"]
    for name, body in {
            "size 0x5": b"0x5\r\nhello\r\n0\r\n\r\n", "size -5": b"-5\r\nhello\r\n0\r\n\r\n",
            "size blank": b"5 0\r\nhello\r\n0\r\n\r\n", "size empty": b"\r\nhello\r\n0\r\n\r\n",
            "size g": b"g\r\nhello\r\n0\r\n\r\n",
            "size 17 digits": b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n",
            "size 2^64": b"10000000000000000\r\nhello\r\n0\r\n\r\n",
            "line LF": b"5\nhello\r\n0\r\n\r\n",
            "data LF": b"5\r\nhello\n0\r\n\r\n", "data xx": b"5\r\nhelloxx0\r\n\r\n",
            "spill": b"5\r\nhello!\r\n0\r\n\r\n",
            "last LF": b"5\r\nhello\r\n0\n\r\n", "end LF": b"5\r\nhello\r\n0\r\n\n",
            "extension LF": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
            "extension CR": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
            "extension huge": b"5;" + b"e" * 400 + b"\r\nhello\r\n0\r\n\r\n",
            "trailer without colon": b"5\r\nhello\r\n0\r\nplanted\r\n\r\n",
            "trailer NUL": b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n"}.items():
        rows.head("E1", f"chunk {name}", te, BROKEN, body=body)
    rows.head("E1", "good extension", te, PASS, body=b"5;a=b\r\nhello\r\n0;c\r\n\r\n",
              reusable=True)
    rows.head("E1", "good trailers", te, PASS, body=chunks(b"hello",
                                                           end=b"0\r\nX-T: planted\r\n\r\n"),
              sees=Sees(absent=("x-t",)), reusable=True)


def e2(rows):
    """Answers that have no body, whatever they say."""
    te = b"Transfer-Encoding: chunked"
    for status in (b"204", b"304"):
        start = b"HTTP/1.1 " + status + b" No"
        sees = Sees(status=int(status), body=b"")
        rows.head("E2", f"{status.decode()} plain", [], PASS, start=start, body=b"", sees=sees,
                  reusable=True)
        for name, lines, body in (("length, body", [CL5], b"hello"), ("no length, body", [],
                                                                      b"hello"),
                                  ("chunked, body", [te], chunks(b"hello")),
                                  ("next answer", [], OK + b"\r\nContent-Length: 5\r\n\r\nWRONG")):
            rows.head("E2", f"{status.decode()} {name}", lines, want("pass", 502), start=start,
                      body=body,
                      sees=sees)
        rows.head("E2", f"{status.decode()} length 0", [b"Content-Length: 0"], PASS, start=start,
                  body=b"",
                  sees=sees, reusable=True)
    rows.head("E2", "304 length, no body", [CL5], PASS, start=b"HTTP/1.1 304 No", body=b"",
              sees=Sees(status=304, body=b""), reusable=True)
    rows.head("E2", "204 length, no body", [CL5], want("pass", 502), start=b"HTTP/1.1 204 No",
              body=b"",
              sees=Sees(status=204, body=b""))
    for name, lines, body, reusable in (("length", [CL5], b"", True), ("chunked", [te], b"", True),
                                        ("nothing", [], b"", None), ("length, body", [CL5],
                                                                     b"hello", False),
                                        ("chunked, body", [te], chunks(b"hello"), False)):
        rows.head("E2", f"HEAD {name}", lines, PASS, body=body, sees=Sees(body=b""), method="HEAD",
                  reusable=reusable)


def e3(rows):
    """More than one answer."""
    first = OK + b"\r\nContent-Length: 5\r\n\r\nhello"
    second = OK + b"\r\nContent-Length: 5\r\n\r\nWRONG"
    for name, raw in {"two": first + second, "three": first + second * 2, "a byte": first + b"x",
                      "CRLF": first + b"\r\n", "half a head": first + b"HTTP/1.1 20",
                      "NUL": first + b"\0",
                      "chunked, then another": OK + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
                      + chunks(b"hello") + second,
                      "chunked, then a byte": OK + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
                      + chunks(b"hello") + b"x"}.items():
        rows.add("E3", name, raw, PASS)
    rows.add("E3", "after a 404", b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nhello" + second,
             PASS,
             Sees(status=404))


def e5(rows):
    """Interim answers."""
    final = OK + b"\r\nContent-Length: 5\r\n\r\nhello"
    for code in (100, 102, 103, 199):
        one = b"HTTP/1.1 %d Wait\r\n\r\n" % code
        seen = [] if code == 100 else [code]
        rows.add("E5", f"{code}", one + final, PASS, Sees(interims=seen), reusable=True)
        rows.add("E5", f"{code} with a field", one[:-2] + b"Link: x\r\n\r\n" + final, PASS,
                 Sees(interims=seen), reusable=True)
        rows.add("E5", f"{code} four times", one * 4 + final, PASS, Sees(interims=seen * 4),
                 reusable=True)
        rows.add("E5", f"{code} 100 times", one * 100 + final, want(502, "cut"))
        rows.add("E5", f"{code} with length", one[:-2] + b"Content-Length: 5\r\n\r\n" + final,
                 want("pass", 502), Sees(), reusable=None)
        rows.add("E5", f"{code} chunked", one[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + final,
                 want("pass", 502), Sees(), reusable=None)
        rows.add("E5", f"{code} with a body", one[:-2] + b"Content-Length: 5\r\n\r\nWRONG" + final,
                 want(502, "cut"))
        rows.add("E5", f"{code} and no more", one, want(502, "cut"), end="fin")
    rows.add("E5", "101 unasked",
             b"HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", BAD)
    rows.add("E5", "101 bare", b"HTTP/1.1 101 Switch\r\n\r\n" + final, BAD)
    rows.add("E5", "103 of 60 KiB twice",
             (b"HTTP/1.1 103 Early\r\nA: " + b"b" * 30000 + b"\r\nC: " + b"d" * 30000
                                         + b"\r\n\r\n") * 2 + final, want("pass", 502, "cut"),
                                         reusable=None)


def e6(rows):
    """Heads that are too large."""
    for count, verdict in ((150, PASS), (230, BAD), (5000, BAD)):
        rows.head("E6", f"{count} fields", [b"A: b"] * count + [CL5], verdict,
                  reusable=verdict is PASS)
    for count, verdict in ((6, PASS), (10, BAD), (50, BAD)):
        rows.head("E6", f"{count} fields of 8000", [b"A: " + b"b" * 8000] * count + [CL5], verdict,
                  reusable=verdict is PASS)
    rows.head("E6", "reason of 100 KiB", [CL5], BAD, start=b"HTTP/1.1 200 " + b"x" * 102400)
    rows.head("E6", "field of 100 KiB", [b"A: " + b"b" * 102400, CL5], BAD)
    rows.head("E6", "name of 100 KiB", [b"A" * 102400 + b": b", CL5], BAD)


def e7(rows):
    """Status lines."""
    for start in (b"HTTP/1.1 099 Low", b"HTTP/1.1 000 Zero", b"HTTP/1.1 99 Low",
                  b"HTTP/1.1 600 High",
                  b"HTTP/1.1 999 High", b"HTTP/1.1 1000 High", b"HTTP/1.1 2000 OK",
                  b"HTTP/1.1 20 OK",
                  b"HTTP/1.1 2 OK", b"HTTP/1.1 abc OK", b"HTTP/1.1 2xx OK", b"HTTP/1.1 -200 OK",
                  b"HTTP/1.1 +200 OK",
                  b"HTTP/1.1 0200 OK", b"HTTP/1.1 0x200 OK", b"HTTP/1.1 200.0 OK",
                  b"HTTP/1.1  200 OK",
                  b"HTTP/1.1\t200 OK", b"HTTP/1.1 200\tOK", b"HTTP/1.1", b"HTTP/1.1 ",
                  b"HTTP/1.1 OK", b"HTTP/1.1200 OK",
                  b"HTTP/2.0 200 OK", b"HTTP/2 200", b"HTTP/3 200 OK", b"HTTP/0.9 200 OK",
                  b"HTTP/1.2 200 OK",
                  b"HTTP/1.10 200 OK", b"HTTP/1 200 OK", b"HTTP/11 200 OK", b"HTTP/1,1 200 OK",
                  b"http/1.1 200 OK",
                  b"Http/1.1 200 OK", b"HTTPS/1.1 200 OK", b"XHTTP/1.1 200 OK", b"ICY 200 OK",
                  b"RTSP/1.0 200 OK",
                  b"SIP/2.0 200 OK", b" HTTP/1.1 200 OK", b"\tHTTP/1.1 200 OK", b"HTTP /1.1 200 OK",
                  b"HTTP/ 1.1 200 OK", b"HTTP/1.1 200 O\0K", b"HTTP/1.1 200 O\rK",
                  b"HTTP/1.1 200 O\x01K",
                  b"HTTP/1.1 200 OK\x7f", b"\0HTTP/1.1 200 OK", b"\xefHTTP/1.1 200 OK",
                  b"SSH-2.0-OpenSSH_9.2",
                  b"220 mail.example.org ESMTP", b"<html><body>hello</body></html>",
                  b"GET / HTTP/1.1", b"{}", b"hello",
                  b"+OK", b"-ERR unknown command", b"HTTP/1.1 2 00 OK", "HTTP/1.1 ２００ OK".encode(),
                  b"HTTP/1.1 200,OK", b"HTTP/1.1 200;OK"):
        rows.head("E7", f"{start[:30]!r}", [CL5], BAD, start=start)
    rows.add("E7", "bare LF", OK + b"\nContent-Length: 5\r\n\r\nhello", BAD)
    rows.add("E7", "CR CR LF", OK + b"\r\r\nContent-Length: 5\r\n\r\nhello", BAD)
    rows.add("E7", "blank lines first",
             b"\r\n\r\n\r\n" + OK + b"\r\nContent-Length: 5\r\n\r\nhello", BAD)
    rows.add("E7", "a 0.9 reply", b"<html>hello</html>", BAD, end="fin")
    rows.add("E7", "a banner", b"SSH-2.0-OpenSSH_9.2\r\n", BAD, end="fin")
    rows.add("E7", "nothing", b"\r\n", BAD, end="fin")
    rows.add("E7", "binary", bytes(range(256)) * 4, BAD, end="fin")
    rows.add("E7", "TLS alert", bytes.fromhex("15030100020246"), BAD, end="fin")
    for start in (b"HTTP/1.1 200 ", b"HTTP/1.1 200 Fine, thanks!", b"HTTP/1.1 200 \xe4\xbd\xa0",
                  b"HTTP/1.1 299 Odd",
                  b"HTTP/1.1 450 Odd", b"HTTP/1.1 599 Odd", b"HTTP/1.1 418 I'm a teapot",
                  b"HTTP/1.1 500 No"):
        rows.head("E7", f"good {start!r}", [CL5], PASS, start=start,
                  sees=Sees(status=int(start[9:12])),
                  reusable=True)
    rows.head("E7", "no reason, no blank", [CL5], want("pass", 502), start=b"HTTP/1.1 200",
              reusable=None)


def e8(rows):
    """Bytes in fields: every one, in a name and in a value."""
    for number in range(256):
        byte = bytes([number])
        rows.head("E8", f"{number:02x} in a name", [b"X" + byte + b"Y: 1", CL5],
                  PASS if number in TOKEN or number == 0x3a else BAD, family=True,
                  reusable=number in TOKEN or number == 0x3a)
        fine = number == 9 or 32 <= number < 127 or number > 127
        sees = Sees(fields={"x-y": (b"a" + byte + b"b").decode("latin-1")}) if fine else None
        rows.head("E8", f"{number:02x} in a value", [b"X-Y: a" + byte + b"b", CL5],
                  PASS if fine else BAD,
                  family=True, sees=sees, reusable=fine)
    for name, lines in {"empty name": [b": x"], "no colon": [b"planted"], "fold": [b"A: b", b" c"],
                        "tab fold": [b"A: b", b"\tc"], "fold first": [b" A: b"],
                        "blank before colon": [b"A : b"],
                        "blank line of a space": [b" "],
                        "CRLF in a value, split": [b"A: b\r\r\nSet-Cookie: x=y"],
                        "LF split": [b"A: b\nSet-Cookie: planted=1"],
                        "CR split": [b"A: b\rSet-Cookie: planted=1"],
                        "NUL split": [b"A: b\0Set-Cookie: planted=1"]}.items():
        rows.head("E8", name, [*lines, CL5], BAD)
    for terminator in (b"\n", b"\r", b"\r\r\n", b"\0\r\n", b"\n\n", b"\r \n"):
        rows.add("E8", f"head ends in {terminator!r}",
                 OK + b"\r\nContent-Length: 5\r\n" + terminator + b"hello" * 3
                 + b"\r\n\r\n", BAD)


def e9(rows):
    """Hop-by-hop fields stop here."""
    hop = ("Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "TE", "Upgrade",
           "Proxy-Authorization")
    for name in hop:
        rows.head("E9", name, [f"{name}: planted".encode(), CL5], PASS,
                  sees=Sees(absent=(name.lower(),)),
                  reusable=None)
    for value in (b"close", b"close\t", b"Close", b" close ", b"close, x-y", b"x-y, close",
                  b"x-y,close,", b"x-y,,close"):
        rows.head("E9", f"connection {value!r}", [b"Connection:" + value, b"X-Y: planted", CL5],
                  PASS,
                  sees=Sees(absent=("x-y",) if b"x-y" in value else ()))
    for value in (b"x-y", b"X-Y", b"keep-alive, x-y", b"keep-alive,\tx-y"):
        rows.head("E9", f"connection {value!r}", [b"Connection: " + value, b"X-Y: planted", CL5],
                  PASS,
                  sees=Sees(absent=("x-y",)), reusable=True)
    rows.head("E9", "connection names the length", [b"Connection: content-length", CL5],
              want("pass", 502),
              reusable=None)
    rows.head("E9", "alt-svc", [b'Alt-Svc: h3=":443"', CL5], PASS, sees=Sees(absent=("alt-svc",)),
              reusable=True)


def e10(rows):
    """Truncation, at every byte."""
    counted = OK + b"\r\nX-Y: 1\r\nContent-Length: 20\r\n\r\n" + b"hello" * 4
    chunked = OK + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(b"hello", b"again")
    for kind, raw in (("counted", counted), ("chunked", chunked)):
        head = raw.index(b"\r\n\r\n") + 4
        for cut in range(1, len(raw)):
            for end in ("fin", "rst"):
                if end == "rst" and cut % 4:
                    continue
                verdict = BAD if cut < head else want("cut", 502)
                rows.add("E10", f"{kind} at {cut} by {end}", raw[:cut], verdict, end=end,
                         family=True)


def cases():
    """All of them; the same list each time."""
    rows = Rows()
    for row in (e1, e2, e3, e5, e6, e7, e8, e9, e10):
        row(rows)
    return rows.cases
