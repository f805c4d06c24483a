# SPDX-License-Identifier: BSD-2-Clause
"""WebSocket clients as people have them, before a server as people have it, through a wake."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from rousetest import free_port
from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import flow

websockets = pytest.importorskip("websockets", reason="needs python3-websockets")

HOST = "3000-blog.t.localhost"
CA = Authority()
TOKEN = "secret"


def chat_if_offered(first, second):
    """Old versions give (offered, known), new ones (connection, offered) and insist on a choice."""
    return "chat" if "chat" in (first if isinstance(first, list) else second) else None


class Echo:
    """The sandbox's server: python3-websockets, which also compresses and closes politely."""

    def __init__(self):
        self.port = free_port()
        self.served = []

    async def _serve(self, link, _path=None):
        self.served.append(link.subprotocol)
        async for message in link:
            await link.send(message)

    def run(self):
        return websockets.serve(self._serve, "127.0.0.1", self.port, subprotocols=["chat"],
                                select_subprotocol=chat_if_offered, max_size=None)


class Site:
    def __init__(self, gateway, hook, directory, tls, **record):
        self.echo, self.hook = Echo(), hook(resume_time=0.2)
        self.hook.sandbox("blog", "paused", address=f"127.0.0.1:{self.echo.port}", **record)
        self.port, self.admin, self.tls, more = free_port(), Admin(), None, ""
        if tls:
            (directory / "certs").mkdir()
            CA.fill(directory / "certs", "*.t.localhost")
            more = f', tls: {{ certificates: "{directory / "certs"}" }}'
            self.tls = CA.client_context(["http/1.1"])
        self.gateway = gateway(f"""\
listen: [ {{ address: "127.0.0.1:{self.port}"{more} }} ]
admin: {flow(self.admin.config)}
workers: 1
platforms: {{ own: {self.hook.platform()} }}
sites: [ {{ host: "*.t.localhost", platform: own, connect: {{ allow: [127.0.0.0/8] }} }} ]
""")

    def connect(self, **options):
        if self.tls:
            options["server_hostname"] = HOST
        return websockets.connect(f"ws{'s' if self.tls else ''}://{HOST}:{self.port}/ws?x=y",
                                  host="127.0.0.1", port=self.port, ssl=self.tls, max_size=None,
                                  **options)

    async def pause(self):
        self.hook.sandbox("blog", "pausing")
        body = json.dumps(self.hook.sandboxes["blog"])
        status, text = await asyncio.to_thread(self.admin.ask, "PUT", "/sandboxes/blog", body)
        assert status == 200, text


async def closed(link):
    """Code and reason that the client's library tells."""
    try:
        while True:
            await asyncio.wait_for(link.recv(), 20)
    except websockets.exceptions.ConnectionClosed as end:
        return end.rcvd.code, end.rcvd.reason


@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_python(gateway, hook, tmp_path, tls):
    site = Site(gateway, hook, tmp_path, tls)

    async def main():
        async with site.echo.run():
            async with site.connect(subprotocols=["chat"]) as link:
                assert link.subprotocol == "chat"
                for message in ("", "hällo", b"\0" * 125, os.urandom(1 << 20), "x" * (4 << 20)):
                    await link.send(message)
                    assert await asyncio.wait_for(link.recv(), 20) == message
                pong = await link.ping()
                await asyncio.wait_for(pong, 20)
                await site.pause()
                assert await closed(link) == (1001, "sandbox paused")

    asyncio.run(main())
    assert site.hook.count("resume") == 1


def test_python_with_a_token(gateway, hook, tmp_path):
    """A browser has no other place for it; a library fails whose offer is not answered."""
    site = Site(gateway, hook, tmp_path, False,
                traffic_token_sha256=[hashlib.sha256(TOKEN.encode()).hexdigest()])

    async def main():
        async with site.echo.run():
            async with site.connect(subprotocols=[f"rouse.token.{TOKEN}"]) as link:
                assert link.subprotocol == f"rouse.token.{TOKEN}"
                await link.send("hello")
                assert await link.recv() == "hello"
            async with site.connect(subprotocols=["chat", f"rouse.token.{TOKEN}"]) as link:
                assert link.subprotocol == "chat"
            with pytest.raises(websockets.exceptions.WebSocketException):
                async with site.connect(subprotocols=["rouse.token.wrong"]):
                    pass
        assert site.echo.served == [None, "chat"]

    asyncio.run(main())


NODE = """
const dns = require('node:dns'), [url] = process.argv.slice(1), told = [];
dns.lookup = (name, options, done) =>
    done(null, options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
const ws = new WebSocket(url, ['chat']);
ws.binaryType = 'arraybuffer';
ws.onopen = () => ws.send('x'.repeat(100000));
ws.onmessage = event => {
    told.push(typeof event.data === 'string' ? event.data.length : event.data.byteLength);
    if (told.length === 1) ws.send(new Uint8Array(70000));
    if (told.length === 2) console.log(JSON.stringify([ws.protocol, ...told]));
};
ws.onclose = event => console.log(JSON.stringify([event.code, event.reason, event.wasClean]));
ws.onerror = event => console.log(JSON.stringify(['error', String(event.message)]));
"""


def node():
    """The command of a Node that has WebSocket (22, or 20 when asked), or None."""
    for argv in (["node"], ["node", "--experimental-websocket"]):
        if not shutil.which("node"):
            break
        done = subprocess.run([*argv, "-p", "typeof WebSocket"], capture_output=True, text=True,
                              check=False)
        if done.stdout.strip() == "function":
            return argv
    return None


@pytest.mark.parametrize("tls", [False, True], ids=["ws", "wss"])
def test_node(gateway, hook, tmp_path, tls):
    argv = node()
    if not argv:
        pytest.skip("needs a node with WebSocket")
    site = Site(gateway, hook, tmp_path, tls)
    ca = CA.write(tmp_path / "ca.pem")
    url = f"ws{'s' if tls else ''}://{HOST}:{site.port}/ws"

    async def main():
        async with site.echo.run():
            proc = await asyncio.create_subprocess_exec(
                *argv, "-e", NODE, url, stdout=asyncio.subprocess.PIPE,
                env=dict(os.environ, NODE_EXTRA_CA_CERTS=str(ca), NODE_NO_WARNINGS="1"))
            line = await asyncio.wait_for(proc.stdout.readline(), 20)
            assert json.loads(line) == ["chat", 100000, 70000]
            await site.pause()
            line = await asyncio.wait_for(proc.stdout.readline(), 20)
            assert json.loads(line) == [1001, "sandbox paused", True]
            assert await asyncio.wait_for(proc.wait(), 20) == 0

    asyncio.run(main())
