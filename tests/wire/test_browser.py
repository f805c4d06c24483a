# SPDX-License-Identifier: BSD-2-Clause
"""Chromium on a page of a sleeping sandbox: fetches, events, a WebSocket."""

import pytest

from rousetest import free_port
from rousetest.browser import App, Browser
from rousetest.certs import Authority

HOST = "3000-blog.t.localhost"


@pytest.fixture
def app():
    made = App()
    yield made
    made.stop()


@pytest.fixture
def browser(tmp_path):
    why_not = Browser.why_not()
    if why_not:
        pytest.skip(why_not)
    made = []

    def visit(url):
        made.append(Browser(tmp_path, url))

    yield visit
    for one in made:
        one.stop()


def configuration(port, hook, certificates=None):
    tls = f', tls: {{ certificates: "{certificates}" }}' if certificates else ""
    return f"""\
listen: [ {{ address: "127.0.0.1:{port}"{tls} }} ]
admin: {{ socket: "" }}
workers: 1
platforms: {{ own: {hook.platform()} }}
sites:
  - {{ host: "*.t.localhost", platform: own, connect: {{ allow: [127.0.0.0/8] }},
      hold: {{ page_after: off }} }}
"""


@pytest.mark.parametrize("scheme,protocol", [("http", "http/1.1"), ("https", "h2")])
def test_a_page_through_a_wake(scheme, protocol, app, hook, gateway, browser, tmp_path):
    h, port = hook(resume_time=0.3), free_port()
    h.sandbox("blog", "paused", address=f"127.0.0.1:{app.port}")
    directory = None
    if scheme == "https":
        directory = tmp_path / "certs"
        directory.mkdir()
        Authority().fill(directory, "*.t.localhost")
    g = gateway(configuration(port, h, directory))
    browser(f"{scheme}://{HOST}:{port}/")
    seen = app.wait_report()
    assert seen == {"data": "data", "posted": "100000 bytes",
                    "events": ["event 0", "event 1", "event 2"],
                    "echo": [4, 70000, 1000, True], "protocol": protocol}
    assert len([c for c in h.calls if c.op == "resume"]) == 1
    assert len(app.upgrades) == 1
    g.wait_access(url__path="/", http__response__status_code=200)
