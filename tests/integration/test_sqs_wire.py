"""The ways to SQS beside plain HTTP: encrypted, and through a proxy."""

import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.scripted_server import reset, serving
from tests.integration.sqs_script import answer, asked, connected

from iraas.errors import BackendUnavailable, ConfigurationError

EMPTY = answer({"QueueUrls": []})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sqs")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def encrypt(server, certificate):
    """From now on it speaks TLS; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server.url.replace("http:", "https:")


async def test_speaks_tls_to_whom_the_bundle_vouches_for(certificate, monkeypatch):
    """The SDK's own setting for authorities counts, and connections are kept there, too."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    ports = set()

    def note(handler):
        ports.add(handler.client_address[1])
        EMPTY(handler)

    with serving(note, note, reset, note) as server, connected(encrypt(server, certificate)) as connection:
        for _ in range(3):
            assert (await connection.call("ListQueues"))["QueueUrls"] == []
        assert [asked(seen) for seen in server.seen] == [("ListQueues", {})] * 4
    assert len(ports) == 2  # and another after the reset


async def test_speaks_to_nobody_else(certificate):
    """A certificate that nobody vouches for ends the call before anything is said."""
    requests = []
    with (
        serving() as server,
        connected(encrypt(server, certificate), on_request=requests.append) as connection,
    ):
        with pytest.raises(BackendUnavailable, match="SQS: ListQueues: SSLError"):
            await connection.call("ListQueues")
        assert server.seen == []
    assert requests == []


@pytest.mark.parametrize("what", ["missing", "empty", "folder"])
def test_a_bundle_that_cannot_be_read(tmp_path, monkeypatch, what):
    """A wrong `AWS_CA_BUNDLE` stops the start; a folder of certificates is none."""
    bundle = tmp_path / "bundle"
    if what == "empty":
        bundle.touch()
    elif what == "folder":
        bundle.mkdir()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    if what == "folder":
        with connected("https://127.0.0.1:1"):
            return
    with (
        pytest.raises(ConfigurationError, match=f"{bundle} .* AWS_CA_BUNDLE"),
        connected("https://127.0.0.1:1"),
    ):
        pass


async def test_goes_through_a_proxy_where_there_is_one(monkeypatch):
    """Where the environment names a proxy, the SDK's own transport uses it, and requests are counted alike."""
    requests = []
    with serving(EMPTY, answer(b"", 503), EMPTY) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with connected("http://sqs.invalid:8080", on_request=requests.append) as connection:
            await connection.call("ListQueues")
            await connection.call("ListQueues")
        assert [seen.headers["Host"] for seen in proxy.seen] == ["sqs.invalid:8080"] * 3
    assert requests == ["ListQueues"] * 3
