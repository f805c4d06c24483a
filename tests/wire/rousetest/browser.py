# SPDX-License-Identifier: BSD-2-Clause
"""A real browser, and an application for it: a page that fetches, listens and talks, and reports.

The page (/) fetches /data, takes three events from /events, says "ping" over the WebSocket /ws, and
posts what it saw to /report as JSON.
"""

import asyncio
import base64
import hashlib
import json
import shutil
import subprocess
import threading

from rousetest.net import free_port

PAGE = b"""<!doctype html><title>app</title><script type="module">
const seen = {};
const within = (name, make) => Promise.race([make(), new Promise((ok) =>
    setTimeout(() => ok("nothing in 30 s"), 30000))]).catch((e) => "failed: " + e)
    .then((value) => { seen[name] = value; });
await within("data", async () => (await fetch("/data")).text());
const upload = {method: "POST", body: "x".repeat(100000)};
await within("posted", async () => (await fetch("/data", upload)).text());
await within("events", () => new Promise((ok, no) => {
    const got = [], source = new EventSource("/events");
    source.onmessage = (m) => {
        if (got.push(m.data) == 3) { source.close(); ok(got); }
    };
    source.onerror = () => no("event source");
}));
await within("echo", () => new Promise((ok, no) => {
    const got = [], ws = new WebSocket(location.origin.replace("http", "ws") + "/ws");
    ws.onopen = () => { ws.send("ping"); ws.send("p".repeat(70000)); };
    ws.onmessage = (m) => { got.push(m.data.length); if (got.length == 2) ws.close(1000, "bye"); };
    ws.onerror = () => no("websocket");
    ws.onclose = (e) => ok([...got, e.code, e.wasClean]);
}));
const how = performance.getEntriesByType("navigation")[0].nextHopProtocol;
await fetch("/report", {method: "POST", body: JSON.stringify({...seen, protocol: how})});
</script>
"""


class App:
    """The application of the page, HTTP/1.1 with one request a connection but for WebSockets."""

    def __init__(self):
        self.reports, self.upgrades = [], []
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = free_port()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port,
                                                  backlog=4096)

    def stop(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def wait_report(self, timeout=90):
        with self._news:
            assert self._news.wait_for(lambda: self.reports, timeout), "the page did not report"
            return self.reports.pop(0)

    async def _serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = head[0].split(" ")
            fields = {name.lower(): value.strip() for name, _, value in
                      (line.partition(":") for line in head[1:] if line)}
            if fields.get("upgrade", "").lower() == "websocket":
                await self._echo(fields, reader, writer)
            elif path == "/events":
                await self._events(writer)
            else:
                body = await self._body(fields, reader)
                self._answer(writer, method, path, body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _body(fields, reader):
        if "content-length" in fields:
            return await reader.readexactly(int(fields["content-length"]))
        body = b""
        while fields.get("transfer-encoding") == "chunked":
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                break
        return body

    def _answer(self, writer, method, path, body):
        kind, text = b"text/plain", b"data"
        if path == "/":
            kind, text = b"text/html", PAGE
        elif path == "/report":
            with self._news:
                self.reports.append(json.loads(body))
                self._news.notify_all()
        elif method == "POST":
            text = b"%d bytes" % len(body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                     b"Connection: close\r\n\r\n%s" % (kind, len(text), text))

    @staticmethod
    async def _events(writer):
        """Each event is a write of its own: the page sees them one by one, or not at all."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Connection: close\r\n\r\n")
        for n in range(3):
            writer.write(b"data: event %d\n\n" % n)
            await writer.drain()
        await asyncio.get_running_loop().create_future()  # an event source stays open

    async def _echo(self, fields, reader, writer):
        guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(fields["sec-websocket-key"].encode() +
                                               guid).digest())
        self.upgrades.append(fields)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while True:
            first, second = await reader.readexactly(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            mask = await reader.readexactly(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(size)))
            length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big") \
                if size < 65536 else bytes([127]) + size.to_bytes(8, "big")
            writer.write(bytes([first]) + length + data)
            if first & 15 == 8:
                return


class Browser:
    """Chromium without a screen, with a profile of its own, that finds every host here."""

    @staticmethod
    def why_not():
        return None if shutil.which("chromium") else "chromium is not installed"

    def __init__(self, directory, url):
        self.log = open(directory / "browser.log", "wb")
        self.proc = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--ignore-certificate-errors", f"--user-data-dir={directory / 'profile'}",
             "--host-resolver-rules=MAP * 127.0.0.1", "--remote-debugging-port=0", url],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()
