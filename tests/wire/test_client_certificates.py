# SPDX-License-Identifier: BSD-2-Clause
"""Rows H5, H6: a site with tls.client_ca is reached with a certificate of that authority only.

One site asks for certificates, the other does not; both are behind one TLS listener and one plain.
Reload changes who may come in, also for connections that are there already.
"""

import http.client
import socket

import pytest

from rousetest import Gateway, Hook, Witness, free_port
from rousetest.certs import Authority

LOCKED, OPEN = "3000-blog.t.localhost", "3000-blog.u.localhost"


class Place:
    def __init__(self, rouse, directory):
        self.ca, self.club, self.others = Authority(), Authority("Club"), Authority("Others")
        self.directory, self.rouse = directory, rouse
        self.ca.fill(directory / "certs", "*.t.localhost", "*.u.localhost", default="x.localhost")
        self.club.write(directory / "club.pem")
        self.others.write(directory / "others.pem")
        self.member = self.club.leaf("member", client=True)
        self.witness, self.hook = Witness(), Hook()
        self.witness.set(query=0)
        self.hook.sandbox("blog", "running", address=f"127.0.0.1:{self.witness.port}")
        self.tls, self.plain = free_port(), free_port()
        self.gateway = Gateway(rouse, self.config("club"), directory)

    def config(self, club):
        asks = f", tls: {{ client_ca: {self.directory}/{club}.pem }}" if club else ""
        site = "platform: own, connect: { allow: [127.0.0.0/8] }"
        return f"""\
listen:
  - address: 127.0.0.1:{self.plain}
  - {{ address: "127.0.0.1:{self.tls}", tls: {{ certificates: {self.directory}/certs }} }}
admin: {{ socket: "" }}
platforms: {{ own: {self.hook.platform()} }}
sites:
  - {{ host: "*.t.localhost", {site}{asks} }}
  - {{ host: "*.u.localhost", {site} }}
"""

    def reload(self, club):
        mark = self.gateway.mark()
        self.gateway.reload(self.config(club))
        self.gateway.wait_event("reloaded", after=mark)

    def connect(self, sni, leaf=None, context=None):
        context = context or self.ca.client_context(leaf=leaf)
        context.check_hostname = False
        raw = socket.create_connection(("127.0.0.1", self.tls), timeout=10)
        c = http.client.HTTPConnection("127.0.0.1", self.tls)
        c.sock = context.wrap_socket(raw, server_hostname=sni)
        return c

    def stop(self):
        try:
            self.gateway.finish()
        finally:
            self.hook.stop()
            self.witness.stop()


@pytest.fixture
def place(rouse, tmp_path):
    made = Place(rouse, tmp_path)
    yield made
    made.stop()


def ask(c, host):
    c.request("GET", "/", headers={"host": host})
    answer = c.getresponse()
    answer.read()
    return answer.status


def refused(place, sni, leaf):
    """The handshake or what follows it fails."""
    try:
        c = place.connect(sni, leaf)
        ask(c, LOCKED)
    except (OSError, http.client.HTTPException):
        return True
    return False


def test_who_comes_in(place):
    assert ask(place.connect(LOCKED, place.member), LOCKED) == 200
    assert refused(place, LOCKED, None)
    assert refused(place, LOCKED, place.others.leaf("stranger", client=True))
    assert refused(place, LOCKED, place.club.leaf("late", client=True, expired=True))


@pytest.mark.parametrize("sni", [OPEN, "nobody.example", None])
def test_no_way_around(place, sni):
    """Another name, a name of no site, none: nothing was asked for, with or without one."""
    for leaf in (None, place.member):
        assert ask(place.connect(sni, leaf), LOCKED) == 421


def test_not_without_tls(place):
    assert ask(http.client.HTTPConnection("127.0.0.1", place.plain), LOCKED) == 421


def test_nor_by_header(place):
    """The site is the host's, whatever names the sandbox."""
    c = place.connect(OPEN)
    c.request("GET", "/", headers={"host": "t.localhost", "e2b-sandbox-id": "blog",
                                   "e2b-sandbox-port": "3000"})
    assert c.getresponse().status in (400, 404, 421)


def test_site_begins_to_ask(place):
    place.reload(None)
    c = place.connect(LOCKED)
    assert ask(c, LOCKED) == 200
    place.reload("club")
    assert ask(c, LOCKED) == 421


def test_authority_is_replaced(place):
    """Whoever showed a certificate of the old one is out, in the middle of a connection."""
    c = place.connect(LOCKED, place.member)
    assert ask(c, LOCKED) == 200
    place.reload("club")
    assert ask(c, LOCKED) == 200
    place.reload("others")
    assert ask(c, LOCKED) == 421
    assert refused(place, LOCKED, place.member)
