# SPDX-License-Identifier: BSD-2-Clause
"""A platform's side of the `http` plugin (CONTRACT section 6) that can misbehave as told.

By itself it is a good platform: it knows sandboxes, resumes and pauses them. Replies put into its
script take the place of the next good answers.
"""

import asyncio
import collections
import dataclasses
import json
import socket
import threading
import time

REASONS = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 302: "Found"}


async def pass_time(seconds):
    """The platform is slow.  (Tests themselves never wait for time to pass.)"""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    timer = loop.call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        timer.cancel()


class Gate:
    """Holds a reply back until set()."""

    def __init__(self, loop):
        self._loop = loop
        self._event = asyncio.Event()

    def set(self):
        self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self):
        await self._event.wait()


@dataclasses.dataclass
class Reply:
    """One scripted answer: hang, close, reset or raw, else status and body."""
    status: int = 200
    body: object = None             # bytes, or what becomes JSON; None: a good platform's
    headers: dict = dataclasses.field(default_factory=dict)
    delay: float = 0                # seconds before it
    gate: Gate = None               # held back until gate.set()
    hang: bool = False              # never answers, keeps the connection
    close: bool = False             # closes without an answer
    reset: bool = False             # the same with RST
    raw: bytes = None               # sent verbatim, then the connection is closed
    drip: float = 0                 # seconds between single bytes
    size: int = 0                   # a body of so many bytes of rubbish, streamed
    act: bool = True                # a resume or pause happens, whatever is answered


@dataclasses.dataclass
class Call:
    op: str                         # inspect, resume, pause, extend, kill
    id: str
    method: str
    path: str
    headers: dict                   # lower-case names
    body: bytes
    at: int                         # time.monotonic_ns() when it was read
    ended: int = 0                  # when it was answered or the caller left; 0: not yet
    left: bool = False              # the caller left before the answer

    def json(self):
        return json.loads(self.body)


class Hook:
    def __init__(self, resume_time=0.0, pause_time=0.0, context=None):
        self.resume_time, self.pause_time = resume_time, pause_time
        self._context = context         # of TLS
        self.sandboxes = {}
        self.calls = []
        self._script = collections.defaultdict(collections.deque)
        self._news = threading.Condition()
        self._tasks = set()
        self._loop = asyncio.new_event_loop()
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.listen(4096)
        self.port = self._sock.getsockname()[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- what tests say

    def sandbox(self, name, state="paused", **record):
        """Adds or changes a sandbox: address, generation, tenant, ... as in the inspect body."""
        with self._news:
            known = self.sandboxes.setdefault(name, {"generation": "1"})
            known.update(record, state=state)
        return known

    def script(self, op, *replies, id=None):
        """The next calls of `op` (for one sandbox, if given) get these replies."""
        with self._news:
            self._script[op, id].extend(replies)

    def gate(self, op, id=None, **reply):
        """The next call of `op` waits for the returned gate: set() lets it be answered."""
        gate = Gate(self._loop)
        self.script(op, Reply(gate=gate, **reply), id=id)
        return gate

    def count(self, op=None, id=None):
        return len(self.of(op, id))

    def of(self, op=None, id=None):
        with self._news:
            return [call for call in self.calls
                    if op in (None, call.op) and id in (None, call.id)]

    def wait_calls(self, op, count=1, id=None, timeout=20):
        """Until so many calls have come (they need not have been answered)."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                found = [call for call in self.calls
                         if op in (None, call.op) and id in (None, call.id)]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0:
                    raise AssertionError(f"{len(found)} of {count} {op}: {self.calls[-20:]}")
                self._news.wait(left)

    def overlapping(self, op="resume"):
        """Pairs of calls of one sandbox that were under way at the same time."""
        calls = sorted(self.of(op), key=lambda call: call.at)
        return [(one, two) for i, one in enumerate(calls) for two in calls[i + 1:]
                if one.id == two.id and (not one.ended or two.at < one.ended)]

    def platform(self, **options):
        """The platform's value in rouse.yaml, in flow style."""
        parts = {"plugin": "http"}
        for op, tail in (("inspect", ""), ("resume", "/resume"), ("pause", "/pause")):
            parts[op] = f'"{self.url}/sandboxes/{{id}}{tail}"'
        parts.update(options)
        return "{ " + ", ".join(f"{key}: {value}" for key, value in parts.items()) + " }"

    def kill(self):
        """The platform dies: connections are reset, new ones refused."""
        self.stop(rst=True)

    def stop(self, rst=False):
        if not self._loop.is_running():
            return
        self._loop.call_soon_threadsafe(self._end, rst)
        self._thread.join(10)

    # ---- the server

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connected, sock=self._sock, backlog=4096,
                                 ssl=self._context))
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._loop.close()
            self._sock.close()

    def _end(self, rst):
        self._rst = rst
        self._loop.stop()

    async def _connected(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            if getattr(self, "_rst", False):
                self._reset(writer)
            self._tasks.discard(task)
            writer.close()

    @staticmethod
    def _reset(writer):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async def _serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await self._body(reader, headers)
        parts = path.split("?")[0].strip("/").split("/")
        call = Call(parts[2] if len(parts) > 2 else "inspect", parts[1] if len(parts) > 1 else "",
                    method, path, headers, body, time.monotonic_ns())
        with self._news:
            self.calls.append(call)
            self._news.notify_all()
            reply = self._next(call)
        watch = asyncio.ensure_future(self._gone(reader, call))
        try:
            return await self._answer(call, reply, writer) and not call.left
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            call.ended = call.ended or time.monotonic_ns()

    @staticmethod
    async def _body(reader, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
            return body
        return await reader.readexactly(int(headers.get("content-length", 0)))

    @staticmethod
    async def _gone(reader, call):
        """Notices a caller that leaves before its answer; pipelined calls are not expected here."""
        if not await reader.read(1):
            call.left, call.ended = True, time.monotonic_ns()

    def _next(self, call):
        for key in ((call.op, call.id), (call.op, None), (None, None)):
            if self._script[key]:
                return self._script[key].popleft()
        return Reply()

    async def _wait(self, call, reply):
        if reply.delay:
            await pass_time(reply.delay)
        if reply.gate:
            await reply.gate.wait()
        if reply.act and call.op in ("resume", "pause"):
            await self._act(call)

    async def _act(self, call):
        during, after, seconds = {"resume": ("resuming", "running", self.resume_time),
                                  "pause": ("pausing", "paused", self.pause_time)}[call.op]
        record = self.sandboxes.get(call.id)
        if record is None or record["state"] == "killed":
            return
        if seconds and record["state"] != after:
            record["state"] = during
            await pass_time(seconds)
        record["state"] = after

    def _good(self, call):
        record = self.sandboxes.get(call.id)
        if record is None:
            return 404, {"error": "unknown"}
        if record["state"] == "killed":
            return 410, {"error": "killed"}
        if call.op == "kill":
            record["state"] = "killed"
        return 200, dict(record)

    async def _answer(self, call, reply, writer):
        await self._wait(call, reply)
        if reply.hang:
            await asyncio.Event().wait()
        if reply.close or reply.reset:
            if reply.reset:
                self._reset(writer)
            return False
        status, good = (reply.status, reply.body) if reply.body is not None else self._good(call)
        if reply.body is None and reply.status != 200:
            status, good = reply.status, {"error": "scripted"}
        body = good if isinstance(good, bytes) else json.dumps(good).encode()
        size = reply.size or len(body)
        fields = {"Content-Type": "application/json", "Content-Length": size, **reply.headers}
        head = (f"HTTP/1.1 {status} {REASONS.get(status, 'Hook')}\r\n"
                + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                + "\r\n").encode()
        data = reply.raw if reply.raw is not None else head + (b"" if reply.size else body)
        await self._send(writer, data, reply.drip)
        if reply.size and reply.raw is None:
            for _ in range(0, reply.size, 1 << 16):
                await self._send(writer, b"x" * (1 << 16), 0)
        return reply.raw is None

    @staticmethod
    async def _send(writer, data, drip):
        for piece in [data] if not drip else [data[i:i + 1] for i in range(len(data))]:
            writer.write(piece)
            await writer.drain()
            if drip:
                await pass_time(drip)
