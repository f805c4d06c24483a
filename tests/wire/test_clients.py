# SPDX-License-Identifier: BSD-2-Clause
"""Clients as people have them, each through a wake: curl, nghttp, h2load, Node."""

import itertools
import json
import os
import shutil
import subprocess

import pytest

from rousetest import Gateway, Hook, Witness, free_port
from rousetest.certs import Authority

BODY = "x" * 100_000
numbers = itertools.count(1)


class Site:
    """A gateway with a plain and a TLS listener before one witness, for all tests of this file."""

    def __init__(self, rouse, directory):
        authority = Authority()
        (directory / "certs").mkdir()
        authority.fill(directory / "certs", "*.t.localhost")
        self.ca = authority.write(directory / "ca.pem")
        self.witness, self.hook = Witness(), Hook(resume_time=0.1)
        self.witness.set(query=0)
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
      wake: {{ limit_per_client: off }}, hold: {{ per_source: 1000 }} }}
""", directory)

    def sleeper(self):
        """The label of a sandbox that sleeps."""
        name = f"c{next(numbers)}"
        self.hook.sandbox(name, "paused", address=f"127.0.0.1:{self.witness.port}")
        return name

    def url(self, name, tls, path="/"):
        return (f"http{'s' if tls else ''}://3000-{name}.t.localhost:"
                f"{self.tls if tls else self.plain}{path}")

    def resumes(self, name):
        return len([call for call in self.hook.calls if call.op == "resume" and call.id == name])

    def stop(self):
        try:
            self.gateway.finish()
        finally:
            self.hook.stop()
            self.witness.stop()


@pytest.fixture(scope="module")
def site(rouse, tmp_path_factory):
    made = Site(rouse, tmp_path_factory.mktemp("clients"))
    yield made
    made.stop()


def run(*argv, **options):
    if not shutil.which(argv[0]):
        pytest.skip(f"{argv[0]} is not installed")
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **options)


CURLS = {
    "h1": (False, ["--http1.1"], "1.1"),
    "h1 tls": (True, ["--http1.1"], "1.1"),
    "h2c": (False, ["--http2-prior-knowledge"], "2"),
    "h2 tls": (True, ["--http2"], "2"),
    "h2c upgrade": (False, ["--http2"], "1.1"),  # served as HTTP/1.1
    "1.3 only": (True, ["--tlsv1.3"], "2"),
    "1.2 only": (True, ["--tls-max", "1.2"], "2"),
}


@pytest.mark.parametrize("kind", CURLS)
def test_curl(kind, site, tmp_path):
    tls, options, version = CURLS[kind]
    name = site.sleeper()
    (tmp_path / "body").write_text(BODY)
    for sent in ([], ["--data-binary", f"@{tmp_path / 'body'}"],
                 ["--upload-file", str(tmp_path / "body")]):
        got = run("curl", "-sS", "--cacert", site.ca, *options, *sent, "-o", "/dev/null",
                  "-w", "%{http_version} %{http_code}", site.url(name, tls))
        assert (got.stdout, got.stderr, got.returncode) == (f"{version} 200", "", 0)
    assert site.resumes(name) == 1


def test_curl_is_told_of_a_wrong_name(site):
    got = run("curl", "-sS", "--cacert", site.ca, "--connect-to", f"::127.0.0.1:{site.tls}",
              "https://other.example/")
    assert got.returncode in (35, 60), got.stderr  # no certificate for that name


@pytest.mark.parametrize("tls", [False, True])
def test_nghttp(tls, site):
    name = site.sleeper()
    url = site.url(name, tls, "/many")
    host = url.split("/")[2]
    got = run("nghttp", "-nv", "--timeout=20", "-m", "20", f"-H:authority: {host}",
              url.replace(host.rsplit(":", 1)[0], "127.0.0.1"))
    assert got.returncode == 0, got.stderr
    assert got.stdout.count(":status: 200") == 20, got.stdout
    assert "GOAWAY" in got.stdout  # its own, at the end
    assert site.resumes(name) == 1


@pytest.mark.parametrize("tls", [False, True])
def test_h2load(tls, site):
    name = site.sleeper()
    got = run("h2load", "-n", "2000", "-c", "10", "-m", "20",
              f"--connect-to=127.0.0.1:{site.tls if tls else site.plain}", site.url(name, tls))
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in got.stdout, got.stdout
    assert site.resumes(name) == 1


NODE = """
const [url, ca] = process.argv.slice(1), fs = require('fs');
const lookup = (host, options, ok) => options.all
  ? ok(null, [{address: '127.0.0.1', family: 4}]) : ok(null, '127.0.0.1', 4);
const http2 = require('http2'), https = require('https'), http = require('http');
const done = (value) => console.log(JSON.stringify(value));
if (process.env.HOW == 'http2') {
  const session = http2.connect(url, {lookup, ca: fs.readFileSync(ca)});
  const ask = (headers, body) => new Promise((ok, no) => {
    const stream = session.request({':path': '/', ...headers});
    let status, size = 0;
    stream.on('response', (h) => { status = h[':status']; })
      .on('data', (d) => { size += d.length; })
      .on('error', no).on('end', () => ok([status, size > 0]));
    stream.end(body);
  });
  session.on('error', (e) => done(['session', e.message]));
  Promise.all([ask({}), ask({':method': 'POST'}, 'x'.repeat(100000)), ask({})])
    .then((all) => { session.close(); done(all); }, (e) => done(['failed', e.message]));
} else {
  const kind = url.startsWith('https') ? https : http;
  const agent = new kind.Agent({keepAlive: true, ca: fs.readFileSync(ca)});
  const ask = (method, body) => new Promise((ok, no) => {
    const request = kind.request(url, {agent, method, lookup}, (answer) => {
      let size = 0;
      answer.on('data', (d) => { size += d.length; })
        .on('end', () => ok([answer.statusCode, size > 0]));
    }).on('error', no);
    request.end(body);
  });
  ask('GET').then((a) => ask('POST', 'x'.repeat(100000)).then((b) => ask('GET').then((c) => {
    agent.destroy(); done([a, b, c]);
  }))).catch((e) => done(['failed', e.message]));
}
"""


@pytest.mark.parametrize("how,tls", [("http", False), ("http", True), ("http2", False),
                                     ("http2", True)])
def test_node(how, tls, site):
    name = site.sleeper()
    got = run("node", "-e", NODE, site.url(name, tls), site.ca, env=dict(os.environ, HOW=how))
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout) == [[200, True]] * 3, got.stdout
    assert site.resumes(name) == 1
