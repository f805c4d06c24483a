# SPDX-License-Identifier: BSD-2-Clause
"""Hostile TLS clients (RELIABILITY H1 to H3): handshakes that do not go on, too many of them,
records that cost and say nothing.  Ordinary traffic beside them is answered.

FLOODS=1000 is the full measure, as in test_floods.py.
"""

import os
import shutil
import socket
import subprocess
import threading
import time

import pytest
from rousetest import crowd, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.flood import Memory, cpu_seconds, with_tls
from rousetest.tlsraw import ALERT, DATA, RawTls, client_hello, in_fragments

HOST = "3000-blog.t.localhost"
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Rid: raw-1\r\n\r\n".encode()
INSTRUMENTED = bool(os.environ.get("INSTRUMENT"))
FULL = int(os.environ.get("FLOODS", "0"))
RATE = FULL or 200
MIB = 1 << 20


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    Authority().fill(directory, "*.t.localhost")
    return directory


class Town:
    """A gateway with a TLS front and a plain one, and a sandbox that runs."""

    def __init__(self, gateway, witness, hook, certificates, **limits):
        self.w, h, self.admin = witness(), hook(), Admin()
        self.w.set(record_max=0)
        h.sandbox("blog", "running", address=f"127.0.0.1:{self.w.port}")
        self.plain, self.port = free_port(), free_port()
        limits = {"connections_per_source": "off", "connection_rate": "off"} | limits
        config = one_site(self.plain, h, workers=1, limits=limits, admin=self.admin.config)
        self.g = gateway(with_tls(config, self.port, certificates))
        assert crowd(self.port, HOST, tls=True, check=True)["status"] == {"200": 1}

    def ordinary(self, seconds):
        """Clients that are connected already, and are all answered: the slower half's p99."""
        half = {"rate": RATE // 2, "total": int(RATE * seconds / 2), "clients": 10, "check": True}
        return [start_crowd(self.port, HOST, tls=True, prefix="h1", **half),
                start_crowd(self.port, HOST, tls=True, prefix="h2", h2=5, **half)]

    def check_ordinary(self, crowds, late_ones_may_fail=False):
        worst = 0
        for one in crowds:
            result = one.result()
            refused = result["tls_failed"] if late_ones_may_fail else 0
            assert result["status"] == {"200": result["total"] - refused}, result
            assert result["wrong"] == 0 and refused < result["total"] // 10, result
            worst = max(worst, result["p99_us"])
        return worst


def ended(sock, seconds):
    """Reads until the gateway closes; the seconds that took."""
    began = time.monotonic()
    sock.settimeout(seconds)
    try:
        while sock.recv(1 << 16):
            pass
    except TimeoutError:
        raise AssertionError(f"still open after {seconds} s") from None
    except OSError:
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("first", [b"", b"\x16", client_hello(HOST)[:40], client_hello(HOST)],
                         ids=["silent", "one byte", "half a ClientHello", "no answer to ours"])
def test_handshakes_that_stall(gateway, witness, hook, certificates, first):
    """H1: the limit is of the whole handshake; places are free again."""
    town = Town(gateway, witness, hook, certificates, handshake_time="1s")
    crowds = town.ordinary(1.5)
    socks = [socket.create_connection(("127.0.0.1", town.port)) for _ in range(50)]
    for sock in socks:
        sock.sendall(first)
    slowest = max(ended(sock, 10) for sock in socks)
    assert slowest < 3 or INSTRUMENTED
    town.check_ordinary(crowds)
    town.admin.wait_metric("rouse_connections", 0)


def test_handshake_in_drips(gateway, witness, hook, certificates):
    """H1: a byte now and then does not extend it."""
    town = Town(gateway, witness, hook, certificates, handshake_time="1s")
    hello, over, began = client_hello(HOST), threading.Event(), time.monotonic()
    with socket.create_connection(("127.0.0.1", town.port)) as sock:
        try:
            for byte in hello:
                sock.sendall(bytes((byte,)))
                over.wait(0.05)         # the attack itself
        except OSError:
            pass
        assert ended(sock, 10) < 5 and time.monotonic() - began < 5


def test_more_handshakes_than_there_may_be(gateway, witness, hook, certificates):
    """H2: too many at once are refused; connections that are past it do not notice."""
    town = Town(gateway, witness, hook, certificates, handshakes=20, handshake_time="2s")
    crowds = town.ordinary(3)
    memory = Memory(town.g.pid)
    socks = []
    for _ in range(200):
        socks.append(socket.create_connection(("127.0.0.1", town.port)))
        socks[-1].sendall(client_hello(HOST)[:-1])
    for sock in socks:
        ended(sock, 15)
    town.check_ordinary(crowds, late_ones_may_fail=True)    # those who connect meanwhile
    assert INSTRUMENTED or memory.risen() <= 8 * MIB
    town.admin.wait_metric("rouse_connections", 0)
    assert crowd(town.port, HOST, tls=True, check=True)["status"] == {"200": 1}


def test_flood_of_handshakes(gateway, witness, hook, certificates):
    """H2: as many as two hundred clients can do; a source's rate lets few through."""
    town = Town(gateway, witness, hook, certificates, connection_rate="50/s")
    for attempt in range(3):
        seconds = 5 if FULL else 2
        quiet = town.check_ordinary(town.ordinary(seconds))
        crowds = town.ordinary(seconds)
        enemy = start_crowd(town.port, HOST, tls=True, fresh=True, clients=200, rate=5000,
                            total=5000 * seconds, source="127.0.0.2", timeout=seconds * 1000)
        busy = town.check_ordinary(crowds)
        seen = enemy.result()
        through = sum(seen["status"].values())
        print(f"# {seen['opened']} connections, {through} answered; {RATE}/s of ordinary traffic: "
              f"p99 {quiet} us alone, {busy} us beside")
        assert through <= 200 + 50 * (3 * seconds + 6) * (attempt + 1)
        if INSTRUMENTED or busy <= max(2 * quiet, 0 if FULL else 20000):
            return
    raise AssertionError(f"p99 {busy} us, alone {quiet} us, three times")


RECORDS = {
    "empty": lambda t: t.record(DATA),
    "padding only": lambda t: t.record(DATA, padding=200),
    "KeyUpdate": lambda t: t.key_update(),
    "KeyUpdate that wants another": lambda t: t.key_update(True),
    "alerts": lambda t: t.record(ALERT, b"\1\x5a"),         # warning: user_canceled
}


@pytest.mark.parametrize("kind", RECORDS)
def test_records_that_say_nothing(gateway, witness, hook, certificates, kind):
    """H3: a few are fine, thousands are the end, between requests and before the first."""
    town = Town(gateway, witness, hook, certificates)
    with RawTls(town.port, HOST) as one:
        if kind != "alerts":
            assert one.send(one.record(DATA, REQUEST) + RECORDS[kind](one))
            assert one.read().startswith(b"HTTP/1.1 200")
        burnt, memory, crowds = cpu_seconds(town.g.pid), Memory(town.g.pid), town.ordinary(1)
        one.sock.settimeout(10)
        for _ in range(200):
            if not one.send(b"".join(RECORDS[kind](one) for _ in range(100))):
                break
        assert one.read() == b"" or one.read() == b""
        town.check_ordinary(crowds)
        print(f"# {cpu_seconds(town.g.pid) - burnt:.2f} s of CPU, ordinary traffic included")
        assert INSTRUMENTED or (cpu_seconds(town.g.pid) - burnt < 1.5 and memory.risen() < 4 * MIB)


def test_records_of_one_byte(gateway, witness, hook, certificates):
    """H3: they carry something, so they are served, and cost what they cost."""
    town = Town(gateway, witness, hook, certificates)
    request = REQUEST[:-2] + b"X-Long: " + b"v" * 7000 + b"\r\n\r\n"
    with RawTls(town.port, HOST) as one:
        burnt = cpu_seconds(town.g.pid)
        assert one.send(b"".join(one.record(DATA, bytes((byte,))) for byte in request))
        assert one.read().startswith(b"HTTP/1.1 200")
        assert INSTRUMENTED or cpu_seconds(town.g.pid) - burnt < 0.3


def test_hello_in_fragments(gateway, witness, hook, certificates):
    """H3: a ClientHello of hundreds of records ends in an answer or in a close, soon."""
    town = Town(gateway, witness, hook, certificates, handshake_time="2s")
    with socket.create_connection(("127.0.0.1", town.port), 10) as sock:
        try:
            sock.sendall(in_fragments(client_hello(HOST)))
            sock.recv(1 << 16)
        except ConnectionError:
            pass
        ended(sock, 10)
    alert = b"\x15\x03\x03\0\2\1\0"
    with socket.create_connection(("127.0.0.1", town.port), 10) as sock:
        sock.settimeout(10)
        try:
            sock.sendall(in_fragments(client_hello(HOST))[:60] + alert * 10000)
        except OSError:
            pass
        ended(sock, 10)
    assert crowd(town.port, HOST, tls=True, check=True)["status"] == {"200": 1}


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the program openssl")
def test_renegotiation(gateway, witness, hook, certificates):
    """H3: never, with TLS 1.2, which still has it."""
    town = Town(gateway, witness, hook, certificates)
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{town.port}",
                               "-tls1_2", "-servername", HOST], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, _ = client.communicate(b"R\n", timeout=20)
    finally:
        client.kill()
    assert b"Cipher    : ECDHE" in said, said.decode()
    assert b"no renegotiation" in said or b"alert" in said or b"errno" in said, said.decode()[-800:]
