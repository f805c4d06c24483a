# SPDX-License-Identifier: BSD-2-Clause
"""Certificates for tests: an authority, leaves of P-256, directories as the gateway reads them.

    ca = Authority()
    ca.fill(directory, "a.t.localhost", "*.t.localhost", "127.0.0.1")
    client = ca.leaf("someone", client=True)
    bad = ca.leaf("a.t.localhost", expired=True)

A name may be a host, one with a leading `*.`, or an IP address.
"""

import dataclasses
import datetime
import ipaddress
import os
import pathlib
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def _key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _save(text, suffix):
    handle, path = tempfile.mkstemp(suffix=suffix, prefix="rouse")
    with os.fdopen(handle, "wb") as f:
        f.write(text)
    return path


@dataclasses.dataclass
class Leaf:
    """A certificate with its chain and its key, both PEM."""
    names: list
    chain: bytes
    key: bytes
    certificate: x509.Certificate

    @property
    def serial(self):
        """As ssl's getpeercert()["serialNumber"] writes it."""
        text = f"{self.certificate.serial_number:X}"
        return text if len(text) % 2 == 0 else "0" + text

    def write(self, directory, stem, crt=".crt", key=".key"):
        """NAME.crt and NAME.key; the key first, so that a reader finds a pair or nothing new."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for suffix, text in ((key, self.key), (crt, self.chain)):
            fresh = directory / f".{stem}{suffix}.new"
            fresh.write_bytes(text)
            fresh.rename(directory / f"{stem}{suffix}")

    def load(self, context):
        """Into an ssl.SSLContext, which only reads files."""
        crt, key = _save(self.chain, ".crt"), _save(self.key, ".key")
        try:
            context.load_cert_chain(crt, key)
        finally:
            os.unlink(crt)
            os.unlink(key)


class Authority:
    """A certificate authority; `above` makes it an intermediate one."""

    def __init__(self, name="Rouse test authority", above=None):
        self.key, self.above = new_key(), above
        now = datetime.datetime.now(datetime.timezone.utc)
        issuer = above.certificate.subject if above else _name(name)
        builder = (x509.CertificateBuilder().subject_name(_name(name)).issuer_name(issuer)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - 2 * DAY).not_valid_after(now + 3650 * DAY)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
                   .add_extension(_usage(authority=True), True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()),
                                  False))
        self.certificate = builder.sign(above.key if above else self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self._shared = None

    @property
    def chain(self):
        """The intermediates, from this one up; the root is not sent."""
        return self.pem + self.above.chain if self.above else b""

    def leaf(self, *names, client=False, expired=False, early=False, days=90, key=None,
             usage=True, common=None):
        """A leaf; expired or not yet valid (early), for clients, without its usage if so told."""
        key = key or new_key()
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = now - DAY, now + days * DAY
        if expired:
            start, end = now - 2 * DAY, now - DAY
        if early:
            start, end = now + DAY, now + days * DAY
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (x509.CertificateBuilder().subject_name(_name(common or names[0]))
                   .issuer_name(self.certificate.subject).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
                   .add_extension(_usage(authority=False), True)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.key.public_key()), False)
                   .add_extension(x509.SubjectAlternativeName(
                       [_alternative(name) for name in names]), False))
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        certificate = builder.sign(self.key, hashes.SHA256())
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return Leaf(list(names), pem + self.chain, _key_pem(key), certificate)

    def fill(self, directory, *names, default=None, nested=False, underscore=False):
        """One certificate for each name, laid out as the gateway reads it; name -> Leaf.

        nested: NAME/tls.crt and NAME/tls.key, as Kubernetes mounts them; underscore: `_.REST.crt`
        where a file cannot be called `*.REST.crt`; default: also default.crt for that name.
        """
        made = {}
        for name in names:
            made[name] = leaf = self.leaf(name)
            stem = "_" + name[1:] if underscore and name.startswith("*") else name
            if nested:
                leaf.write(pathlib.Path(directory) / stem, "tls")
            else:
                leaf.write(directory, stem)
        if default:
            made["default"] = self.leaf(default)
            made["default"].write(directory, "default")
        return made

    def many(self, directory, names):
        """Thousands quickly: all with one key."""
        key = self._shared = self._shared or new_key()
        for name in names:
            self.leaf(name, key=key).write(directory, name)

    def write(self, path):
        """The authority's own certificate, as `ca:` wants it."""
        pathlib.Path(path).write_bytes(self.pem)
        return str(path)

    def client_context(self, alpn=(), leaf=None, verify=True, version=None):
        """For ssl clients that trust this authority; leaf: the client's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.pem.decode())
        return _finish(context, alpn, leaf, version, verify)

    def server_context(self, leaf, alpn=(), client_authority=None, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_authority.pem.decode())
        return _finish(context, alpn, leaf, version, True)


def _finish(context, alpn, leaf, version, verify):
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF    # Python's default hides truncation
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if leaf:
        leaf.load(context)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def _usage(authority):
    return x509.KeyUsage(digital_signature=not authority, content_commitment=False,
                         key_encipherment=False, data_encipherment=False, key_agreement=False,
                         key_cert_sign=authority, crl_sign=authority, encipher_only=False,
                         decipher_only=False)
