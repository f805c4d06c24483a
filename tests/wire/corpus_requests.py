# SPDX-License-Identifier: BSD-2-Clause
"""Requests for every row A1-A14, B1-B7 of the threat table, with the verdict that each must get.

A verdict (`want`) is a set of:
  a status   we refuse with it and close (but not where only the host's label is wrong); not one
             byte reaches the sandbox, nothing is looked up or woken
  "pass"     the sandbox gets exactly this one request, and its answer comes back
  "abort"    the head was fine, its body is not: 400 or a cut connection, and the sandbox never
             gets a request that looks complete
  "local"    we answer by ourselves without looking anything up
A passing request's `sees` says what the sandbox must have got; fields are compared without case.
After a refused request follows a smuggled one, which nobody must ever see.
"""

import dataclasses

HOST = b"3000-blog.t.localhost"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n"
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789"
                  b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
BAD = frozenset({400})


@dataclasses.dataclass
class Sees:
    method: str = None
    target: str = None
    body: bytes = None
    fields: dict = dataclasses.field(default_factory=dict)      # name: value
    absent: tuple = ()                                          # names


@dataclasses.dataclass
class Case:
    row: str
    name: str
    data: bytes
    want: frozenset
    sees: Sees = dataclasses.field(default_factory=Sees)
    method: str = "GET"         # how its answer is framed
    family: bool = False        # one of hundreds alike: slow cuts take a sample
    routing: bool = False       # judged by what a host's label means, not by its form

    @property
    def passes(self):
        return "pass" in self.want

    def __str__(self):
        return f"{self.row}-{self.name}"


def want(*verdicts):
    return frozenset(verdicts)


PASS = want("pass")
ABORT = want("abort")


class Rows:
    """Collects cases; each gets its own id in X-Rid, so that the witness can tell them apart."""

    def __init__(self):
        self.cases = []

    def add(self, row, name, data, verdict, sees=None, method="GET", family=False,
            routing=False):
        rid = f"{row}.{len(self.cases)}".encode()
        data = data.replace(b"@ID@", rid)
        if verdict.isdisjoint({"pass", "abort", "local"}) and not routing:
            data += SMUGGLED
        self.cases.append(Case(row, name, data, frozenset(verdict), sees or Sees(), method, family,
                               routing))

    def head(self, row, name, lines, verdict, start=b"POST /x HTTP/1.1", body=b"", sees=None,
             family=False):
        """A request with Host and id and these lines."""
        head = [start, b"Host: " + HOST, b"X-Rid: @ID@", *lines]
        method = start.split(b" ")[0].decode("latin-1")
        self.add(row, name, b"\r\n".join(head) + b"\r\n\r\n" + body, verdict, sees, method, family)


def chunks(*parts, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def a1(rows):
    """Content-Length and Transfer-Encoding together."""
    names = ((b"Content-Length", b"Transfer-Encoding"), (b"content-length", b"transfer-encoding"),
             (b"CONTENT-LENGTH", b"TRANSFER-ENCODING"), (b"cOnTeNt-lEnGtH", b"tRaNsFeR-eNcOdInG"))
    for i, (length, coding) in enumerate(names):
        for value in (b"chunked", b"Chunked", b"CHUNKED"):
            te, cl = coding + b": " + value, length + b": 6"
            rows.head("A1", f"cl.te {i}", [cl, te], BAD, body=b"0\r\n\r\nG")
            rows.head("A1", f"te.cl {i}", [te, cl], BAD, body=b"0\r\n\r\nG")
    te = b"Transfer-Encoding: chunked"
    rows.head("A1", "apart", [b"Content-Length: 6", b"A: b", te], BAD, body=b"0\r\n\r\nG")
    rows.head("A1", "length 0", [b"Content-Length: 0", te], BAD, body=b"0\r\n\r\n")
    rows.head("A1", "no blanks", [b"Content-Length:6", b"Transfer-Encoding:chunked"], BAD,
              body=b"0\r\n\r\nG")
    rows.head("A1", "tabs", [b"Content-Length:\t6", b"Transfer-Encoding:\tchunked\t"], BAD,
              body=b"0\r\n\r\nG")
    for method in (b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"):
        rows.head("A1", method.decode(), [b"Content-Length: 6", te], BAD,
                  start=method + b" /x HTTP/1.1", body=b"0\r\n\r\nG")
    rows.head("A1", "identity", [b"Content-Length: 6", b"Transfer-Encoding: identity"],
              want(400, 501), body=b"0\r\n\r\nG")
    rows.head("A1", "twice", [b"Content-Length: 6", te, te], BAD, body=b"0\r\n\r\nG")


def a2(rows):
    """Repeated or listed Content-Length."""
    for name, values in {
            "equal": (b"5", b"5"), "different": (b"5", b"6"), "zero and five": (b"0", b"5"),
            "empty first": (b"", b"5"), "empty last": (b"5", b""), "three": (b"5", b"5", b"5"),
            "list in two": (b"5, 5", b"5"), "zeros": (b"5", b"05")}.items():
        rows.head("A2", name, [b"Content-Length: " + value for value in values], BAD, body=b"hello")
    rows.head("A2", "other case", [b"Content-Length: 5", b"content-LENGTH: 5"], BAD, body=b"hello")
    rows.head("A2", "apart", [b"Content-Length: 5", b"A: b", b"Content-Length: 5"], BAD,
              body=b"hello")
    for value in (b"5, 5", b"5,5", b"5,6", b"5,", b",5", b"5 5", b"5;5", b"5, ", b", 5", b"5,,5",
                  b"5\t5"):
        rows.head("A2", f"list {value.decode()!r}", [b"Content-Length: " + value], BAD,
                  body=b"hello")


def a3(rows):
    """Malformed Content-Length."""
    bad = (b"+5", b"-5", b"0x5", b"0X5", b"5_0", b"5 0", b"5.0", b"5.", b".5", b"5e0", b"1e1", b"",
           b" ", b"\t", b"five", b"5;", b"'5'", b'"5"', b"5\x0b", b"5\x0c", b"5\x01", b"5\xa0",
           b"\xa05", "٥".encode(), "５".encode(), b"0b101", b"0o5", b"5h", b"5L", b"5u", b"inf",
           b"NaN", b"null", b"-0", b"+0", b"--5", b"++5", b"5-", b"5+", b"18446744073709551616",
           b"18446744073709551621", b"9223372036854775808", b"99999999999999999999",
           b"0" * 40 + b"5", b"1" * 100, b"1" * 5000, b"5#", b"5?", b"5/5", b"(5)", b"[5]", b"{5}",
           b"5&5", b"5=5", b"%35", b"\\5", b"5'", b'5"', b"5*", b"$5", b"5\x7f", b"5\x00", b"\x005",
           b"5:5", b"18446744073709551615", b"chunked")
    for value in bad:
        rows.head("A3", f"{value[:24]!r}", [b"Content-Length: " + value], BAD, body=b"hello")
    for value in (b"5", b"05", b"0005", b" 5", b"5 ", b"\t5\t"):
        verdict = want("pass", 400) if b"\t" in value else PASS     # llhttp < 9.4.2 refuses tabs
        rows.head("A3", f"good {value!r}", [b"Content-Length:" + value], verdict, body=b"hello",
                  sees=Sees(body=b"hello", fields={"content-length": "5"}))
    rows.head("A3", "good 0", [b"Content-Length: 0"], PASS, sees=Sees(body=b""))


def a4(rows):
    """Transfer-Encoding other than exactly chunked."""
    bad = (b"xchunked", b"chunkedx", b"chunked, chunked", b"chunked,", b"", b",chunked",
           b", chunked",
           b"chunked ,", b"chunked;q=1", b"chunked;a", b"chunked; a=b", b'"chunked"', b"'chunked'",
           b"chunked\x00", b"\x00chunked", b"chu nked", b"chunk", b"chunked, identity",
           b"identity, chunked", b"identity", b"gzip, chunked", b"gzip", b"deflate, chunked",
           b"x-chunked", b"chunked\xa0", b"\xa0chunked", b"chunked\x85", b"\xffchunked",
           b"trailers", b"br", b"compress", b"*", b"chunked=1", b"[chunked]", b"cow",
           b"chunked chunked", b"chunked\tx", b"chunked,gzip", b"gzip;q=1, chunked", b"0",
           b"chunked/1", b"c", b"chunked\\", b"chunked.", b"chunk\xc3\xa9d", b"cHuNkEd,cHuNkEd")
    for value in bad:
        rows.head("A4", f"{value!r}", [b"Transfer-Encoding: " + value], want(400, 501),
                  body=b"0\r\n\r\n")
    for value in (b"chunked", b"Chunked", b"CHUNKED", b"cHuNkEd", b" chunked ", b"\tchunked\t"):
        verdict = want("pass", 400) if b"\t" in value else PASS
        rows.head("A4", f"good {value!r}", [b"Transfer-Encoding:" + value], verdict,
                  body=chunks(b"hello"), sees=Sees(body=b"hello"))
    te = b"Transfer-Encoding: chunked"
    for name, lines in {
            "twice": [te, te], "and identity": [te, b"Transfer-Encoding: identity"],
            "identity and": [b"Transfer-Encoding: identity", te],
            "empty and": [b"Transfer-Encoding:", te], "and gzip": [te, b"Transfer-Encoding: gzip"],
            "twice, other case": [te, b"transfer-encoding: chunked"]}.items():
        rows.head("A4", name, lines, want(400, 501), body=b"0\r\n\r\n")
    for name in (b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding",
                 b"\tTransfer-Encoding", b"Transfer Encoding", b"Transfer-\x00Encoding",
                 b"Transfer-Encoding\x0b", b"Transfer-Encoding\xa0", b"Transfer\xad-Encoding",
                 b"\xefTransfer-Encoding", b"Transfer-Encoding\x1c"):
        rows.head("A4", f"name {name!r}", [name + b": chunked"], BAD, body=b"0\r\n\r\n")
    rows.head("A4", "in HTTP/1.0", [te], BAD, start=b"POST /x HTTP/1.0", body=b"0\r\n\r\n")
    rows.head("A4", "in HTTP/1.0 with keep-alive", [b"Connection: keep-alive", te], BAD,
              start=b"POST /x HTTP/1.0", body=b"0\r\n\r\n")
    rows.head("A4", "named by Connection", [b"Connection: transfer-encoding", te], want(400,
                                                                                        "pass"),
              body=chunks(b"hello"), sees=Sees(body=b"hello"))
    rows.head("A4", "length named by Connection",
              [b"Connection: content-length", b"Content-Length: 5"], want(400, "pass"),
              body=b"hello", sees=Sees(body=b"hello"))
    for name in (b"X-Transfer-Encoding", b"Transfer-Encodin", b"Transfer--Encoding",
                 b"TransferEncoding",
                 b"Transfer.Encoding"):
        rows.head("A4", f"another field {name!r}", [b"Content-Length: 5", name + b": chunked"],
                  PASS,
                  body=b"0\r\n\r\n", sees=Sees(body=b"0\r\n\r\n"))
    gadgets(rows)


def gadgets(rows):
    """One byte more at each of the four seams of a framing field, beside the other one."""
    for framing, other, body in ((b"Transfer-Encoding", b"Content-Length: 5", b"0\r\n\r\n"),
                                 (b"Content-Length", b"Transfer-Encoding: chunked", b"0\r\n\r\n")):
        value = b"chunked" if framing[:1] == b"T" else b"5"
        for number in range(256):
            byte = bytes([number])
            inside = want(400, 501)
            for seam, line in (("value end", framing + b": " + value + byte),
                               ("value start", framing + b":" + byte + value)):
                rows.head("A4", f"{framing.decode()} {seam} {number:02x}", [other, line], inside,
                          body=body, family=True)
            for seam, line in (("name end", framing + byte + b": " + value),
                               ("name start", byte + framing + b": " + value)):
                fine = number in TOKEN
                sees = Sees(body=b"0\r\n\r\n" if value == b"chunked" else b"",
                            absent=("transfer_encoding",))
                rows.head("A4", f"{framing.decode()} {seam} {number:02x}", [other, line],
                          PASS if fine else inside, body=body, sees=sees, family=True)


TERMINATORS = {"LF": b"\n", "CR": b"\r", "CRCRLF": b"\r\r\n", "CR+x": b"\rx", "NUL": b"\0",
               "fold": b"\r\n ", "tab fold": b"\r\n\t", "LFCR": b"\n\r", "VT": b"\x0b",
               "FF": b"\x0c",
               "NEL": b"\x85", "CRNULLF": b"\r\0\n", "CR LF apart": b"\r \n"}


def a5(rows):
    """Line terminators, at each place where a line may end."""
    head = (b"POST /x HTTP/1.1", b"Host: " + HOST, b"X-Rid: @ID@", b"Transfer-Encoding: chunked",
            b"A: b",
            b"")
    for name, terminator in TERMINATORS.items():
        for place in range(len(head)):
            data = b"".join(line + (terminator if place == i else b"\r\n")
                            for i, line in enumerate(head))
            opaque = terminator == b"\x85" and 0 < place < 5
            folded = terminator[:2] == b"\r\n" and place == 5
            if opaque or folded:
                continue            # obs-text within a value; a body that begins with a blank
            rows.add("A5", f"{name} after line {place}", data + b"0\r\n\r\n", want(400, 501, 505),
                     method="POST")
        for place, (before, after) in {
                "chunk line": (b"5", b"hello\r\n0\r\n\r\n"), "chunk data": (b"5\r\nhello",
                                                                            b"0\r\n\r\n"),
                "last chunk line": (b"5\r\nhello\r\n0", b"\r\n"),
                "trailer": (b"5\r\nhello\r\n0\r\nA: b", b"\r\n"),
                "end": (b"5\r\nhello\r\n0\r\n", b"")}.items():
            if terminator == b"\x85" and place == "trailer":
                continue            # obs-text within a value
            if place == "end" and terminator.startswith(b"\r\n"):
                continue            # a good end, then a bad request
            body = before + terminator + after + SMUGGLED
            rows.head("A5", f"{name} after {place}", [b"Transfer-Encoding: chunked"], ABORT,
                      body=body)
    for name, lines in {
            "blank before first field": b" A: b\r\nHost: @HOST@\r\n",
            "tab before first field": b"\tA: b\r\nHost: @HOST@\r\n",
            "blank line of a space": b"Host: @HOST@\r\n \r\nA: b\r\n",
            "blank line of a tab": b"Host: @HOST@\r\n\t\r\n",
            "first line a space": b" \r\nHost: @HOST@\r\n"}.items():
        rows.add("A5", name, b"GET /x HTTP/1.1\r\n" + lines.replace(b"@HOST@", HOST) + b"\r\n", BAD)


def a6(rows):
    """Chunk sizes."""
    bad = (b"0x5", b"0X5", b"+5", b"-5", b"5_", b"_5", b"5_0", b" 5", b"5 0", b"\t5", b"", b"g",
           b"5g",
           b'"5"', b"5.0", b"0" * 16 + b"5", b"0" * 300 + b"5", b"10000000000000005",
           b"10000000000000000", b"FFFFFFFFFFFFFFFFF", b"100000000000000005", b"-0", b"+0", b"0x0",
           "５".encode(), b"5\x00", b"\x005", b"5\x0b", b"5h", b"5L", b"%35", b"5,5", b"5:",
           b"5=", b"(5)", b"5\xa0", b"\xa05", b"5\\", b"'5'", b"5/", b"5#", b"~5", b"5\x7f",
           b"5\x01",
           b"--5", b"5-", b"five", b"\xff", b"5\"", b"5'", b"!5", b"5!", b"5&", b"$5", b"@", b"G5",
           b"5 \x00", b"0 5", b"00x5", b"FFFFFFFFFFFFFFFF0", b"8000000000000000000", b"5\r",
           b"\r5", b"5\r\r", b"5  5", b" ", b"\t", b"5\t5", b"{5}", b"[5]", b"5?")
    for size in bad:
        rows.head("A6", f"{size[:24]!r}", [b"Transfer-Encoding: chunked"], ABORT,
                  body=size + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED)
        rows.head("A6", f"second {size[:24]!r}", [b"Transfer-Encoding: chunked"], ABORT,
                  body=b"3\r\nabc\r\n" + size + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED)
    for size in (b"5", b"05", b"0005", b"000000005"):
        rows.head("A6", f"good {size!r}", [b"Transfer-Encoding: chunked"], PASS,
                  body=size + b"\r\nhello\r\n0\r\n\r\n", sees=Sees(body=b"hello"))
    for size in (b"a", b"A", b"0a", b"0A"):
        rows.head("A6", f"good {size!r}", [b"Transfer-Encoding: chunked"], PASS,
                  body=size + b"\r\nhellohello\r\n0\r\n\r\n", sees=Sees(body=b"hellohello"))
    for last in (b"0", b"00", b"000"):
        rows.head("A6", f"last {last!r}", [b"Transfer-Encoding: chunked"], PASS,
                  body=b"5\r\nhello\r\n" + last + b"\r\n\r\n", sees=Sees(body=b"hello"))


def a7(rows):
    """Chunk extensions: understood, limited, never forwarded."""
    for ext in (b";a", b";a=b", b';a="b"', b';a="b c"', b";a=b;c=d", b";" + b"a" * 200):
        rows.head("A7", f"good {ext[:20]!r}", [b"Transfer-Encoding: chunked"], PASS,
                  body=b"5" + ext + b"\r\nhello\r\n0\r\n\r\n", sees=Sees(body=b"hello"))
        rows.head("A7", f"good last {ext[:20]!r}", [b"Transfer-Encoding: chunked"], PASS,
                  body=b"5\r\nhello\r\n0" + ext + b"\r\n\r\n", sees=Sees(body=b"hello"))
    for ext in (b";a\nb", b";a\rb", b";a\n", b";\n", b';a="\r\n"', b';a="b\r\n', b";a\x00b",
                b";\x00",
                b";a=\x01", b";a\x7f", b";" + b"a" * 400, b';a="' + b"b" * 400 + b'"', b" \n",
                b"\n;a"):
        rows.head("A7", f"{ext[:20]!r}", [b"Transfer-Encoding: chunked"], ABORT,
                  body=b"5" + ext + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED)
    many = b"".join(b"1;" + b"e" * 200 + b"\r\nx\r\n" for _ in range(100))
    rows.head("A7", "20 KiB in all", [b"Transfer-Encoding: chunked"], ABORT,
              body=many + b"0\r\n\r\n" + SMUGGLED)
    few = b"".join(b"1;" + b"e" * 200 + b"\r\nx\r\n" for _ in range(60))
    rows.head("A7", "12 KiB in all", [b"Transfer-Encoding: chunked"], PASS, body=few + b"0\r\n\r\n",
              sees=Sees(body=b"x" * 60))


def a8(rows):
    """What follows a chunk's data, the last chunk and the trailers is CRLF and nothing else."""
    wrong = (b"\n", b"\r", b"xx", b"", b"\r\r", b"\n\n", b"ab\r\n", b" \r\n", b"\r\n\r\n", b"\0\0",
             b"\n\r",
             b"\rx", b"x\n", b"  ", b"\t\r\n", b"o\r\n")
    for after in wrong:
        for index in range(3):
            parts = [b"5\r\nhello\r\n"] * 3
            parts[index] = b"5\r\nhello" + after
            rows.head("A8", f"{after!r} after chunk {index}", [b"Transfer-Encoding: chunked"],
                      ABORT,
                      body=b"".join(parts) + b"0\r\n\r\n" + SMUGGLED)
    for end in (b"0\n\r\n", b"0\r\n\n", b"0\r\r\n\r\n", b"0\r\nx\r\n\r\n", b"0\r\n \r\n\r\n",
                b"0\r\n\0\r\n\r\n",
                b"0\n\n", b"0\r\n\rx"):
        rows.head("A8", f"end {end!r}", [b"Transfer-Encoding: chunked"], ABORT,
                  body=b"5\r\nhello\r\n" + end + SMUGGLED)


def a9(rows):
    """Trailers never become headers."""
    for name in ("Content-Length", "Transfer-Encoding", "Host", "Authorization", "Cookie",
                 "X-Forwarded-For", "X-Forwarded-Host", "Connection", "Expect", "Trailer", "TE",
                 "Upgrade", "X-Planted", "Content-Type", "Range", "Proxy-Authorization"):
        value = "5" if name == "Content-Length" else "planted"
        absent = () if name in ("Host", "X-Forwarded-For", "X-Forwarded-Host", "Transfer-Encoding",
                                "Content-Length", "Connection") else (name.lower(),)
        rows.head("A9", name, [b"Transfer-Encoding: chunked"], want("pass", "abort"),
                  body=chunks(b"hello", end=f"0\r\n{name}: {value}\r\n\r\n".encode()),
                  sees=Sees(body=b"hello", absent=absent))
    rows.head("A9", "ordinary", [b"Trailer: x-check", b"Transfer-Encoding: chunked"], PASS,
              body=chunks(b"hello", end=b"0\r\nX-Check: planted\r\n\r\n"),
              sees=Sees(body=b"hello", absent=("x-check",)))
    for name, trailers in {"40 fields": b"A: b\r\n" * 40, "10 KiB": b"A: " + b"b" * 10240 + b"\r\n",
                           "no colon": b"planted\r\n", "empty name": b": planted\r\n",
                           "fold": b"A: b\r\n c\r\n", "bad name": b"A b: c\r\n",
                           "NUL": b"A: b\0\r\n",
                           "blank before colon": b"A : b\r\n", "CTL": b"A: \x01\r\n"}.items():
        rows.head("A9", name, [b"Transfer-Encoding: chunked"], ABORT,
                  body=b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n" + SMUGGLED)


def a10(rows):
    """The framing of a body is honoured whatever the method."""
    for method in ("GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "PUT", "QUERY"):
        start = f"{method} /x HTTP/1.1".encode()
        verdict = PASS if method != "QUERY" else want("pass", 501)
        rows.head("A10", f"{method} counted", [b"Content-Length: 5"], verdict, start=start,
                  body=b"hello",
                  sees=Sees(method=method, body=b"hello"))
        rows.head("A10", f"{method} chunked", [b"Transfer-Encoding: chunked"], verdict, start=start,
                  body=chunks(b"hello"), sees=Sees(method=method, body=b"hello"))
        rows.head("A10", f"{method} hides a request", [b"Content-Length: %d" % len(SMUGGLED)],
                  verdict,
                  start=start, body=SMUGGLED, sees=Sees(method=method, body=SMUGGLED))


def a11(rows):
    """Expect is ours."""
    for value in (b"100-continue", b"100-Continue", b"100-CONTINUE"):
        rows.head("A11", f"{value!r}", [b"Content-Length: 5", b"Expect: " + value], PASS,
                  body=b"hello",
                  sees=Sees(body=b"hello", absent=("expect",)))
    rows.head("A11", "no body", [b"Expect: 100-continue"], PASS, start=b"GET /x HTTP/1.1",
              sees=Sees(absent=("expect",)))
    for value in (b"y 100-continue", b"100-continue, x", b"x", b"100", b"100-continue;q=1", b"x=y",
                  b"101-continue", b"100-continue 100-continue", b'"100-continue"'):
        rows.head("A11", f"{value!r}", [b"Content-Length: 5", b"Expect: " + value], want(417, 400),
                  body=b"hello")
    rows.head("A11", "fold", [b"Content-Length: 5", b"Expect:\r\n 100-continue"], BAD,
              body=b"hello")


def a14(rows):
    """Versions and other junk in front."""
    version = want(400, 505)
    for start in (b"GET /x HTTP/0.9", b"GET /x HTTP/1.2", b"GET /x HTTP/2.0", b"GET /x HTTP/3.0",
                  b"GET /x HTTP/1.9", b"GET /x HTTP/1.1x", b"GET /x HTTP/11", b"GET /x HTTP/1,1",
                  b"GET /x http/1.1", b"GET /x Http/1.1", b"GET /x HTTP/1", b"GET /x HTTP/",
                  b"GET /x HTTP/1.", b"GET /x HTTP/.1", b"GET /x HTTP/1.10", b"GET /x HTTP/01.1",
                  b"GET /x HTTP/-1.1", b"GET /x HTTPS/1.1", b"GET /x XHTTP/1.1",
                  b"GET /x HTTP /1.1",
                  b"GET /x HTTP/1. 1", b"GET /x HTTP/1.1\x00", b"GET /x HTTP/1.1 ",
                  b"GET /x HTTP/1.1\t",
                  b"GET /x  HTTP/1.1", b"GET  /x HTTP/1.1", b" GET /x HTTP/1.1",
                  b"\tGET /x HTTP/1.1",
                  b"GET\t/x HTTP/1.1", b"GET /x\tHTTP/1.1", b"GET /x\x0bHTTP/1.1",
                  b"GET /x HTTP/1.1 HTTP/1.1",
                  b"\0GET /x HTTP/1.1", b"GET /x", b"GET /x ", b"GET", b"GET ", b"/x HTTP/1.1",
                  b"HTTP/1.1 200 OK", b"SOURCE /x ICE/1.0", b"DESCRIBE /x RTSP/1.0",
                  b"\xefGET /x HTTP/1.1",
                  b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2", b"SSH-2.0-OpenSSH_9.2", b"{}", b":",
                  b"GET /x FOO/1.1"):
        rows.head("A14", f"{start!r}", [], version | {501, 405}, start=start)
    rows.add("A14", "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
             version | {405})
    rows.add("A14", "TLS", bytes.fromhex("16030100a5010000a10303") + bytes(range(64)) * 3, version)
    rows.add("A14", "two blank lines first",
             b"\r\n\r\nGET /x HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n",
             BAD)
    rows.add("A14", "bare LF first", b"\nGET /x HTTP/1.1\r\nHost: " + HOST + b"\r\n\r\n", BAD)
    rows.add("A14", "one blank line first", b"\r\nGET /x HTTP/1.1\r\nHost: " + HOST
             + b"\r\nX-Rid: @ID@\r\n\r\n", PASS)
    rows.head("A14", "HTTP/1.0", [], PASS, start=b"GET /x HTTP/1.0")


def b1(rows):
    """Host: one judge."""
    def host(name, value, verdict, routing=False):
        rows.add("B1", name, b"GET /x HTTP/1.1\r\nHost:" + value + b"\r\nX-Rid: @ID@\r\n\r\n",
                 verdict, routing=routing)

    none = b"GET /x HTTP/1.1\r\nX-Rid: @ID@\r\n\r\n"
    rows.add("B1", "missing", none, BAD)
    rows.add("B1", "missing in HTTP/1.0", none.replace(b"1.1", b"1.0"), want(400, 404),
             routing=True)
    for name, second in (("equal", HOST), ("another", b"x.localhost"), ("empty", b"")):
        rows.add("B1", f"twice, {name}",
                 b"GET /x HTTP/1.1\r\nHost: " + HOST + b"\r\nHost: " + second
                 + b"\r\nX-Rid: @ID@\r\n\r\n", BAD)
        rows.add("B1", f"twice, {name} first",
                 b"GET /x HTTP/1.1\r\nhost: " + second + b"\r\nHost: " + HOST
                 + b"\r\nX-Rid: @ID@\r\n\r\n", BAD)
    for value in (b"", b" ", b" a,b", b" @HOST@,@HOST@", b" @HOST@, x", b" user@@HOST@",
                  b" u:p@@HOST@",
                  b" @HOST@ x", b" x @HOST@", b" @HOST@\0", b" \0@HOST@",
                  b" %33000-blog.t.localhost",
                  b" 3000%2dblog.t.localhost", b" @HOST@:0", b" @HOST@:65536", b" @HOST@:99999",
                  b" @HOST@:abc", b" @HOST@:-1", b" @HOST@:+80", b" @HOST@:80:80", b" @HOST@:8 0",
                  b" @HOST@:0x50", b" @HOST@:100000000000", b" @HOST@..", b" .@HOST@",
                  b" 3000-blog..t.localhost",
                  b" .", b" ..", b" @HOST@/", b" @HOST@/x", b" @HOST@?", b" @HOST@#", b" @HOST@\\",
                  b" http://@HOST@", b" //@HOST@", b' "@HOST@"', b" '@HOST@'", b" <@HOST@>",
                  b" (@HOST@)",
                  b" [@HOST@]", b" [::1", b" ::1]", b" [::1]x", b" [::g]", b" []", b" [",
                  b" @HOST@\x0b",
                  b" @HOST@\xa0", b" \xe2\x80\x8b@HOST@", "3000-bl\u00f6g.t.localhost".encode(),
                  "3000-blog\u3002t.localhost".encode(), b" @HOST@;", b" @HOST@;x", b" @HOST@=",
                  b" @HOST@&",
                  b" @HOST@|", b" @HOST@^", b" @HOST@`", b" @HOST@{", b" @HOST@*",
                  b" *.t.localhost",
                  b" @HOST@!", b" @HOST@$", b" @HOST@~", b" @HOST@\x7f", b" @HOST@\x01",
                  b" 3000-" + b"a" * 64 + b".t.localhost", b" 3000-" + b"a." * 130 + b"t.localhost",
                  b" " + b"a" * 300 + b".t.localhost", b" +3000-blog.t.localhost",
                  b" 3000-blog!.t.localhost"):
        host(f"{value[:32]!r}", value.replace(b"@HOST@", HOST), BAD)
    for value in (b" 3000-.t.localhost", b" -blog.t.localhost", b" blog.t.localhost",
                  b" 0-blog.t.localhost", b" 65536-blog.t.localhost",
                  b" 03000-blog.t.localhost", b" 3000blog.t.localhost",
                  b" 99999999999-blog.t.localhost",
                  b" 3000-bl_og.t.localhost",
                  b" 3000_blog.t.localhost", b" x-blog.t.localhost", b" 0x0bb8-blog.t.localhost"):
        host(f"{value!r}", value, BAD, routing=True)
    for value in (b" localhost", b" t.localhost", b" x.example.org", b" 127.0.0.1",
                  b" 127.0.0.1:8080",
                  b" [::1]", b" [::1]:8080", b" a.3000-blog.t.localhost",
                  b" 3000-blog.t.localhost.evil.org"):
        host(f"no site {value!r}", value, want(404, 400, 421), routing=True)
    for value in (b" @HOST@", b"@HOST@", b"\t@HOST@\t", b" @HOST@:8080", b" @HOST@:1",
                  b" @HOST@:65535",
                  b" @HOST@.", b" @HOST@.:8080", b" 3000-BLOG.T.LocalHost",
                  b" 3000-Blog.t.localhost:80"):
        host(f"good {value!r}", value.replace(b"@HOST@", HOST), PASS)


def b2(rows):
    """The forms of a target."""
    def form(name, target, verdict, method=b"GET", sees=None):
        rows.head("B2", name, [], verdict, start=method + b" " + target + b" HTTP/1.1", sees=sees)

    form("absolute", b"http://" + HOST + b"/abs?q=1", PASS, sees=Sees(target="/abs?q=1"))
    form("absolute, capitals", b"HTTP://3000-BLOG.t.localhost/abs", want("pass", 400),
         sees=Sees(target="/abs"))
    form("absolute without path", b"http://" + HOST, PASS, sees=Sees(target="/"))
    form("absolute, query only", b"http://" + HOST + b"?q", want("pass", 400),
         sees=Sees(target="/?q"))
    form("absolute, other host", b"http://3000-evil.t.localhost/", BAD)
    form("absolute, other port", b"http://" + HOST + b":81/", want("pass", 400),
         sees=Sees(target="/"))
    form("absolute, user", b"http://user@" + HOST + b"/", BAD)
    form("absolute, https", b"https://" + HOST + b"/", want(400, "pass", 421),
         sees=Sees(target="/"))
    form("absolute, empty host", b"http:///x", BAD)
    form("ftp", b"ftp://" + HOST + b"/", BAD)
    form("scheme without slashes", b"http:" + HOST + b"/", BAD)
    form("javascript", b"javascript:alert(1)", BAD)
    form("connect", HOST + b":443", want(405, 400, 501), b"CONNECT")
    form("connect, path", b"/x", want(405, 400, 501), b"CONNECT")
    form("connect, absolute", b"http://" + HOST + b"/", want(405, 400, 501), b"CONNECT")
    form("trace", b"/x", want(405, 501), b"TRACE")
    form("get authority", HOST + b":80", BAD)
    form("get name", b"x", BAD)
    form("get star", b"*", BAD)
    form("post star", b"*", BAD, b"POST")
    form("get star path", b"*/x", BAD)
    form("options star", b"*", want("local"), b"OPTIONS")
    form("options path", b"/x", PASS, b"OPTIONS", Sees(method="OPTIONS", target="/x"))
    form("query only", b"?x", BAD)
    form("empty", b"", want(400, 505))


def b3(rows):
    """Every byte at four places of a target."""
    sure = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                     b"-._~!$&'()*+,;=:@/?")
    in_query = sure | frozenset(b"|{}^")
    maybe = frozenset(b"%\"<>`[]|{}^\\")
    for number in range(256):
        byte = bytes([number])
        for place, before, after, query in (("path", b"/a", b"b", False), ("path end", b"/a", b"",
                                                                           False),
                                            ("query", b"/a?b", b"c", True), ("query end", b"/a?b",
                                                                             b"", True)):
            target = before + byte + after
            if number in (in_query if query else sure):
                verdict = PASS
            elif number in maybe and number != 0x5c:
                verdict = want("pass", 400)
            else:
                verdict = want(400, 505)
            sees = Sees(target=target.decode("latin-1")) if "pass" in verdict else None
            rows.head("B3", f"{number:02x} in {place}", [], verdict, family=True, sees=sees,
                      start=b"GET " + target + b" HTTP/1.1")


def b4(rows):
    """Paths are opaque."""
    for path in ("/a%2fb", "/a%2Fb", "/a%5cb", "/a%00b", "/..;/x", "/;/x", "/a;b=c/d", "//",
                 "///x", "//evil.org/x",
                 "/../x", "/a/../b", "/./x", "/a/./b", "/a/..", "/%2e%2e/x", "/%2e/x", "/.%2e/x",
                 "/%c0%af",
                 "/%e0%80%af", "/%252e%252e", "/%252f", "/a%0d%0ab", "/a%20b", "/a+b", "/%41",
                 "/%7Euser", "/~user",
                 "/a,b", "/a:b", "/@x", "/a=b", "/$x", "/!x", "/(x)", "/'x'", "/*", "/x*", "/&",
                 "/?", "/?a=b&c=d",
                 "/?a=%26", "/??", "/?a?b", "/?/../x", "/x?y=/z", "/x?http://evil.org/",
                 "/" + "a" * 4000,
                 "/?" + "q" * 4000, "/%E4%BD%A0%E5%A5%BD", "/x%23y", "/.well-known/x",
                 "/a%2e%2e%2fb", "/%ff",
                 "/a//b", "/a/", "/A/B", "/..%2f..%2fx", "/x;jsessionid=1?y"):
        rows.head("B4", path[:24], [], PASS, start=f"GET {path} HTTP/1.1".encode(),
                  sees=Sees(target=path))
    for path in ("/%", "/%4", "/%zz", "/a%", "/%u0041"):
        rows.head("B4", path, [], want("pass", 400), start=f"GET {path} HTTP/1.1".encode(),
                  sees=Sees(target=path))


def b5(rows):
    """Methods."""
    sure = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
    iana = ("ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK",
            "LOCK", "MERGE",
            "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
            "ORDERPATCH",
            "PROPFIND", "PROPPATCH", "QUERY", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT",
            "UNLINK",
            "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL", "PURGE", "NOTIFY",
            "SUBSCRIBE", "M-SEARCH")
    odd = ("get", "Get", "gET", "__proto__", "constructor", "FOO", "GETX", "X", "G" * 32, "GET.",
           "GET-", "GET!",
           "G$T", "G'T", "G|T", "#GET", "GE~T")
    for method in sure + iana + odd:
        rows.head("B5", method, [], PASS if method in sure else want("pass", 501),
                  start=method.encode() + b" /x HTTP/1.1", sees=Sees(method=method))
    for method in (b"G" * 33, b"G" * 100, b"G" * 5000, b"G" * 20000, b"G@T", b"GE(T", b"G/T",
                   b"GET,", b"GET:",
                   b"G\xc3\x89T", b"GET;", b"\"GET\"", b"[GET]", b"{GET}", b"G=T", b"GE\x00T",
                   b"GE\x7fT", b"<GET>",
                   b"G\\T", b"G?T"):
        rows.head("B5", f"{method[:24]!r}", [], want(400, 501, 414, 431),
                  start=method + b" /x HTTP/1.1")


def b6(rows):
    """Fields: bytes and limits."""
    for number in range(256):
        byte = bytes([number])
        sees = Sees(absent=("x_y",))
        verdict = PASS if number in TOKEN or number == 0x3a else BAD
        rows.head("B6", f"{number:02x} in a name", [b"X" + byte + b"Y: 1"], verdict, family=True,
                  sees=sees,
                  start=b"GET /x HTTP/1.1")
        fine = number == 9 or 32 <= number < 127 or number > 127
        value = (b"a" + byte + b"b").decode("latin-1")
        rows.head("B6", f"{number:02x} in a value", [b"X-Y: a" + byte + b"b"],
                  PASS if fine else BAD,
                  family=True, sees=Sees(fields={"x-y": value} if fine else {}),
                  start=b"GET /x HTTP/1.1")
    for name, lines in {"empty name": [b": x"], "only a colon": [b":"], "no colon": [b"planted"],
                        "name then line end": [b"X-Y"], "blank before colon": [b"X-Y : z"],
                        "name of blanks": [b"  : x"]}.items():
        rows.head("B6", name, lines, BAD, start=b"GET /x HTTP/1.1")
    for size, verdict in ((7900, PASS), (8400, want(431)), (30000, want(431)), (200000, want(431))):
        rows.head("B6", f"field of {size}", [b"X-Y: " + b"v" * size], verdict,
                  start=b"GET /x HTTP/1.1",
                  sees=Sees(fields={"x-y": "v" * size}))
        rows.head("B6", f"name of {size}", [b"X" * size + b": v"], verdict,
                  start=b"GET /x HTTP/1.1")
    for size, verdict in ((7900, PASS), (8400, want(414)), (30000, want(414)), (200000, want(414))):
        rows.head("B6", f"target of {size}", [], verdict,
                  start=b"GET /" + b"t" * size + b" HTTP/1.1",
                  sees=Sees(target="/" + "t" * size))
    for count, verdict in ((98, PASS), (99, want(431)), (150, want(431)), (5000, want(431))):
        rows.head("B6", f"{count + 2} fields", [b"A: b"] * count, verdict, start=b"GET /x HTTP/1.1")
    for count, verdict in ((4, PASS), (5, want(431)), (30, want(431))):
        rows.head("B6", f"{count} fields of 7 KiB", [b"A: " + b"b" * 7168] * count, verdict,
                  start=b"GET /x HTTP/1.1")


def b7(rows):
    """Names with an underscore are dropped."""
    for name in ("X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host", "x_forwarded_for",
                 "X-Forwarded_For",
                 "X_Forwarded-For", "X_Real_IP", "Content_Length", "Content_Type",
                 "Transfer_Encoding", "Host_",
                 "_Host", "Authorization_", "X_Request_Id", "Remote_User", "REMOTE_ADDR",
                 "HTTP_HOST", "X_User",
                 "Forwarded_", "Cookie_", "_", "__", "Connection_", "Proxy_Connection",
                 "X_Sandbox_ID",
                 "E2b_Sandbox_Id", "e2b_traffic_access_token", "Rouse_Access_Token", "Via_",
                 "Upgrade_",
                 "X_HTTP_Method_Override", "Script_Name"):
        rows.head("B7", name, [f"{name}: planted".encode()], PASS, start=b"GET /x HTTP/1.1",
                  sees=Sees(absent=(name.lower(),)))


def cases():
    """All of them; the same list, with the same ids, each time."""
    rows = Rows()
    for row in (a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a14, b1, b2, b3, b4, b5, b6, b7):
        row(rows)
    return rows.cases
