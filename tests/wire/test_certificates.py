# SPDX-License-Identifier: BSD-2-Clause
"""Certificates that change under load, and thousands of them on disk.

ROTATIONS=1000 and CERTIFICATES=10000 are the full measures.
"""

import os
import pathlib
import shutil
import socket
import ssl
import time

from rousetest import crowd, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.flood import with_tls

HOST = "3000-blog.t.localhost"
INSTRUMENTED = bool(os.environ.get("INSTRUMENT"))
ROTATIONS = int(os.environ.get("ROTATIONS", "20"))
CERTIFICATES = int(os.environ.get("CERTIFICATES", "500"))


def served(port, name, alpn=("http/1.1",)):
    """The certificate that a handshake for that name gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(list(alpn))
    with socket.create_connection(("127.0.0.1", port), 10) as sock, \
            context.wrap_socket(sock, server_hostname=name) as tls:
        return tls.getpeercert(True)


def wait_served(port, leaf, name=HOST, timeout=20):
    """Until that certificate is what one gets."""
    deadline = time.monotonic() + timeout
    want = ssl.PEM_cert_to_DER_cert(leaf.chain.decode().split("-----END")[0]
                                    + "-----END CERTIFICATE-----")
    while served(port, name) != want:
        assert time.monotonic() < deadline, "the new certificate is not served"


def open_town(gateway, witness, hook, certificates, **options):
    w, h, admin = witness(), hook(), Admin()
    w.set(record_max=0)
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    plain, port = free_port(), free_port()
    config = one_site(plain, h, limits={"connections_per_source": "off", "connection_rate": "off"},
                      admin=admin.config, **options)
    return gateway(with_tls(config, port, certificates)), port, admin


def test_rotation_under_load(gateway, witness, hook, tmp_path):
    """A handshake never fails, whichever of two files is new when it comes."""
    directory = tmp_path / "certs"
    authority = Authority()
    name = "*.t.localhost"
    leaves = [authority.leaf(name) for _ in range(8)]
    leaves[0].write(directory, name)
    _, port, _ = open_town(gateway, witness, hook, directory)
    load = start_crowd(port, HOST, tls=True, fresh=True, check=True, clients=20,
                       rate=40 if INSTRUMENTED else 200, total=10000000, timeout=3600000)
    over, done = time.monotonic() + 2, 0
    while done < ROTATIONS or time.monotonic() < over:
        done += 1
        leaf = leaves[done % len(leaves)]
        leaf.write(directory, name)
        if done % 10 == 0:
            wait_served(port, leaf)
        else:
            served(port, HOST)          # one or the other
    load.stop()
    result = load.result()
    print(f"# {done} rotations, {result['answered']} handshakes of the crowd")
    assert result["tls_failed"] == 0 and result["reset"] == 0 and result["lost"] == 0, result
    assert result["connect_failed"] == 0 and result["wrong"] == 0, result
    assert set(result["status"]) == {"200"} and result["answered"] > 20


def test_half_a_rotation(gateway, witness, hook, tmp_path):
    """H9: a new certificate with the old one's key, half a file, none: the old pair serves on."""
    directory = tmp_path / "certs"
    authority = Authority()
    name = "*.t.localhost"
    old, new = authority.leaf(name), authority.leaf(name)
    old.write(directory, name)
    # One worker: each reads for itself, when it is first asked.
    _, port, _ = open_town(gateway, witness, hook, directory, workers=1)
    wait_served(port, old)
    for crt, key in ((new.chain, old.key), (new.chain[:200], new.key), (b"", b""),
                     (old.chain, new.key)):
        (directory / f"{name}.crt").write_bytes(crt)
        (directory / f"{name}.key").write_bytes(key)
        result = crowd(port, HOST, tls=True, fresh=True, clients=5, total=50, check=True)
        assert result["status"] == {"200": 50} and result["tls_failed"] == 0, result
    new.write(directory, name)
    wait_served(port, new)


def test_rotation_by_a_link(gateway, witness, hook, tmp_path):
    """As Kubernetes does it: files are links into ..data, which is a link that is swapped."""
    authority, name = Authority(), "*.t.localhost"
    directory = tmp_path / "mount"
    directory.mkdir()
    old, new = authority.leaf(name), authority.leaf(name)
    for version, leaf in (("..1", old), ("..2", new)):
        leaf.write(directory / version, name)
    (directory / "..data").symlink_to("..1")
    for suffix in (".crt", ".key"):
        (directory / f"{name}{suffix}").symlink_to(pathlib.Path("..data") / f"{name}{suffix}")
    _, port, _ = open_town(gateway, witness, hook, directory)
    wait_served(port, old)
    (directory / "..fresh").symlink_to("..2")
    (directory / "..fresh").rename(directory / "..data")
    shutil.rmtree(directory / "..1")
    wait_served(port, new)


def test_thousands_on_disk(gateway, witness, hook, tmp_path):
    """They are read when a handshake asks for them, so a start does not wait for them."""
    directory = tmp_path / "certs"
    directory.mkdir()
    authority = Authority()
    authority.many(directory, ["*.t.localhost"] + [f"n{i}.many.localhost"
                                                   for i in range(CERTIFICATES)])
    own = authority.leaf("n7.many.localhost")
    own.write(directory, "n7.many.localhost")
    began = time.monotonic()
    g, port, _ = open_town(gateway, witness, hook, directory)
    took = time.monotonic() - began
    print(f"# {CERTIFICATES} certificates: ready after {took:.2f} s, "
          f"{g.resident_bytes() >> 10} KiB")
    assert took < 1 or INSTRUMENTED
    wait_served(port, own, "n7.many.localhost")
    assert crowd(port, HOST, tls=True, clients=20, check=True)["status"] == {"200": 20}
