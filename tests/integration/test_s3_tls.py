"""S3 behind TLS: who is trusted, and who is not."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.integration.s3_script import answering, found, store, stored
from tests.integration.scripted_server import reply

from iraas.errors import BackendUnavailable
from iraas.testing.blob_contract import listed

EMPTY = b"<ListBucketResult></ListBucketResult>"


def certificate(name, key, *, issuer, signer, authority):
    """A certificate of a day."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An authority, and what it certifies."""
    folder = tmp_path_factory.mktemp("tls")
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "root.pem").write_bytes(certificate("root", root, issuer="root", signer=root, authority=True))
    (folder / "leaf.pem").write_bytes(certificate("leaf", leaf, issuer="root", signer=root, authority=False))
    (folder / "leaf.key").write_bytes(
        leaf.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def server(files):
    """A server with that certificate."""
    with answering(stored(), found(b"meow"), reply(200, EMPTY)) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / "leaf.pem", files / "leaf.key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.handle_error = lambda *_: None  # that a client does not trust it is what is tested
        yield server


async def test_trusts_the_authorities_of_the_sdk(server, files, monkeypatch):
    """AWS_CA_BUNDLE, which the SDK's chain knows, is known to objects and lists."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(files / "root.pem"))
    blobs = store(server, endpoint=server.url.replace("http:", "https:"))
    assert await blobs.put("cat", b"meow")
    assert (await blobs.get("cat")).data == b"meow"
    assert await listed(blobs) == {}
    await blobs.close()


@pytest.mark.parametrize("call", [lambda blobs: blobs.get("cat"), listed], ids=["object", "list"])
async def test_trusts_nobody_else(server, monkeypatch, call):
    """A certificate of an unknown authority is no S3."""
    monkeypatch.setattr("iraas.blobs.s3_attempts.TOTAL_SECONDS", 0.2)
    blobs = store(server, endpoint=server.url.replace("http:", "https:"))
    with pytest.raises(BackendUnavailable, match="no connection"):
        await call(blobs)
    await blobs.close()
    assert server.seen == []
