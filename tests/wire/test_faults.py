# SPDX-License-Identifier: BSD-2-Clause
"""The fault tools themselves, on a program that does one thing at a time."""

import errno
import os
import pathlib
import re
import subprocess

import pytest

from rousetest.faults import FOREVER, KINDS, CountMalloc, FailSys, skip_if_instrumented
from rousetest.tools import tool


@pytest.fixture(autouse=True)
def plain_build():
    skip_if_instrumented()


class Probe:
    def __init__(self, env):
        self.proc = subprocess.Popen([tool("faultprobe")], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, env=dict(os.environ, **env))
        # The page is there before main() runs; the first answer says that it does.
        self.ask("drop")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stdin.close()
        self.proc.stdout.close()
        self.proc.wait()

    def ask(self, order):
        """Result and errno."""
        self.proc.stdin.write(order.encode() + b"\n")
        self.proc.stdin.flush()
        word, result, number = self.proc.stdout.readline().split()
        assert word.decode() == order.split()[0]
        return int(result), int(number)


def test_counts_calls_and_live_bytes(tmp_path):
    counts = CountMalloc(tmp_path)
    with Probe(counts.env) as probe:
        start = counts.total()
        probe.ask("malloc")
        probe.ask("drop")
        assert counts.total() - start == (1, 0, 0, 1, 0, (counts.total() - start).total)
        probe.ask("keep 1000 1000")
        grown = counts.total() - start
        assert grown.mallocs == 1001 and 1000 * 1000 <= grown.live <= 1000 * 1016
        probe.ask("grow 1000")
        assert (counts.total() - start).reallocs == 10
        probe.ask("drop")
        end = counts.total() - start
        assert end.live == 0 and end.frees == 1002
        assert end.allocations == 1001 + 10


def test_counts_by_thread(tmp_path):
    counts = CountMalloc(tmp_path)
    with Probe(counts.env) as probe:
        main = probe.proc.pid
        probe.ask("malloc")
        before = counts.threads()
        probe.ask("thread 500 100")
        after = counts.threads()
        others = [c for tid, c in after.items() if tid not in before]
        assert [c.mallocs for c in others] == [500]
        assert others[0].live >= 50000
        assert after[main].mallocs - before[main].mallocs <= 2
        probe.ask("drop")
        assert counts.threads()[main].frees - before[main].frees >= 500
        assert abs((counts.total()).live - sum(c.live for c in before.values())) < 2000
        assert main in counts.of_threads("faultprobe")


def test_children_are_not_counted(tmp_path):
    counts = CountMalloc(tmp_path)
    with Probe(counts.env) as probe:
        probe.ask("fork")
        before = counts.total()
        assert probe.ask("fork") == (0, 0)
        assert (counts.total() - before).mallocs == 0


@pytest.mark.parametrize("word", ["socket", "connect", "accept", "recv", "recvmsg", "readv", "send",
                                  "sendmsg", "writev", "epoll_wait", "eventfd", "timerfd", "pipe",
                                  "open", "fork", "thread", "malloc"])
def test_the_nth_call_fails_and_only_that(tmp_path, word):
    kind = {"recvmsg": "recv", "readv": "recv", "sendmsg": "send", "writev": "send"}.get(word, word)
    failing = FailSys(tmp_path, idle=True)
    with Probe(failing.env) as probe:
        good = probe.ask(word)
        assert good[0] >= 0
        # Calls of that kind that one order makes, the program's own talk with us included.
        failing.arm()
        probe.ask(word)
        each = failing.counts()[kind]
        assert each >= 1
        struck = 0
        for n in range(1, each + 1):
            failing.rule(kind, n, effect="ENOMEM" if kind == "malloc" else "EINTR")
            failing.arm()
            struck += probe.ask(word) != good
            assert failing.fired() == 1
        assert struck >= 1
        failing.disarm()
        assert probe.ask(word) == good


def test_effects(tmp_path):
    failing = FailSys(tmp_path, idle=True)
    with Probe(failing.env) as probe:
        # The pair is filled by a write of its own first: that is the first "send" of each.
        failing.rule("recv", 1, effect="short=3")
        for word in ["recv", "recvmsg", "readv"]:
            failing.arm()
            assert probe.ask(word) == (3, 0)
        failing.rule("recv", 1, effect="eof")
        failing.arm()
        assert probe.ask("recv") == (0, 0)
        failing.rule("send", 2, effect="short")
        for word in ["send", "sendmsg", "writev"]:
            failing.arm()
            assert probe.ask(word) == (1, 0)
        failing.rule("send", 2, effect="ECONNRESET")
        failing.arm()
        assert probe.ask("writev") == (-1, errno.ECONNRESET)
        failing.rule("accept", 1, FOREVER, effect="EMFILE")
        failing.arm()
        for _ in range(3):
            assert probe.ask("accept") == (-1, errno.EMFILE)
        assert failing.fired() == 3
        failing.forget()
        assert probe.ask("accept") == (0, 0)


def test_a_false_eagain_is_followed_by_another_edge(tmp_path):
    failing = FailSys(tmp_path, idle=True)
    with Probe(failing.env) as probe:
        failing.rule("recv", 1, 3, effect="EAGAIN")
        failing.arm()
        assert probe.ask("edge") == (10, 0)
        assert failing.fired() == 3


def test_rules_come_from_the_environment(tmp_path):
    with Probe(FailSys(tmp_path, "connect:1:ECONNREFUSED,eventfd:2-3:24,open:1-:EACCES").env) as p:
        assert p.ask("connect") == (-1, errno.ECONNREFUSED)
        assert p.ask("connect") == (0, 0)
        assert [p.ask("eventfd")[1] for _ in range(4)] == [0, 24, 24, 0]
        assert [p.ask("open")[1] for _ in range(3)] == [errno.EACCES] * 3


def test_interrupted_reads(tmp_path):
    failing = FailSys(tmp_path, "read:1-5:EINTR")
    with Probe(failing.env) as probe:
        assert probe.ask("drop") == (0, 0)
        assert failing.fired() == 5
        assert probe.ask("read") == (1, 0)


@pytest.mark.parametrize("rules", ["recv", "recv:1", "recv:0:EIO", "recv:2-1:EIO", "recv:1:EWHAT",
                                   "talk:1:EIO", "recv:x:EIO", "send:1:short=0", "send:1:short="])
def test_a_mistake_in_the_rules_is_no_silent_pass(rules):
    env = dict(os.environ, LD_PRELOAD=str(pathlib.Path(tool("failsys.so")).resolve()),
               FAILSYS=rules)
    done = subprocess.run([tool("faultprobe")], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    assert done.returncode == 99 and b"failsys: bad rule" in done.stderr


def test_kinds_are_the_headers():
    header = pathlib.Path(os.environ["TOP_SRCDIR"], "tests/tools/failsys.h").read_text()
    assert re.findall(r'X\([A-Z_]+, "([a-z_]+)"\)', header) == KINDS
