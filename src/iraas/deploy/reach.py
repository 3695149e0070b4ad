"""an address -> whether the service answers there."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from iraas.deploy.account import Account
from iraas.deploy.refusals import in_words
from iraas.errors import IraasError

TRY_SECONDS = 5.0
LOOK_SECONDS = 5.0


def answers(address: str) -> bool:
    """Whether GET /livez at this address is answered with 200 within `TRY_SECONDS`."""
    place = urlsplit(address)
    connection: http.client.HTTPConnection
    if place.scheme == "https":
        # The balancer's own name is not the certificate's, and nothing is sent that anybody may not read.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(place.netloc, timeout=TRY_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(place.netloc, timeout=TRY_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_it_answers(
    address: str,
    on_progress: Callable[[float], object],
    *,
    most: float,
    rest: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Ask until it does, or until `most` seconds are over -> whether it does."""
    began = clock()
    while not answers(address):
        passed = clock() - began
        on_progress(passed)
        if passed >= most:
            return False
        rest(min(LOOK_SECONDS, most - passed))
    return True


def request_place(account: Account, address: str, certificate: str) -> tuple[str, str]:
    """Where clients ask, and what curl must be told until a DNS name leads there.

    The certificate is for a name of the user's, and the balancer has another: curl is told to take one for the other.
    """
    if not certificate:
        return address, ""
    name = "YOUR-NAME"
    try:
        with in_words("looking at the certificate"):
            found = account.client("acm").describe_certificate(CertificateArn=certificate)["Certificate"]
            name = found["DomainName"].replace("*", "iraas", 1)
    except IraasError:
        pass  # who may not ask still gets a line
    return f"https://{name}", f"--connect-to {name}:443:{urlsplit(address).netloc}:443 "
