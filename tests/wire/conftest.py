# SPDX-License-Identifier: BSD-2-Clause
"""What all wire tests share: TAP for automake, and where the program is."""

import dataclasses
import os
import pathlib
import subprocess

import pytest

from rousetest import Gateway, Hook, Namespace, StaticProxy, Witness, free_port
from rousetest.config import config


def pytest_addoption(parser):
    parser.addoption("--tap", action="store_true", help="print TAP lines for make check")


class Tap:
    def __init__(self):
        self.count = 0

    def say(self, verdict, nodeid, note=""):
        self.count += 1
        print(f"\n{verdict} {self.count} - {nodeid.replace('#', '')}{note}", flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.say("not ok", report.nodeid)
            print("\n".join("# " + line for line in str(report.longrepr).splitlines()))

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else "expected"
            self.say("ok", report.nodeid, f" # SKIP {reason}")
        elif report.failed:
            self.say("not ok", report.nodeid)
        elif report.when == "call":
            self.say("ok", report.nodeid)

    def pytest_sessionfinish(self):
        print(f"\n1..{self.count}", flush=True)


def pytest_configure(config):
    if config.getoption("--tap"):
        config.pluginmanager.register(Tap())


@pytest.fixture(scope="session")
def top_builddir():
    return pathlib.Path(os.environ.get("TOP_BUILDDIR", "build"))


@pytest.fixture(scope="session")
def rouse(top_builddir):
    """The program under test."""
    return os.environ.get("ROUSE", str(top_builddir / "rouse"))


# ---- what a test asks for: fixtures that make things and put them away in the right order


@pytest.fixture
def witness():
    """A factory: witness(name="A", ports=2, closed=True) -> Witness."""
    made = []

    def make(**options):
        made.append(Witness(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def hook():
    """A factory: hook(resume_time=0.2) -> Hook."""
    made = []

    def make(**options):
        made.append(Hook(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def gateway(rouse, tmp_path):
    """A factory: gateway(configuration) -> Gateway.

    At the end of the test each one still running is ended by TERM; exit status, sanitizers and
    accounts are checked, unless the test has done so itself (finish()).
    """
    made = []

    def make(config, **options):
        directory = tmp_path / f"gateway{len(made)}"
        directory.mkdir()
        made.append(Gateway(rouse, config, directory, **options))
        return made[-1]

    yield make
    problems = []
    for one in made:
        try:
            one.finish()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


# One of each kind, and each with each where they differ; few, as many tests run over all of them.
PAIRS = [("h1", "h1"), ("h1s", "h1s"), ("h2c", "h1"), ("h2s", "h1"), ("h1", "h2c"), ("h2c", "h2c"),
         ("h2s", "h2s")]


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def pair(request):
    """Kinds of client and sandbox, for road()."""
    return request.param


@pytest.fixture
def road(gateway, hook, tmp_path):
    """A factory: road("h2s", "h1", state="paused", ...) -> Road."""
    from rousetest.road import Road # needs python3-cryptography
    made = []

    def make(*kinds, **options):
        made.append(Road(gateway, hook, tmp_path, *kinds, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def namespace():
    """A network namespace; the test is skipped where they cannot be made."""
    why_not = Namespace.why_not()
    if why_not:
        pytest.skip(why_not)
    with Namespace() as made:
        yield made


# What can stand between client and witness: http/ alone, or the whole program.
FRONTS = ["static"]
if "serve" in subprocess.run([os.environ.get("ROUSE", "./rouse"), "help"], capture_output=True,
                             text=True, check=False).stdout:
    FRONTS.append("gateway")


@dataclasses.dataclass
class Front:
    kind: str
    port: int
    witness: Witness
    hook: Hook                  # None in front of which there is no gateway


@pytest.fixture
def front(request, witness):
    """A factory: front(kind, state) -> Front, whose every request goes to a witness without plans.

    The gateway's sandbox `blog` (port 3000) is in the given state.
    """
    made = []

    def make(kind, state="running"):
        w = witness()
        w.set(query=0, record_max=1 << 26)
        if kind == "static":
            made.append(StaticProxy(w.port))
            return Front(kind, made[-1].port, w, None)
        h, port = request.getfixturevalue("hook")(), free_port()
        h.sandbox("blog", state, address=f"127.0.0.1:{w.port}")
        # What looks like HTTP/2 is HTTP/1's to refuse, as in `static` (A14).
        request.getfixturevalue("gateway")(config(port, h.platform(), http2=False))
        return Front(kind, port, w, h)

    yield make
    for one in made:
        one.finish()
