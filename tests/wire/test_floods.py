# SPDX-License-Identifier: BSD-2-Clause
"""Hostile HTTP/2 clients (RELIABILITY group C): each is cut off within its budget, costs little
memory and less of the sandbox's time, and ordinary traffic beside it does not notice.

FLOODS=1000 is the full measure: so many requests a second of ordinary traffic, the attacks repeated
for its whole time, and its p99 compared with that of an idle gateway (best of three).
"""

import os
import threading
import time

import pytest
from rousetest import crowd, free_port, start_crowd
from rousetest import frames as f
from rousetest.admin import Admin
from rousetest.config import one_site
from rousetest.faults import FailSys, skip_if_instrumented
from rousetest.flood import (FLOODS, MADE_TO_RESET, WINDOW_MAX, Assault, Memory, assault, batches,
                             blocks, bomb_block, continuations, cpu_seconds, crumb_block, flood,
                             made_to_reset, many_entries, rapid_reset, request, streams,
                             window_flips)

HOST, LAZY = "3000-blog.t.localhost", "3000-lazy.t.localhost"
INSTRUMENTED = bool(os.environ.get("INSTRUMENT"))
FULL = int(os.environ.get("FLOODS", "0"))
RATE = FULL or 200
MIB = 1 << 20
# What takes half a minute and more by default.
SHORT = {"stall": "1s", "body_grace": "1s", "http2_stream_stall": "1s", "http2_stall": "2s"}
# An attack is played from an address of its own: limits of a source are its own, too.
ATTACKER = "127.0.0.2"


class Town:
    """A gateway with a sandbox that runs (blog), one that sleeps (lazy), and its inhabitants."""

    def __init__(self, gateway, witness, hook, limits=None, hold=None, env=None, workers=1):
        self.w, self.h, self.admin = witness(), hook(), Admin()
        self.w.set(record_max=0)
        self.h.sandbox("blog", "running", address=f"127.0.0.1:{self.w.port}")
        self.h.sandbox("lazy", "paused", address=f"127.0.0.1:{self.w.port}")
        self.gate = self.h.gate("resume")
        self.port = free_port()
        limits = {"connections_per_source": "off", "connection_rate": "off"} | (limits or {})
        self.g = gateway(one_site(self.port, self.h, workers=workers, limits=limits, hold=hold,
                                  admin=self.admin.config), env=env)
        assert crowd(self.port, HOST, check=True)["status"] == {"200": 1}     # blog is known now

    def assault(self, chunks, read=True, seconds=10, **options):
        """The attack beside ordinary traffic of both protocols; memory is measured, too."""
        memory = Memory(self.g.pid)
        before = self.w.stats()["executed"]
        ordinary = Traffic(self.port, 3 if FULL else 0.6)
        seen = assault(self.port, chunks, read, seconds, source=ATTACKER, **options)
        seen.served = ordinary.finish()
        seen.executed = self.w.stats()["executed"] - before - seen.served
        seen.risen = memory.risen()
        print(f"# {seen.ended} after {seen.took} s and {seen.sent} bytes, goaway {seen.goaways}, "
              f"{dict(seen.resets)}; {seen.executed} executed, {seen.risen >> 10} KiB")
        return seen


class Traffic:
    """Ordinary clients; every one of them must be answered."""

    def __init__(self, port, seconds):
        half = {"rate": RATE // 2, "total": int(RATE * seconds / 2), "clients": 20, "check": True}
        self.crowds = [start_crowd(port, HOST, prefix="h1", **half),
                       start_crowd(port, HOST, prefix="h2", h2=5, **half)]

    def finish(self):
        """The number of requests served; the slower half's p99 is kept."""
        served = 0
        self.p99 = 0
        for one in self.crowds:
            result = one.result()
            assert result["status"] == {"200": result["total"]}, result
            assert result["wrong"] == 0 and result["lost"] == 0 and result["reset"] == 0, result
            served += result["total"]
            self.p99 = max(self.p99, result["p99_us"])
        return served


def check_memory(seen, held=0):
    """No more than eight times what the attacker has in us, and what any traffic costs."""
    if not INSTRUMENTED:
        assert seen.risen <= 8 * held + 8 * MIB, seen.risen


def test_rapid_reset(gateway, witness, hook):
    """C2: after half of the budget a stream must live 100 ms before anything is done for it."""
    seen = Town(gateway, witness, hook).assault(rapid_reset(HOST, 20000))
    assert seen.ended and seen.calmed
    assert seen.executed <= 130
    check_memory(seen)


def test_rapid_reset_wakes_nobody(gateway, witness, hook):
    """C2: the same towards sandboxes that sleep; what it could wake is bounded by the budget."""
    town = Town(gateway, witness, hook)
    for i in range(400):
        town.h.sandbox(f"s{i}", "paused", address=f"127.0.0.1:{town.w.port}")
    seen = town.assault(batches(
        f.headers(i, request(f"3000-s{i // 2 % 400}.t.localhost"), f.END_STREAM | f.END_HEADERS)
        + f.rst_stream(i) for i in streams(5000)))
    assert seen.ended and seen.calmed
    assert town.h.count("resume") <= 1 and town.h.count("inspect") <= 130
    check_memory(seen)


@pytest.mark.parametrize("how", MADE_TO_RESET)
def test_made_to_reset(gateway, witness, hook, how):
    """C3: our own resets count like theirs."""
    seen = Town(gateway, witness, hook).assault(made_to_reset(how, HOST, 20000))
    assert seen.ended and seen.refused
    assert seen.executed <= 130
    assert sum(seen.resets.values()) <= 200
    check_memory(seen)


@pytest.mark.parametrize("what", ["PING", "SETTINGS", "RST_STREAM"])
def test_answers_that_nobody_reads(gateway, witness, hook, what):
    """C4: control frames that pile up because their reader does not read."""
    town = Town(gateway, witness, hook)
    attack = (made_to_reset("malformed field", HOST, 400000) if what == "RST_STREAM"
              else flood(what, HOST, 2000000))
    seen = town.assault(attack, read=False, seconds=20)
    assert seen.ended
    check_memory(seen)


@pytest.mark.parametrize("fragment", [b"", b"\0", b"\0" * 16000], ids=["empty", "1 B", "16000 B"])
def test_block_without_end(gateway, witness, hook, fragment):
    """C5: CONTINUATION for ever."""
    seen = Town(gateway, witness, hook).assault(continuations(HOST, fragment, 20000))
    assert seen.ended and seen.executed == 0
    check_memory(seen)


def test_block_that_stops(gateway, witness, hook):
    """C5: incomplete for longer than a head may take."""
    town = Town(gateway, witness, hook, limits={"request_header_time": "1s"})
    with Assault(town.port) as one:
        one.write(f.headers(1, request(HOST), f.END_STREAM))
        began = time.monotonic()
        assert one.read_until(lambda: one.refused, 15)
        assert time.monotonic() - began < 8 and one.read_until(lambda: one.ended)


@pytest.mark.parametrize("block", [bomb_block(HOST, 4000, 1000), crumb_block(HOST, 10000),
                                   bomb_block(HOST, 0, 15000)],
                         ids=["large field", "cookie crumbs", "small fields"])
def test_bombs(gateway, witness, hook, block):
    """C6: one byte a field; refused while decoding, never stored."""
    seen = Town(gateway, witness, hook).assault(blocks(block, 80))
    assert seen.executed == 0
    assert seen.refused or len(seen.resets) or len(seen.answered) == 80
    check_memory(seen, held=seen.sent)


def test_bombs_held_by_a_sleeping_sandbox(gateway, witness, hook):
    """C6: as much as is allowed, a hundred times, behind a closed window: bounded all the same."""
    town = Town(gateway, witness, hook, hold={"per_source": 2000, "per_sandbox": 2000})
    first = request(LAZY) + f.literal("x", "a" * 3800, store=True)
    others = request(LAZY) + f.indexed(62) * 7          # 30 bytes that become 27 KiB
    memory = Memory(town.g.pid)
    ordinary = Traffic(town.port, 0.6)
    held = []
    for _ in range(10):
        held.append(Assault(town.port, [(f.INITIAL_WINDOW_SIZE, 0)], ATTACKER))
        held[-1].write(f.headers(1, first, f.END_STREAM | f.END_HEADERS))
        held[-1].write(b"".join(blocks(others, 99, first=3)) + f.ping())
    for one in held:
        assert one.read_until(lambda one=one: one.frames["PING"] or one.refused)
    ordinary.finish()
    risen = memory.risen()
    sent = sum(one.sent for one in held)
    print(f"# {sent} bytes sent, {risen >> 10} KiB taken by 10 connections")
    if not INSTRUMENTED:
        assert risen <= 10 * 3 * MIB // 2 + 8 * MIB
    for one in held:
        one.sock.close()
    town.admin.wait_metric("rouse_held_requests", 0)
    town.gate.set()


@pytest.mark.parametrize("name", FLOODS)
def test_frames_that_move_nothing(gateway, witness, hook, name):
    """C7, C8: counted, and too many of them are the end of the connection."""
    town = Town(gateway, witness, hook)
    burnt = cpu_seconds(town.g.pid)
    seen = town.assault(flood(name, HOST, 500000))
    assert seen.ended and seen.refused
    assert seen.took < 5 or INSTRUMENTED
    assert cpu_seconds(town.g.pid) - burnt < 2 or INSTRUMENTED
    assert seen.executed <= 1
    check_memory(seen)


def test_settings_with_thousands_of_entries(gateway, witness, hook):
    seen = Town(gateway, witness, hook).assault(many_entries())
    assert seen.ended and seen.refused
    check_memory(seen)


def test_windows_that_flip(gateway, witness, hook):
    """C7: each SETTINGS costs as much as there are streams, so there are few."""
    town = Town(gateway, witness, hook)
    burnt = cpu_seconds(town.g.pid)
    seen = town.assault(window_flips(HOST, 20000))
    assert seen.ended and seen.refused
    assert cpu_seconds(town.g.pid) - burnt < 2 or INSTRUMENTED
    check_memory(seen)


@pytest.mark.skipif(not FULL, reason="takes 10 s")
def test_settings_that_nobody_acknowledges(gateway, witness, hook):
    town = Town(gateway, witness, hook)
    with Assault(town.port, greet=False) as one:
        assert one.read_until(lambda: one.ended, 20) and f.SETTINGS_TIMEOUT in one.goaways


def test_answers_behind_a_closed_window(gateway, witness, hook):
    """C9: a hundred large answers to a client whose windows stay shut."""
    town = Town(gateway, witness, hook, limits=SHORT)
    town.w.standard(size=10 * MIB)
    memory = Memory(town.g.pid)
    with Assault(town.port, [(f.INITIAL_WINDOW_SIZE, 0)], ATTACKER) as one:
        one.write(b"".join(blocks(request(HOST), 100)))
        town.w.wait(requests=101)
        assert one.read_until(lambda: len(one.answered) == 100 or one.refused)
        town.w.standard(size=-1)
        Traffic(town.port, 0.6).finish()
        risen = memory.risen()
        print(f"# {risen >> 10} KiB for 100 answers of 10 MiB")
        assert INSTRUMENTED or risen <= 100 * 64 * 1024 + 8 * MIB
        assert one.read_until(lambda: one.ended or sum(one.resets.values()) == 100, 60)
    town.admin.wait_metric("rouse_connections", 0)


def test_answers_that_are_not_read(gateway, witness, hook):
    """C9: open windows, and a socket that nobody reads."""
    town = Town(gateway, witness, hook, limits=SHORT)
    town.w.standard(size=10 * MIB)
    memory = Memory(town.g.pid)
    with Assault(town.port, [(f.INITIAL_WINDOW_SIZE, WINDOW_MAX)], ATTACKER) as one:
        one.write(f.window_update(0, WINDOW_MAX - 65535) + b"".join(blocks(request(HOST), 100)))
        town.w.wait(requests=101)
        town.w.standard(size=-1)
        Traffic(town.port, 0.6).finish()
        risen = memory.risen()
        print(f"# {risen >> 10} KiB for 100 answers of 10 MiB")
        assert INSTRUMENTED or risen <= 100 * 64 * 1024 + 8 * MIB
        town.admin.wait_metric("rouse_connections", 0, timeout=90)


def test_more_streams_than_there_may_be(gateway, witness, hook):
    """C10: REFUSED_STREAM, which says that it may be tried again, to who could not know; who was
    told and goes on is cut off."""
    town = Town(gateway, witness, hook, hold={"per_source": 2000})
    with Assault(town.port, greet=False) as one:
        one.write(b"".join(blocks(request(LAZY), 150)))
        assert one.read_until(lambda: one.resets["REFUSED_STREAM"] == 50), one.frames
        town.admin.wait_metric("rouse_held_requests", 100)
        one.write(f.settings_ack() + f.rst_stream(1))
        one.write(f.headers(401, request(HOST), f.END_STREAM | f.END_HEADERS))
        assert one.read_until(lambda: 401 in one.finished)
        town.admin.wait_metric("rouse_held_requests", 99)
        one.write(b"".join(blocks(request(LAZY), 150, first=403)))
        assert one.read_until(lambda: one.ended)
    town.admin.wait_metric("rouse_held_requests", 0)
    town.gate.set()


def answered_in(one, stream):
    began = time.monotonic()
    one.write(f.headers(stream, request(HOST), f.END_STREAM | f.END_HEADERS))
    assert one.read_until(lambda: stream in one.finished or one.ended) and not one.ended
    return time.monotonic() - began


def test_held_uploads_starve_nobody(gateway, witness, hook):
    """C12: 99 uploads wait for a sandbox; the hundredth stream goes to one that is awake."""
    town = Town(gateway, witness, hook, hold={"per_source": 2000})
    with Assault(town.port) as one:
        before = sorted(answered_in(one, i) for i in streams(30, first=1))
        assert one.read_until(lambda: one.window >= 99 * 16000)
        for i in streams(99, first=101):
            one.write(f.headers(i, request(LAZY, "POST")) + f.data(i, b"u" * 16000, f.END_STREAM))
        town.admin.wait_metric("rouse_held_requests", 99)
        during = sorted(answered_in(one, i) for i in streams(30, first=1001))
        print(f"# slowest of 30: {before[-1] * 1e3:.1f} ms before, "
              f"{during[-1] * 1e3:.1f} ms beside")
        assert during[-2] <= max(2 * before[-2], 0.05) or INSTRUMENTED
        town.gate.set()
        assert one.read_until(lambda: len(one.finished) == 159)


def test_one_large_answer_starves_nobody(gateway, witness, hook):
    """C15: streams take turns; ten large answers grow evenly, small ones pass in between."""
    town = Town(gateway, witness, hook)
    town.w.standard(size=2 * MIB)
    with Assault(town.port, [(f.INITIAL_WINDOW_SIZE, WINDOW_MAX)]) as one:
        one.write(f.window_update(0, WINDOW_MAX - 65535) + b"".join(blocks(request(HOST), 10)))
        assert one.read_until(lambda: len(one.answered) == 10)
        town.w.standard(size=-1)
        spread = 0

        def look():
            nonlocal spread
            if not one.finished:
                spread = max(spread, max(one.data.values()) - min(one.data[i] for i in streams(10)))
            return len(one.finished) == 10

        assert one.read_until(look)
        print(f"# ten answers were never more than {spread >> 10} KiB apart")
        assert set(one.data.values()) == {2 * MIB}


def test_bulk_and_small_answers(gateway, witness, hook):
    """C15: 99 small requests beside one large answer, whose origin is another one."""
    town = Town(gateway, witness, hook)
    other = witness()
    other.set(record_max=0)
    town.h.sandbox("bulk", "running", address=f"127.0.0.1:{other.port}")
    with Assault(town.port, [(f.INITIAL_WINDOW_SIZE, WINDOW_MAX)]) as one:
        one.write(f.window_update(0, WINDOW_MAX - 65535))
        idle = sorted(answered_in(one, i) for i in streams(99))
        other.plan(size=1 << 30)
        one.write(f.headers(1001, request("3000-bulk.t.localhost"), f.END_STREAM | f.END_HEADERS))
        assert one.read_until(lambda: one.data[1001] > MIB)
        beside, behind = [], []
        for i in streams(99, first=2001):
            had = one.data[1001]
            beside.append(answered_in(one, i))
            behind.append(one.data[1001] - had)
        print(f"# p99 {idle[-1] * 1e3:.1f} ms alone, {max(beside) * 1e3:.1f} ms beside the bulk, "
              f"of which at most {max(behind) >> 10} KiB came first")
        assert 1001 not in one.finished
        assert max(behind) <= 16 * MIB          # what the kernel had already, not the whole
        one.write(f.rst_stream(1001))


@pytest.mark.parametrize("rule", ["short=1", "EAGAIN", "ECONNRESET"])
def test_odd_reads_do_not_spin(gateway, witness, hook, tmp_path, rule):
    """C14: reads of one byte, reads that fail: the connection goes on or ends, the loop rests."""
    skip_if_instrumented()
    failing = FailSys(tmp_path, idle=True)
    town = Town(gateway, witness, hook, env=failing.env)
    failing.rule("recv", 1, *([40] if rule != "short=1" else [4000]), effect=rule)
    failing.arm()
    with Assault(town.port, greet=False) as one:
        one.write(b"".join(blocks(request(HOST), 20)))
        one.read_until(lambda: len(one.finished) == 20 or one.ended, 1)
        burnt = cpu_seconds(town.g.pid)
        one.read_until(lambda: False, 0.5)
        assert cpu_seconds(town.g.pid) - burnt <= 0.1
    failing.disarm()
    assert crowd(town.port, HOST, clients=5, h2=5, check=True)["status"] == {"200": 5}


@pytest.mark.skipif(INSTRUMENTED, reason="sanitizers change what costs how much")
def test_ordinary_traffic_keeps_its_pace(gateway, witness, hook):
    """All kinds of attack, again and again, from an address with the default limits of a source."""
    limits = {"connections_per_source": 200, "connection_rate": "50/s"}
    town = Town(gateway, witness, hook, limits=limits)
    attacks = [lambda: rapid_reset(HOST, 20000), lambda: flood("PING", HOST, 100000),
               lambda: made_to_reset("malformed field", HOST, 20000),
               lambda: continuations(HOST, b"\0", 20000),
               lambda: blocks(bomb_block(HOST, 4000, 1000), 80),
               lambda: flood("SETTINGS", HOST, 100000), lambda: window_flips(HOST, 2000)]
    over = threading.Event()
    played = []

    def besiege():
        while not over.is_set():
            try:
                attack = attacks[len(played) % len(attacks)]
                assault(town.port, attack(), seconds=2, source=ATTACKER)
            except OSError:             # refused as one connection too many
                pass
            played.append(1)
            over.wait(0.02)

    seconds = 5 if FULL else 2
    for attempt in range(3):
        quiet = Traffic(town.port, seconds)
        quiet.finish()
        over.clear()
        enemy = threading.Thread(target=besiege, daemon=True)
        enemy.start()
        try:
            busy = Traffic(town.port, seconds)
            busy.finish()
        finally:
            over.set()
            enemy.join()
        print(f"# {RATE}/s: p99 {quiet.p99} us alone, {busy.p99} us under {len(played)} attacks")
        if busy.p99 <= max(2 * quiet.p99, 0 if FULL else 20000):
            return
    raise AssertionError(f"p99 {busy.p99} us under attack, {quiet.p99} us alone, three times")
