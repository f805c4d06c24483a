# SPDX-License-Identifier: BSD-2-Clause
"""One byte connection, plain or TLS, either side: exact writes, deadlines, every kind of end.

TLS runs over memory, so that a test decides about each record and each segment: `bytewise` writes
go out one byte at a time, over TLS in records of one byte each.
"""

import os
import select
import socket
import ssl
import time

RST = b"\1\0\0\0\0\0\0\0"       # struct linger {1, 0}


class Ended(Exception):
    """The peer ended the connection; the text says how."""


class Late(AssertionError):
    """Nothing came before the deadline: always a failure."""


def tcp(port, address="127.0.0.1", timeout=20, rcvbuf=0):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    if rcvbuf:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    sock.settimeout(timeout)
    sock.connect((address, port))
    return sock


class Link:
    """A connection whose TCP handshake is over.

    input    bytes that came and that nobody took yet
    end      None while the peer may still send; "fin", "rst", or "cut": over TLS a FIN without
             close_notify
    """

    def __init__(self, sock, context=None, server=False, name=None, bytewise=False):
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.bytewise = sock, bytewise
        self.input, self.end = bytearray(), None
        self.deaf = False           # reads nothing
        self.closed = self._shut = False
        self._out = bytearray()     # for the socket
        self._tls = None
        self.handshaken = context is None
        self.alert = None           # why TLS failed
        if context:
            self._cipher_in, self._cipher_out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._cipher_in, self._cipher_out, server, name)

    @classmethod
    def connect(cls, port, context=None, name=None, address="127.0.0.1", bytewise=False,
                timeout=20, rcvbuf=0):
        link = cls(tcp(port, address, timeout, rcvbuf), context, False, name, bytewise)
        if context:
            try:
                link.handshake(timeout)
            except BaseException:
                link.close()
                raise
        return link

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- without waiting: also for servers of many

    def fileno(self):
        return self.sock.fileno()

    @property
    def alpn(self):
        return self._tls.selected_alpn_protocol() if self._tls else None

    @property
    def tls(self):
        """The ssl.SSLObject, or None."""
        return self._tls

    @property
    def unsent(self):
        return len(self._out)

    def queue(self, data):
        """Encrypts, if need be; flush() sends.  After half_close() it goes nowhere."""
        if not data or self.closed or self._shut:
            return
        if self._tls:
            for at in range(0, len(data), 1 << 14):
                self._tls.write(data[at:at + (1 << 14)])
            self._out += self._cipher_out.read()
        else:
            self._out += data

    def flush(self):
        """Sends what the kernel takes; True when all is out or nobody reads any more."""
        while self._out and not self.closed:
            try:
                sent = self.sock.send(self._out)
            except BlockingIOError:
                return False
            except OSError:
                self._out.clear()   # the reading side says why
                return True
            del self._out[:sent]
        return True

    def advance(self):
        """Reads once.  True if anything was new: bytes, the handshake's end, the peer's end."""
        if self.closed or self.end:
            return False
        try:
            got = self.sock.recv(1 << 17)
        except BlockingIOError:
            return False
        except OSError:
            self.end = "rst"
            return True
        if not self._tls:
            self.input += got
            if not got:
                self.end = "fin"
            return True
        if got:
            self._cipher_in.write(got)
        else:
            self._cipher_in.write_eof()
        return self._decrypt(not got)

    def _decrypt(self, eof):
        new = False
        try:
            if not self.handshaken:
                self._shake()
                new = True
            while True:
                data = self._tls.read(1 << 16)
                if not data:
                    self.end = "fin"
                    return True
                self.input += data
                new = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            self.end = "fin" if isinstance(error, ssl.SSLZeroReturnError) else "cut"
        except ssl.SSLError as error:
            cut = error.reason == "UNEXPECTED_EOF_WHILE_READING"
            self.end, self.alert = ("cut", None) if cut else ("rst", error.reason or str(error))
        self._out += self._cipher_out.read()
        self.flush()
        if eof and not self.end:
            self.end = "cut"
        return new or self.end is not None

    def _shake(self):
        try:
            self._tls.do_handshake()
            self.handshaken = True
        finally:
            self._out += self._cipher_out.read()
            self.flush()

    # ---- waiting: for clients and scripts of one connection

    def wait(self, timeout, writing=False):
        """Until something can be read (or written); False when the time is over."""
        watch = select.poll()       # select() stops at 1024 descriptors
        reading = not self.deaf and not self.end
        if not reading and not writing:
            return False
        watch.register(self.sock, (select.POLLIN if reading else 0)
                       | (select.POLLOUT if writing else 0))
        ready = watch.poll(max(0, timeout) * 1000)
        if ready and reading and ready[0][1] & ~select.POLLOUT:
            self.advance()
        return bool(ready)

    def handshake(self, timeout=20):
        """Over TLS; raises ssl.SSLError as the ssl module would, Ended when cut off."""
        deadline = time.monotonic() + timeout
        try:
            self._shake()
        except ssl.SSLWantReadError:
            pass
        while not self.handshaken:
            if self.end:
                if self.alert:
                    raise ssl.SSLError(1, self.alert)
                raise Ended(f"{self.end} within the handshake")
            if not self.wait(deadline - time.monotonic()):
                raise Late(f"no handshake within {timeout} s")

    def send(self, data, timeout=20):
        """Sends everything, reading meanwhile, unless deaf; in bytes if the link is bytewise."""
        deadline = time.monotonic() + timeout
        pieces = [data[i:i + 1] for i in range(len(data))] if self.bytewise else [data]
        for piece in pieces:
            self.queue(piece)
            while not self.flush():
                if not self.wait(deadline - time.monotonic(), writing=True):
                    raise Late(f"{self.unsent} bytes not taken within {timeout} s")
            if self.bytewise:
                os.sched_yield()

    def send_whole(self, data, timeout=20):
        """The same, never in bytes."""
        bytewise, self.bytewise = self.bytewise, False
        try:
            self.send(data, timeout)
        finally:
            self.bytewise = bytewise

    def pull(self, timeout=20):
        """Waits for news; False at the peer's end.  Late when nothing comes."""
        if self.end:
            return False
        before, deadline = len(self.input), time.monotonic() + timeout
        while len(self.input) == before and not self.end:
            if not self.wait(deadline - time.monotonic()):
                raise Late(f"nothing within {timeout} s")
        return len(self.input) > before

    def take(self, count, timeout=20):
        """Exactly so many bytes; Ended if the peer ends before."""
        deadline = time.monotonic() + timeout
        while len(self.input) < count:
            if not self.pull(deadline - time.monotonic()):
                raise Ended(f"{self.end} after {bytes(self.input[-100:])!r}")
        data = bytes(self.input[:count])
        del self.input[:count]
        return data

    def wait_end(self, timeout=20):
        """Reads until the peer ends the connection; returns how."""
        deadline = time.monotonic() + timeout
        while not self.end:
            self.pull(deadline - time.monotonic())
        return self.end

    # ---- ends

    def half_close(self, notify=True):
        """FIN; over TLS after close_notify, unless told otherwise."""
        if self._tls and notify and self.handshaken:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass
            self._out += self._cipher_out.read()
        self.flush()
        self._shut = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def shut_down(self):
        """Both directions, at once, also from another thread."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self):
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        except OSError:
            pass
        self.close()

    def close(self):
        self.closed = True
        self.sock.close()
