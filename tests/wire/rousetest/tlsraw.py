# SPDX-License-Identifier: BSD-2-Clause
"""A TLS 1.3 client whose records are made by hand once the handshake is done: empty ones, floods of
KeyUpdate, alerts (RELIABILITY H3).  The keys come from ssl's own key log.
"""

import hashlib
import hmac
import os
import socket
import ssl
import tempfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

ALERT, HANDSHAKE, DATA = 21, 22, 23
SUITES = {"TLS_AES_128_GCM_SHA256": ("sha256", 16, AESGCM),
          "TLS_AES_256_GCM_SHA384": ("sha384", 32, AESGCM),
          "TLS_CHACHA20_POLY1305_SHA256": ("sha256", 32, ChaCha20Poly1305)}


def _expand(hash_name, secret, label, length):
    """HKDF-Expand-Label of RFC 8446 with an empty context, at most one block."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0\1"
    return hmac.new(secret, info, hash_name).digest()[:length]


class RawTls:
    def __init__(self, port, host, alpn="http/1.1", timeout=10):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols([alpn])
        handle, keys = tempfile.mkstemp(prefix="rouse")
        os.close(handle)
        try:
            context.keylog_filename = keys
            self.sock = socket.create_connection(("127.0.0.1", port), timeout)
            self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = context.wrap_bio(self._in, self._out, server_hostname=host)
            self._handshake()
            with open(keys, encoding="ascii") as lines:
                logged = dict((line.split()[0], line.split()[2]) for line in lines
                              if not line.startswith("#"))
        finally:
            os.unlink(keys)
        self._hash, self._size, self._cipher = SUITES[self.tls.cipher()[0]]
        self._secret = bytes.fromhex(logged["CLIENT_TRAFFIC_SECRET_0"])
        self._use_secret()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.sock.sendall(self._out.read())
                got = self.sock.recv(1 << 16)
                if not got:
                    raise ConnectionError("closed within the handshake") from None
                self._in.write(got)
        self.sock.sendall(self._out.read())

    def _use_secret(self):
        self._key = self._cipher(_expand(self._hash, self._secret, b"key", self._size))
        self._iv = int.from_bytes(_expand(self._hash, self._secret, b"iv", 12), "big")
        self._sequence = 0

    def record(self, kind, payload=b"", padding=0):
        """One protected record."""
        inner = payload + bytes((kind,)) + bytes(padding)
        head = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        nonce = (self._iv ^ self._sequence).to_bytes(12, "big")
        self._sequence += 1
        return head + self._key.encrypt(nonce, inner, head)

    def key_update(self, wanted=False):
        """A KeyUpdate; what follows is under the next key.  wanted: the peer must answer it."""
        out = self.record(HANDSHAKE, b"\x18\0\0\1" + bytes((wanted,)))
        self._secret = _expand(self._hash, self._secret, b"traffic upd",
                               hashlib.new(self._hash).digest_size)
        self._use_secret()
        return out

    def send(self, data):
        """False: the peer has closed."""
        try:
            self.sock.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def read(self):
        """What it says, decrypted; b"" at its end."""
        while True:
            try:
                return self.tls.read(1 << 16)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return b""
            try:
                got = self.sock.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError:
                return b""
            if not got:
                return b""
            self._in.write(got)


def client_hello(host):
    """The bytes of a real one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=host).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def in_fragments(hello, size=1):
    """The same handshake message in many small records."""
    message = hello[5:]
    return b"".join(b"\x16\x03\x01" + len(message[at:at + size]).to_bytes(2, "big")
                    + message[at:at + size] for at in range(0, len(message), size))
