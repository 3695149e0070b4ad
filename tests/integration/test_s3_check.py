"""A bucket is looked at before a process begins: what is wrong is one line with the mend."""

import pytest
from botocore.session import Session
from tests.doubles.program import KEYS
from tests.doubles.seaweedfs import READER, READER_SECRET
from tests.integration.s3_script import TOKEN, answering, fault, store

from iraas.blobs.s3 import S3Blobs, check_bucket
from iraas.errors import ConfigurationError
from iraas.testing.blob_contract import listed

UNKNOWN = "an-unknown-secret"
ALL = ("ListBucket", "PutObject", "GetObject", "DeleteObject")


@pytest.fixture(scope="module")
def server(s3):
    """A server that knows two keys: one may everything, one may read."""
    s3.create_bucket("pictures")
    return s3


@pytest.fixture
def opened(server):
    """Stores over its bucket, as a process of these keys opens them."""
    made = []

    def opened(key="test", secret=KEYS[1], bucket="pictures", endpoint=server.endpoint):
        session = Session()
        session.set_credentials(key, secret)
        made.append(
            S3Blobs(bucket, session=session, region=server.region, endpoint=endpoint, max_bytes=1_000)
        )
        return made[-1]

    return opened


async def checked(blobs, may=ALL):
    """The line that a check ends with."""
    with pytest.raises(ConfigurationError) as error:
        await check_bucket(blobs, name="IRAAS_INPUT_BUCKET", may=may)
    await blobs.close()
    line = str(error.value)
    assert line.startswith("IRAAS_INPUT_BUCKET: ")
    assert "\n" not in line
    assert not {word.strip(",;()") for word in line.split()} & {KEYS[1], READER_SECRET, UNKNOWN, TOKEN}
    return line.removeprefix("IRAAS_INPUT_BUCKET: ")


async def test_a_bucket_that_is_well_passes(opened):
    """All four actions are done, twice over, and no list shows what was left behind."""
    blobs = opened()
    for _ in range(2):
        await check_bucket(blobs, name="IRAAS_INPUT_BUCKET", may=ALL)
    assert await listed(blobs) == {}
    assert [*await listed(blobs, "probes/")] == ["probes/start"]
    await blobs.delete("probes/start")
    await blobs.close()


async def test_only_what_is_asked_for_is_done(opened):
    """Who may only read passes when he need not write, and has written nothing."""
    reader = opened(READER, READER_SECRET)
    await check_bucket(reader, name="IRAAS_INPUT_BUCKET", may=("ListBucket", "GetObject"))
    assert await listed(reader, "probes/") == {}
    await reader.close()


@pytest.mark.parametrize("action", ["PutObject", "DeleteObject"])
async def test_a_denied_action_is_named(opened, action):
    """What the policy lacks is said in its own words."""
    line = await checked(opened(READER, READER_SECRET), (action,))
    assert (
        line
        == f"s3:{action} is denied on pictures (AccessDenied); allow it in the policy of this process's role"
    )


@pytest.mark.parametrize("action", ALL)
async def test_a_missing_bucket_is_named(opened, action):
    """Whatever is tried first."""
    line = await checked(opened(bucket="no-pictures"), (action,))
    assert line == "there is no bucket no-pictures (NoSuchBucket); make it in us-east-1, or correct the name"


@pytest.mark.parametrize(
    ("keys", "code"),
    [(("test", UNKNOWN), "SignatureDoesNotMatch"), (("who?", UNKNOWN), "InvalidAccessKeyId")],
)
async def test_wrong_credentials_are_said(opened, keys, code):
    """A key that nobody knows, and a secret that is not its own."""
    line = await checked(opened(*keys))
    assert line == f"AWS does not accept these credentials ({code}); check key, secret and token"


@pytest.mark.parametrize("action", ["ListBucket", "PutObject"])
async def test_an_endpoint_where_nobody_is_is_said(opened, action, monkeypatch):
    """An address without a server."""
    monkeypatch.setattr("iraas.blobs.s3_attempts.TOTAL_SECONDS", 0.1)
    line = await checked(opened(endpoint="http://127.0.0.1:1"), (action,))
    assert line == (
        "http://127.0.0.1:1 cannot be reached (no connection); check the address, the network and its endpoints"
    )


async def test_no_credentials_are_said(server):
    """A chain that ends without any."""
    session = Session()
    session.get_component("credential_provider").providers = []
    blobs = S3Blobs("pictures", session=session, region="us-east-1", endpoint=server.endpoint, max_bytes=1)
    line = await checked(blobs)
    assert line.startswith("no AWS credentials were found (NoCredentials); set AWS_PROFILE, or ")


async def test_the_right_region_is_the_mend():
    """S3 says where the bucket is, and the line says how to go there."""
    with answering(fault(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1")) as server:
        line = await checked(store(server))
    assert line.endswith("; set AWS_REGION=eu-central-1, or name a bucket in eu-west-1")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            fault(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1"),
            "the bucket pictures is in eu-central-1, and this process works in eu-west-1 (PermanentRedirect)",
        ),
        (
            fault(400, "AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"),
            "the bucket pictures is in us-west-2, and this process works in eu-west-1",
        ),
        (
            fault(400, "ExpiredToken", f"<Token-0>{TOKEN}</Token-0>"),
            "the AWS credentials have expired (ExpiredToken); renew them, and check this machine's clock",
        ),
        (
            fault(403, "RequestTimeTooSkewed"),
            "this machine's clock is wrong by more than AWS allows (RequestTimeTooSkewed); set it",
        ),
        (
            fault(400, "KMS.DisabledException"),
            "S3 answers KMS.DisabledException to ListObjectsV2 on pictures at ",
        ),
    ],
    ids=["redirect", "region", "expired", "clock", "other"],
)
async def test_what_only_aws_says_is_understood(answer, said):
    """Answers that no stand-in gives, as AWS documents them."""
    with answering(answer) as server:
        line = await checked(store(server))
    assert line.startswith(said)
