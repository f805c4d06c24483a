# SPDX-License-Identifier: BSD-2-Clause
"""What the fuzzers of nghttp2 and h2o have collected, played to the whole gateway.

ROUSE_CORPORA names the directory into which bootstrap unpacks them out of Debian's source packages;
without it there is nothing to play.
"""

import concurrent.futures
import os
import pathlib
import select
import socket

import pytest

from rousetest import Connection, free_port
from rousetest.config import WIDE, one_site

CORPORA = pathlib.Path(os.environ.get("ROUSE_CORPORA", "/nonexistent"))
NAMES = ["nghttp2", "h2o-http1", "h2o-http2"]
HOST = "3000-blog.t.localhost"


def play(port, data):
    """Sends it all, gives the gateway a moment to speak, then FIN, and reads until it closes, too.

    How many bytes came back.
    """
    got = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        try:
            link.sendall(data)
            if select.select([link], [], [], 0.05)[0]:
                got += len(link.recv(65536))
            link.shutdown(socket.SHUT_WR)
            while more := link.recv(65536):
                got += len(more)
        except ConnectionError:
            pass  # it is free to reset what is no protocol at all
    return got


@pytest.mark.parametrize("name", NAMES)
def test_corpus(name, witness, hook, gateway):
    files = sorted(path for path in (CORPORA / name).rglob("*") if path.is_file())
    if not files:
        pytest.skip("ROUSE_CORPORA is not set")
    w, h, port = witness(), hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    gateway(one_site(port, h, host="*.t.localhost", limits=WIDE))
    # Whatever of it is a good request goes to a sandbox, too: the host is made ours.
    inputs = [path.read_bytes() for path in files]
    inputs += [data.replace(b"127.0.0.1", HOST.encode()) for data in inputs
               if name == "h2o-http1" and b"127.0.0.1" in data]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        sizes = list(pool.map(lambda data: play(port, data), inputs))
    assert sum(size > 0 for size in sizes) > len(sizes) / 4  # it spoke the protocol
    with Connection(port) as link:
        link.send(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode())
        assert link.answer().status == 200
