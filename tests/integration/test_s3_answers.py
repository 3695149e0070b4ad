"""What S3 may answer, and what becomes of it: the promises, the words, and what never shows in them."""

import base64
import traceback

import pytest
from tests.integration.s3_script import (
    ACCESS_KEY,
    SECRET_KEY,
    TOKEN,
    answering,
    fault,
    first_byte,
    found,
    session,
    store,
    stored,
)
from tests.integration.scripted_server import hang_up, reply
from tests.unit.blobs.test_s3_place import Machine

from iraas.errors import BackendUnavailable, ConfigurationError, ImageTooLarge
from iraas.testing.blob_contract import listed

CHECK = bytes.fromhex("ae8b14860a799888")  # of `123456789`, as the NVM Express specification gives it
LIST = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>pictures</Name><IsTruncated>{}</IsTruncated>{}</ListBucketResult>"
)


def page(*keys, token=""):
    """A page of a list."""
    entries = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2022-10-12T17:50:00.000Z</LastModified>"
        f"<ETag>&quot;0&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return reply(200, LIST.format(str(bool(token)).lower(), entries + more).encode())


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """The pauses of a test."""
    monkeypatch.setattr("iraas.blobs.s3_attempts.FIRST_PAUSE_SECONDS", 0.001)


async def test_a_put_is_summed_and_signed():
    """S3 gets a sum of what it should store, the role's token, and a signature over both."""
    with answering(stored()) as server:
        blobs = store(server)
        await blobs.put("cat", b"123456789", metadata={"owner": "me"})
        await blobs.close()

    [seen] = server.seen
    assert (seen.method, seen.path, seen.body) == ("PUT", "/pictures/cat", b"123456789")
    assert base64.b64decode(seen.headers["x-amz-checksum-crc64nvme"]) == CHECK
    signed = seen.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-checksum-crc64nvme", "x-amz-meta-owner", "x-amz-security-token"} <= set(signed)
    assert seen.headers["x-amz-security-token"] == TOKEN
    assert seen.headers["x-amz-meta-owner"] == "me"
    assert "if-none-match" not in seen.headers
    assert not [name for name in seen.headers if "encryption" in name.lower()]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"encryption": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        ({"encryption": "aws:kms"}, {"x-amz-server-side-encryption": "aws:kms"}),
        (
            {"encryption": "aws:kms", "kms_key": "arn:aws:kms:eu-west-1:1:key/2"},
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:1:key/2",
            },
        ),
    ],
    ids=["s3", "aws's key", "own key"],
)
async def test_encryption_is_asked_for(settings, sent):
    """As the setting says, and then of each object."""
    with answering(stored(), stored()) as server:
        blobs = store(server, **settings)
        await blobs.put("cat", b"1")
        await blobs.put("dog", b"2", if_absent=True)
        await blobs.close()
    for seen in server.seen:
        headers = {
            name.lower(): value for name, value in seen.headers.items() if "encryption" in name.lower()
        }
        assert headers == sent


async def test_the_environment_means_nothing_to_the_store(monkeypatch):
    """Neither its keys nor its endpoint nor its encryption get among those that were given."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAELSEWHERE0000000",
        "AWS_SECRET_ACCESS_KEY": "another",
        "AWS_SESSION_TOKEN": "another-token",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_SKIP_SIGNATURE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with answering(stored(), page()) as server:
        blobs = store(server, session=session(token=None))
        await blobs.put("cat", b"1")
        assert await listed(blobs) == {}
        await blobs.close()
    for seen in server.seen:
        assert f"Credential={ACCESS_KEY}/" in seen.headers["authorization"]
        assert "x-amz-security-token" not in seen.headers


async def test_credentials_are_renewed_while_it_works():
    """What runs out in a minute is replaced, and the next requests are signed with the new ones."""
    machine = Machine(1_800, 60, 3_600)
    given = machine.in_session()
    with answering(stored(), stored(), page()) as server:
        blobs = store(server, session=given)
        await blobs.put("cat", b"1")
        given.get_credentials()._expiry_time = given.get_credentials()._time_fetcher()  # time passes
        await blobs.put("dog", b"2")
        await listed(blobs)
        await blobs.close()
    assert [seen.headers["x-amz-security-token"] for seen in server.seen] == ["token-1", "token-2", "token-3"]


async def test_a_conflict_is_tried_again():
    """409 is what a racing writer or remover causes; the put goes on until S3 knows who won."""
    with answering(
        fault(409, "ConditionalRequestConflict"), fault(409, "OperationAborted"), stored()
    ) as server:
        blobs = store(server)
        assert await blobs.put("cat", b"1", if_absent=True)
        await blobs.close()
    assert [seen.headers["if-none-match"] for seen in server.seen] == ["*"] * 3


async def test_a_plain_refusal_needs_no_second_look():
    """412 to a first attempt means that somebody else was there; nothing more is asked."""
    with answering(fault(412, "PreconditionFailed")) as server:
        blobs = store(server)
        assert not await blobs.put("cat", b"1", if_absent=True)
        await blobs.close()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "broken", [hang_up, fault(500, "InternalError"), reply(503)], ids=["reset", "500", "503"]
)
@pytest.mark.parametrize("mine", [True, False], ids=["mine", "another's"])
async def test_a_refusal_after_a_lost_answer_is_looked_into(broken, mine):
    """412 after an attempt that broke off: the object's nonce says whether that attempt made it."""

    def look(handler):
        nonce = server.seen[0].headers["x-amz-meta-put"]
        first_byte(1, x_amz_meta_put=nonce if mine else "another")(handler)

    with answering(broken, fault(412, "PreconditionFailed"), look) as server:
        blobs = store(server)
        assert await blobs.put("cat", b"1", if_absent=True) is mine
        await blobs.close()
    assert server.seen[0].headers["x-amz-meta-put"] == server.seen[1].headers["x-amz-meta-put"]


async def test_a_refused_object_that_is_gone_is_put_again():
    """412, and then nothing there: the key was freed, so the put may still win."""
    absent = fault(404, "NoSuchKey")
    with answering(hang_up, fault(412, "PreconditionFailed"), absent, stored()) as server:
        blobs = store(server)
        assert await blobs.put("cat", b"1", if_absent=True)
        await blobs.close()
    assert [seen.method for seen in server.seen] == ["PUT", "PUT", "GET", "PUT"]


def flood(handler):
    """Announce a gigabyte, and send until nobody listens."""
    handler.send_response(200)
    for name, value in {"ETag": '"0"', "Last-Modified": "Wed, 12 Oct 2022 17:50:00 GMT"}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    handler.close_connection = True
    try:
        for _ in range(10_000):
            handler.wfile.write(bytes(100_000))
            handler.server.flooded += 100_000
    except OSError:
        pass


async def test_a_large_object_is_not_read():
    """More than `max_bytes` is refused by its announced length; what is on the way stops there."""
    with answering(flood) as server:
        server.flooded = 0
        blobs = store(server)
        with pytest.raises(ImageTooLarge, match="1000000000 bytes; 1000000 are the most"):
            await blobs.get("cat")
        await blobs.close()
    assert server.flooded < 50_000_000


async def test_an_object_at_the_limit_is_read():
    """`max_bytes` itself is allowed."""
    with answering(found(bytes(1_000_000), x_amz_meta_owner="me")) as server:
        blobs = store(server)
        blob = await blobs.get("cat")
        await blobs.close()
    assert (blob.data, blob.info.metadata) == (bytes(1_000_000), {"owner": "me"})


async def test_a_list_goes_on_where_the_page_ended():
    """Each page is asked for with the token of the one before, and a page that breaks is asked for again."""
    with answering(page("x/a", token="next+/="), hang_up, fault(503, "SlowDown"), page("x/b")) as server:
        blobs = store(server)
        assert list(await listed(blobs, "x/")) == ["x/a", "x/b"]
        await blobs.close()
    assert [seen.query.get("continuation-token") for seen in server.seen] == [None, *["next+/="] * 3]


async def test_a_list_is_lazy():
    """A page is asked for when somebody comes to it."""
    with answering(page("a", "b", token="more")) as server:
        blobs = store(server)
        infos = blobs.list()
        assert [(await anext(infos)).key, (await anext(infos)).key] == ["a", "b"]
        await infos.aclose()
        await blobs.close()
    assert [seen.query["delimiter"] for seen in server.seen] == ["/"]


async def test_a_list_passes_over_what_is_not_ours():
    """Folder markers, keys of other forms and keys that XML cannot have are somebody else's."""
    others = ("folder/", "a%2F%2Fb", "a//b", "/a", "./a", "a%20b", "a+b", "%C3%A9", "%01", "~new", "a" * 300)
    with answering(page("a", *others, "b"), page("x/", "x/a", "x//b", "x/c")) as server:
        blobs = store(server)
        assert list(await listed(blobs)) == ["a", "b"]
        assert list(await listed(blobs, "x/")) == ["x/a", "x/c"]
        await blobs.close()


async def test_an_error_in_a_list_that_began_well_is_tried_again():
    """S3 may say 200 and then, in the body, that it failed."""
    with answering(fault(200, "InternalError"), reply(200, b"<ListBucketResult><Cont"), page("a")) as server:
        blobs = store(server)
        assert list(await listed(blobs)) == ["a"]
        await blobs.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (fault(404, "NoSuchBucket"), "NoSuchBucket; there is no such bucket"),
        (fault(403, "AccessDenied"), "AccessDenied; s3:{action} is denied"),
        (
            fault(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"),
            "AuthorizationHeaderMalformed; the bucket is in eu-central-1",
        ),
        (fault(301, "PermanentRedirect"), "PermanentRedirect; the bucket is in another region"),
        (fault(400, "ExpiredToken"), "ExpiredToken"),
        (fault(403, "RequestTimeTooSkewed"), "RequestTimeTooSkewed"),
        (fault(403, "InvalidAccessKeyId"), "InvalidAccessKeyId"),
        (fault(400, "KMS.DisabledException"), "KMS.DisabledException"),
        (reply(418), "418 I'm a Teapot"),
    ],
    ids=["bucket", "denied", "region", "redirect", "expired", "clock", "key", "kms", "unknown"],
)
@pytest.mark.parametrize("operation", ["put", "put_if_absent", "get", "head", "delete", "list"])
async def test_what_stays_wrong_is_said_at_once(operation, answer, said):
    """A refusal becomes one line with bucket, operation and AWS's code, after one request."""
    name, action, call = {
        "put": ("PutObject", "PutObject", lambda blobs: blobs.put("cat", b"1")),
        "put_if_absent": ("PutObject", "PutObject", lambda blobs: blobs.put("cat", b"1", if_absent=True)),
        "get": ("GetObject", "GetObject", lambda blobs: blobs.get("cat")),
        "head": ("GetObject", "GetObject", lambda blobs: blobs.head("cat")),
        "delete": ("DeleteObject", "DeleteObject", lambda blobs: blobs.delete("cat")),
        "list": ("ListObjectsV2", "ListBucket", listed),
    }[operation]
    with answering(answer) as server:
        blobs = store(server)
        with pytest.raises(BackendUnavailable) as error:
            await call(blobs)
        await blobs.close()
    assert str(error.value).startswith(f"S3: {name} on pictures: {said.format(action=action)}")
    if action == "GetObject" and "is denied" in said:
        assert str(error.value).endswith("or the object is absent and s3:ListBucket is denied")


def revealing(handler):
    """What S3 answers a wrong signature: all that was signed."""
    headers = "".join(f"{name}:{value}\n" for name, value in handler.server.seen[-1].headers.items())
    fault(
        403,
        "SignatureDoesNotMatch",
        f"<AWSAccessKeyId>{ACCESS_KEY}</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256</StringToSign>"
        f"<CanonicalRequest>{handler.command}\n{headers}</CanonicalRequest>",
    )(handler)


@pytest.mark.parametrize("operation", ["put", "get", "head", "delete", "list"])
async def test_no_secret_is_ever_in_an_error(operation):
    """Neither the line nor the traceback has a key, a token, a signature, or anything else that was signed."""
    call = {
        "put": lambda blobs: blobs.put("cat", b"1", if_absent=True),
        "get": lambda blobs: blobs.get("cat"),
        "head": lambda blobs: blobs.head("cat"),
        "delete": lambda blobs: blobs.delete("cat"),
        "list": listed,
    }[operation]
    with answering(revealing) as server:
        blobs = store(server)
        with pytest.raises(BackendUnavailable, match="SignatureDoesNotMatch") as error:
            await call(blobs)
        await blobs.close()
    assert TOKEN in server.seen[0].headers["x-amz-security-token"], "there was nothing to reveal"
    shown = "".join(traceback.format_exception(error.value)) + repr(error.value.__cause__)
    for secret in (ACCESS_KEY, SECRET_KEY, TOKEN, "Signature=", "Credential=", "StringToSign"):
        assert secret not in shown


@pytest.mark.parametrize("operation", ["get", "list"])
async def test_a_bucket_has_a_host_of_its_own_on_aws(operation, monkeypatch):
    """Without an endpoint the way leads to the bucket's own host in its region."""
    with answering() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setattr("iraas.blobs.s3_attempts.TOTAL_SECONDS", 0.2)
        blobs = store(proxy, endpoint="")
        with pytest.raises(BackendUnavailable):
            await (blobs.get("cat") if operation == "get" else listed(blobs))
        await blobs.close()
    assert proxy.places == {"pictures.s3.eu-west-1.amazonaws.com:443"}


async def test_an_encryption_that_cannot_be_is_said():
    """It is a matter of configuration, and named."""
    with answering() as server:
        blobs = store(server, encryption="rot13")
        with pytest.raises(ConfigurationError, match="the encryption 'rot13'"):
            await blobs.get("cat")
        await blobs.close()


@pytest.mark.parametrize("encryption", ["", "AES256"])
def test_a_key_without_its_encryption_is_said(encryption):
    """A key that would be passed over in silence is refused."""
    with answering() as server, pytest.raises(ConfigurationError, match="aws:kms alone"):
        store(server, encryption=encryption, kms_key="arn:aws:kms:eu-west-1:1:key/2")


async def test_authorities_that_cannot_be_read_are_said(monkeypatch, tmp_path):
    """A wrong AWS_CA_BUNDLE is named."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with (
        answering() as server,
        pytest.raises(ConfigurationError, match=r"AWS_CA_BUNDLE.*none\.pem: No such file"),
    ):
        store(server)
