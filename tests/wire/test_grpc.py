# SPDX-License-Identifier: BSD-2-Clause
"""A real gRPC library on both sides (python3-grpcio), each kind of call through a wake."""

import concurrent.futures
import itertools
import threading
import time

import pytest

grpc = pytest.importorskip("grpc")

from rousetest import Gateway, Hook, free_port          # noqa: E402
from rousetest.certs import Authority                   # noqa: E402

numbers = itertools.count(1)
KINDS = ("unary", "client", "server", "both")


class Service(grpc.GenericRpcHandler):
    """All four kinds, with bytes for messages; metadata come back in head and trailers."""

    def __init__(self):
        self.cancelled = threading.Event()
        self.started = threading.Event()

    def service(self, call):
        kind = call.method.rpartition("/")[2]
        plain = (grpc.unary_unary_rpc_method_handler, grpc.stream_unary_rpc_method_handler,
                 grpc.unary_stream_rpc_method_handler, grpc.stream_stream_rpc_method_handler)
        handlers = dict(zip(KINDS, plain))
        if kind in handlers:
            return handlers[kind](getattr(self, kind))
        if kind == "fail":
            return grpc.unary_unary_rpc_method_handler(self.fail)
        if kind == "forever":
            return grpc.unary_stream_rpc_method_handler(self.forever)
        return None

    @staticmethod
    def greet(context):
        given = [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")]
        context.send_initial_metadata([("x-first", "1")])
        context.set_trailing_metadata(given + [("x-last-bin", b"\0\xff")])

    def unary(self, message, context):
        self.greet(context)
        return message[::-1]

    def client(self, messages, context):
        self.greet(context)
        return b"".join(messages)

    def server(self, message, context):
        self.greet(context)
        for i in range(int(message)):
            yield b"%d" % i

    def both(self, messages, context):
        self.greet(context)
        for message in messages:
            yield message.upper()

    def fail(self, message, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no \N{SNOWMAN} today")

    def forever(self, message, context):
        context.add_callback(self.cancelled.set)
        self.started.set()
        yield b"1"
        self.cancelled.wait(30)


class Site:
    def __init__(self, rouse, directory):
        authority = Authority()
        (directory / "certs").mkdir()
        authority.fill(directory / "certs", "*.t.localhost")
        self.ca = open(authority.write(directory / "ca.pem"), "rb").read()
        self.service = Service()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16),
                                  options=[("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers([self.service])
        self.origin = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.hook = Hook(resume_time=0.1)
        self.plain, self.tls = free_port(), free_port()
        self.gateway = Gateway(rouse, f"""\
listen:
  - address: 127.0.0.1:{self.plain}
  - {{ address: "127.0.0.1:{self.tls}", tls: {{ certificates: "{directory / 'certs'}" }} }}
admin: {{ socket: "" }}
workers: 2
limits: {{ connections_per_source: off, connection_rate: off }}
platforms: {{ own: {self.hook.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own, connect: {{ allow: [127.0.0.0/8] }},
      hold: {{ per_source: 1000 }}, wake: {{ limit_per_client: off }} }}
""", directory)

    def channel(self, name, tls=False):
        host = f"50051-{name}.t.localhost"
        options = [("grpc.default_authority", host), ("grpc.ssl_target_name_override", host)]
        if tls:
            credentials = grpc.ssl_channel_credentials(self.ca)
            return grpc.secure_channel(f"127.0.0.1:{self.tls}", credentials, options)
        return grpc.insecure_channel(f"127.0.0.1:{self.plain}", options[:1])

    def sleeper(self, port=None):
        name = f"g{next(numbers)}"
        self.hook.sandbox(name, "paused", address=f"127.0.0.1:{port or self.origin}")
        return name

    def resumes(self, name):
        return len([call for call in self.hook.calls if call.op == "resume" and call.id == name])

    def stop(self):
        self.server.stop(0).wait()
        try:
            self.gateway.finish()
        finally:
            self.hook.stop()


@pytest.fixture(scope="module")
def site(rouse, tmp_path_factory):
    site = Site(rouse, tmp_path_factory.mktemp("grpc"))
    yield site
    site.stop()


def call(channel, kind, payload):
    """(answer, call) of one call of that kind."""
    make = {"unary": channel.unary_unary, "client": channel.stream_unary,
            "server": channel.unary_stream, "both": channel.stream_stream}[kind]
    method = make(f"/t.Test/{kind}")
    given = dict(metadata=[("x-mine", "a b")], timeout=20)
    if kind in ("unary", "client"):
        return method.with_call(payload if kind == "unary" else iter(payload), **given)
    going = method(payload if kind == "server" else iter(payload), **given)
    return list(going), going


EXPECTED = {
    "unary": (b"abc", b"cba"),
    "client": ([b"a", b"b" * 200_000, b"c"], b"a" + b"b" * 200_000 + b"c"),
    "server": (b"300", [b"%d" % i for i in range(300)]),
    "both": ([b"x%d" % i for i in range(300)], [b"X%d" % i for i in range(300)]),
}


@pytest.mark.parametrize("tls", [False, True], ids=["h2c", "h2 over TLS"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_through_a_wake(site, kind, tls):
    name = site.sleeper()
    payload, wanted = EXPECTED[kind]
    with site.channel(name, tls) as channel:
        for _ in range(3):
            answer, done = call(channel, kind, payload)
            assert answer == wanted
            assert ("x-first", "1") in done.initial_metadata()
            trailing = [tuple(one) for one in done.trailing_metadata()]
            assert ("x-mine", "a b") in trailing and ("x-last-bin", b"\0\xff") in trailing
            assert done.code() == grpc.StatusCode.OK
    assert site.resumes(name) == 1


def test_both_ways_at_once(site):
    """Each message is answered before the next one is sent: nothing waits for the end."""
    with site.channel(site.sleeper()) as channel:
        answers = []
        arrived = threading.Semaphore(1)

        def messages():
            for i in range(50):
                assert arrived.acquire(timeout=20)
                yield b"m%d" % i

        for answer in channel.stream_stream("/t.Test/both")(messages(), timeout=30):
            answers.append(answer)
            arrived.release()
        assert answers == [b"M%d" % i for i in range(50)]


def test_many_at_once_through_one_wake(site):
    name = site.sleeper()
    with site.channel(name) as channel:
        method = channel.unary_unary("/t.Test/unary")
        going = [method.future(b"%d" % i, timeout=20) for i in range(90)]
        assert [one.result() for one in going] == [(b"%d" % i)[::-1] for i in range(90)]
    assert site.resumes(name) == 1


def test_failures_pass(site):
    with site.channel(site.sleeper()) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/t.Test/fail")(b"", timeout=20)
        assert failed.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert failed.value.details() == "no \N{SNOWMAN} today"
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/t.Test/nothing")(b"", timeout=20)
        assert failed.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_cancel_reaches_the_server(site):
    service = site.service
    with site.channel(site.sleeper()) as channel:
        going = channel.unary_stream("/t.Test/forever")(b"", timeout=20)
        assert next(going) == b"1"
        going.cancel()
        assert service.cancelled.wait(5)


def test_our_own_answers_are_of_grpc(site):
    with site.channel(site.sleeper(port=free_port())) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/t.Test/unary")(b"", timeout=2)
        assert failed.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    name = f"gone{next(numbers)}"
    with site.channel(name) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            channel.unary_unary("/t.Test/unary")(b"", timeout=20)
        assert failed.value.code() == grpc.StatusCode.NOT_FOUND


def test_connections_that_age(site):
    """A server says GOAWAY every 200 ms: no call fails."""
    service = Service()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8),
                         options=[("grpc.so_reuseport", 0), ("grpc.max_connection_age_ms", 200),
                                  ("grpc.max_connection_age_grace_ms", 5000)])
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with site.channel(site.sleeper(port=port)) as channel:
            method = channel.unary_unary("/t.Test/unary")
            late = time.monotonic() + 2
            calls = 0
            while time.monotonic() < late:
                going = [method.future(b"%d" % i, timeout=20) for i in range(20)]
                assert [one.result() for one in going] == [(b"%d" % i)[::-1] for i in range(20)]
                calls += 20
            assert calls > 100
    finally:
        server.stop(0).wait()
