"""A queue that cannot be used stops the start with one line that names the thing and the mend."""

import socket

import pytest
from tests.conftest import missing
from tests.doubles.fauxqs import Fauxqs, node
from tests.integration.scripted_server import serving
from tests.integration.sqs_script import SECRET, answer, asked, connected, refuse, session

from iraas.errors import ConfigurationError
from iraas.queues import sqs_connection
from iraas.queues.sqs import SqsConnection, check_queue

NAME = "IRAAS_REQUEST_QUEUE_URL"
URL = "http://127.0.0.1/123456789012/requests"
ALL = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
THERE = answer({"Attributes": {"QueueArn": "arn"}})
INVALID = refuse("InvalidParameterValue")


async def line_of(connection, url=URL, may=()):
    """What the check says."""
    with pytest.raises(ConfigurationError) as caught:
        await check_queue(connection, url, name=NAME, may=may)
    line = str(caught.value)
    assert line.startswith(NAME)
    assert SECRET not in line
    assert "\n" not in line
    return line


async def test_a_queue_that_is_there_passes():
    """On a queue that may be used nothing is said, and nothing is changed."""
    if node() is None:
        missing("fauxqs")
    with Fauxqs() as fauxqs:
        url = fauxqs.create_queue("requests")
        requests = []
        connection = SqsConnection(
            fauxqs.session(), region=fauxqs.region, endpoint=fauxqs.endpoint, on_request=requests.append
        )
        await check_queue(connection, url, name=NAME, may=ALL)
        said = await line_of(connection, url + "-not")
        connection.close()

    assert requests == [
        "GetQueueAttributes",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibilityBatch",
        "GetQueueAttributes",
    ]
    assert said == f"{NAME}: there is no queue {url}-not in us-east-1; make it, or correct the URL"


async def test_asks_with_what_cannot_have_an_effect():
    """Each permission is asked for by a call that SQS must find fault with."""
    with serving(THERE, *[INVALID] * 4) as server, connected(server.url) as connection:
        await check_queue(connection, URL, name=NAME, may=ALL)
        assert [asked(seen) for seen in server.seen[1:]] == [
            ("SendMessageBatch", {"QueueUrl": URL, "Entries": []}),
            ("ReceiveMessage", {"QueueUrl": URL, "MaxNumberOfMessages": 0}),
            ("DeleteMessageBatch", {"QueueUrl": URL, "Entries": []}),
            ("ChangeMessageVisibilityBatch", {"QueueUrl": URL, "Entries": []}),
        ]


@pytest.mark.parametrize(
    "code", ["AccessDenied", "AccessDeniedException", "AWS.SimpleQueueService.AccessDenied"]
)
@pytest.mark.parametrize("action", ALL)
async def test_a_denied_action_is_named(action, code):
    """The line says which action the role lacks, on which queue."""
    with serving(THERE, refuse(code, 403)) as server, connected(server.url) as connection:
        line = await line_of(connection, may=[action])
    assert f"sqs:{action} on requests is denied" in line
    assert "policy" in line


async def test_a_queue_that_may_not_even_be_looked_at():
    """Reading its attributes is the first thing asked."""
    with serving(refuse("AccessDenied", 403)) as server, connected(server.url) as connection:
        assert "sqs:GetQueueAttributes on requests is denied" in await line_of(connection, may=ALL)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", "there is no queue"),
        ("InvalidAddress", "there is no queue"),
        ("ExpiredToken", "credentials have expired (ExpiredToken); renew them"),
        ("RequestExpired", "this machine's clock"),
        ("InvalidClientTokenId", "does not accept these credentials"),
        ("SignatureDoesNotMatch", "does not accept these credentials"),
        ("UnsupportedOperation", "SQS answers UnsupportedOperation"),
    ],
)
async def test_what_is_refused_is_named(code, words):
    """Each of AWS's codes becomes a sentence."""
    with serving(refuse(code, 403)) as server, connected(server.url) as connection:
        assert words in await line_of(connection)


async def test_a_server_in_trouble_is_not_taken_for_permission():
    """A fault of SQS while a permission is asked for says nothing of the permission."""
    trouble = refuse("ServiceUnavailable", 503)
    with serving(THERE, *[trouble] * 3) as server, connected(server.url) as connection:
        assert "SQS answers ServiceUnavailable" in await line_of(connection, may=["SendMessage"])


async def test_an_endpoint_that_is_not_there():
    """The address that was tried is named."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with connected(endpoint) as connection:
        assert f"{endpoint} cannot be reached (EndpointConnectionError)" in await line_of(connection)


async def test_no_credentials(monkeypatch, tmp_path):
    """The line says where the SDK looks for them."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("tests.integration.sqs_script.session", sqs_connection.Session)
    with connected("http://127.0.0.1:1") as connection:
        assert "no AWS credentials were found (NoCredentialsError); set AWS_PROFILE" in await line_of(
            connection
        )


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/123456789012/requests",
        "https://eu-west-1.queue.amazonaws.com/123456789012/requests",
    ],
)
async def test_a_queue_in_another_region_is_noticed_before_anything_is_asked(url):
    """Both regions are named, and the setting that would join them."""
    with connected("http://127.0.0.1:1") as connection:
        line = await line_of(connection, url)
    assert "in eu-west-1" in line
    assert "in us-east-1" in line
    assert "IRAAS_REGION=eu-west-1" in line


@pytest.mark.parametrize(
    "url", ["requests", "arn:aws:sqs:us-east-1:123456789012:requests", "https://sqs/x", URL + "/"]
)
async def test_what_is_no_queue_url(url):
    """A name or an ARN in its place is answered with what a URL looks like."""
    with connected("http://127.0.0.1:1") as connection:
        assert "a queue's URL reads https://sqs.<region>.amazonaws.com/<account>/<queue>" in await line_of(
            connection, url
        )


def test_no_region(monkeypatch, tmp_path):
    """Without a region there is no connection, and the line says what to set."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="no AWS region is known: set IRAAS_REGION"):
        SqsConnection(session(), region="")


@pytest.mark.parametrize(("region", "endpoint"), [("us east", ""), ("us-east-1", "not a url")])
def test_a_region_or_an_endpoint_that_is_none(region, endpoint):
    """Neither ends in a traceback."""
    with pytest.raises(ConfigurationError, match="no client for SQS can be made"):
        SqsConnection(session(), region=region, endpoint=endpoint)
