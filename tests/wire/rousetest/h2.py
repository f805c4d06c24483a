# SPDX-License-Identifier: BSD-2-Clause
"""A raw HTTP/2 peer, either side: sends whatever it is told, reads frames with deadlines.

    with RawH2(front.link()) as c:
        c.start()
        c.send(headers(1, block(REQUEST)), data(1, b"x" * 20000))
        seen = c.barrier()
        assert c.outcome(1) == "CE FRAME_SIZE_ERROR"

A hostile server is the script of an Origin: Origin("h2c", script=script), where script(link) makes
a RawH2(link, server=True).  Well-behaved peers: fronts.py, origin.py.
"""

import time

import hpack

from rousetest import frames
from rousetest.link import Ended, Late


class RawH2:
    """
    seen        every frame that came, in order; header blocks decoded on the frame that ends them
    polite      acknowledges SETTINGS and PING while reading
    end         how the peer ended the connection
    """

    def __init__(self, link, server=False, polite=True):
        self.link, self.server, self.polite = link, server, polite
        self.seen = []
        self.decoder = hpack.Decoder(1 << 24)
        self._fragment, self._opener = b"", None
        self._pings = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    @property
    def end(self):
        return self.link.end

    # ---- sending

    def send(self, *pieces, timeout=20):
        self.link.send(b"".join(pieces), timeout)

    def start(self, *settings, wait=True):
        """The handshake: preface and SETTINGS, and (unless told otherwise) the peer's."""
        if self.server:
            preface = self.link.take(len(frames.PREFACE))
            assert preface == frames.PREFACE, preface
        else:
            settings = settings or ((frames.ENABLE_PUSH, 0),)
        self.send(b"" if self.server else frames.PREFACE, frames.settings(*settings))
        if wait:
            self.until(lambda one: one.type == frames.SETTINGS and not one.has(frames.ACK))
            if not self.server:     # a client's may come behind its first request
                self.until(lambda one: one.type == frames.SETTINGS and one.has(frames.ACK))
        return self

    # ---- reading

    def frame(self, timeout=20):
        """The next frame, or None when the connection has ended."""
        deadline = time.monotonic() + timeout
        while (one := frames.parse(self.link.input)) is None:
            if not self.link.pull(max(0.001, deadline - time.monotonic())):
                return None
        self._decode(one)
        self.seen.append(one)
        if self.polite:
            self._answer(one)
        return one

    def _decode(self, one):
        if one.type in (frames.HEADERS, frames.PUSH_PROMISE):
            self._opener, self._fragment = one, one.content or b""
        elif one.type == frames.CONTINUATION:
            self._fragment += one.payload
        else:
            return
        if one.has(frames.END_HEADERS):
            fields = [(name.decode("latin-1"), value.decode("latin-1"))
                      for name, value in self.decoder.decode(self._fragment, raw=True)]
            one.fields = self._opener.fields = fields

    def _answer(self, one):
        if one.type == frames.SETTINGS and not one.has(frames.ACK):
            self.link.queue(frames.settings_ack())
        if one.type == frames.PING and not one.has(frames.ACK):
            self.link.queue(frames.ping(one.payload, frames.ACK))
        self.link.flush()

    def until(self, test, timeout=20):
        """Reads up to the first frame that passes; None when the connection ended before."""
        deadline = time.monotonic() + timeout
        while (one := self.frame(max(0.001, deadline - time.monotonic()))) is not None:
            if test(one):
                return one
        return None

    def barrier(self, times=2, timeout=20):
        """PINGs until the peer has taken in (and answered) what was sent; the frames meanwhile.

        Two, since an ACK may overtake what the first turn made the peer say.
        """
        start = len(self.seen)
        for _ in range(times):
            self._pings += 1
            payload = b"bar%05d" % self._pings
            self.link.send_whole(frames.ping(payload))
            if not self.until(lambda one, payload=payload: one.type == frames.PING
                              and one.has(frames.ACK) and one.payload == payload, timeout):
                break
        return self.seen[start:]

    def wait_end(self, timeout=20):
        deadline = time.monotonic() + timeout
        while self.frame(max(0.001, deadline - time.monotonic())) is not None:
            pass
        return self.end

    # ---- what came of it

    def goaway(self):
        """The first GOAWAY with an error, or the first at all, or None."""
        found = [one for one in self.seen if one.type == frames.GOAWAY]
        return next((one for one in found if one.code), found[0] if found else None)

    def of(self, stream, *types):
        return [one for one in self.seen if one.stream == stream
                and (not types or one.type in types)]

    def status(self, stream):
        """The final status on a stream, or None."""
        for one in self.of(stream, frames.HEADERS, frames.CONTINUATION):
            for name, value in one.fields or []:
                if name == ":status" and value[0] != "1":
                    return int(value)
        return None

    def outcome(self, stream=1):
        """CE code (GOAWAY), SE code (RST_STREAM), close (without a word), status N, or alive."""
        while frames.complete(self.link.input):     # came with the last barrier
            self.frame()
        gone = self.goaway()
        if gone and gone.code:
            return f"CE {frames.code_name(gone.code)}"
        resets = self.of(stream, frames.RST_STREAM)
        if resets and (resets[0].code or self.status(stream) is None):
            return f"SE {frames.code_name(resets[0].code)}"
        if self.status(stream):
            return f"status {self.status(stream)}"
        if self.end:
            return "close"
        return "alive"


__all__ = ["Ended", "Late", "RawH2"]
