"""Where a bucket is, and the keys to it."""

import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import CredentialProvider, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError
from botocore.session import Session

from iraas.blobs.s3_fault import NoKeys
from iraas.blobs.s3_place import Keys, place
from iraas.errors import ConfigurationError


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint", "url"),
    [
        ("pictures", "eu-west-1", "", "https://pictures.s3.eu-west-1.amazonaws.com"),
        ("pictures", "cn-north-1", "", "https://pictures.s3.cn-north-1.amazonaws.com.cn"),
        ("pictures.of.cats", "eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/pictures.of.cats"),
        ("pictures", "us-east-1", "http://127.0.0.1:9000/", "http://127.0.0.1:9000/pictures"),
    ],
)
def test_knows_where_a_bucket_is(bucket, region, endpoint, url):
    """AWS's buckets have hosts of their own, in China under another name, unless a certificate would not cover them."""
    assert place(bucket, region, endpoint).url == url


@pytest.mark.parametrize(
    ("bucket", "region", "endpoint"),
    [
        *(
            (name, "eu-west-1", "")
            for name in ("", "ab", "Pictures", "my bucket", "a/b", "../etc", "-cat", "a" * 64)
        ),
        *(("pictures", region, "") for region in ("", "eu west", "eu-west-1.evil.org/", "EU")),
        *(("pictures", "eu-west-1", url) for url in ("host:80", "http://a b", "ftp://host", "https://a/b?c")),
    ],
)
def test_refuses_what_makes_no_url(bucket, region, endpoint):
    """A name, a region or an endpoint that could lead elsewhere, or nowhere, is a matter of configuration."""
    wrong = endpoint or (region if bucket == "pictures" else bucket)
    with pytest.raises(ConfigurationError, match=re.escape(repr(wrong))):
        place(bucket, region, endpoint)


class Machine(CredentialProvider):
    """Credentials as a machine's role has them: for some time."""

    METHOD = "machine"
    CANONICAL_NAME = "machine"

    def __init__(self, *lifetimes):
        super().__init__()
        self.lifetimes = list(lifetimes)  # seconds
        self.given = 0

    def fetch(self):
        """The next ones, or a failure."""
        if not self.lifetimes:
            raise CredentialRetrievalError(provider="machine", error_msg="secret-text")
        until = datetime.now(UTC) + timedelta(seconds=self.lifetimes.pop(0))
        self.given += 1
        number = self.given
        return {
            "access_key": f"key-{number}",
            "secret_key": f"secret-{number}",
            "token": f"token-{number}",
            "expiry_time": until.isoformat(),
        }

    def load(self):
        """What botocore's chain asks for."""
        return RefreshableCredentials.create_from_metadata(
            self.fetch(), refresh_using=self.fetch, method=self.METHOD
        )

    def in_session(self):
        """A session that has nothing else."""
        session = Session()
        session.get_component("credential_provider").providers = [self]
        return session


async def test_credentials_are_asked_for_once():
    """As long as they last, the same ones are used."""
    machine = Machine(3_600, 3_600)
    keys = Keys(machine.in_session())
    assert {(await keys.now()).access_key for _ in range(5)} == {"key-1"}


async def test_credentials_that_run_out_are_renewed():
    """What ends in a minute is replaced before it does."""
    machine = Machine(60, 3_600)
    keys = Keys(machine.in_session())
    assert [(await keys.now())[:3] for _ in range(3)] == [("key-2", "secret-2", "token-2")] * 3


async def test_nothing_found_is_a_fault():
    """Without any credentials there is a fault that says so, and it is no use to try again."""
    session = Session()
    session.get_component("credential_provider").providers = []
    with pytest.raises(NoKeys, match="NoCredentials") as error:
        await Keys(session).now()
    assert not error.value.passing


@pytest.mark.parametrize(
    ("lifetimes", "code"), [((), "CredentialRetrievalError"), ((60,), "CredentialRetrievalError")]
)
async def test_a_failing_source_is_a_fault(lifetimes, code):
    """Where credentials cannot be had, or not be renewed, the fault names the kind of failure and no more."""
    with pytest.raises(NoKeys) as error:
        await Keys(Machine(*lifetimes).in_session()).now()
    assert error.value.code == code
    assert "secret" not in str(error.value)


async def test_what_is_renewed_too_late_is_a_fault():
    """What a source gives in place of expired credentials may have expired itself."""
    with pytest.raises(NoKeys, match="RuntimeError"):
        await Keys(Machine(-5, -5).in_session()).now()


async def test_the_loop_does_not_wait_for_credentials():
    """While the network is asked for them, others have their turn."""
    asked, others = threading.Event(), threading.Event()

    class Slow(Machine):
        """Gives nothing before the others had their turn."""

        def fetch(self):
            """Say that it was asked."""
            asked.set()
            assert others.wait(10), "the loop was blocked"
            return super().fetch()

    finding = asyncio.create_task(Keys(Slow(3_600).in_session()).now())
    await asyncio.to_thread(asked.wait)
    others.set()
    assert (await finding).access_key == "key-1"
