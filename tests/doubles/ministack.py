"""A stand-in for AWS in breadth, CloudFormation above all: ministack, a process on a free port of 127.0.0.1.

Run as `python -m tests.doubles.ministack`, it says its port on standard output, and ends when standard input does.
It drops properties in silence: a stack that it calls complete proves little. It knows nothing of where EC2 offers which
instance types; here, everywhere all that are asked for.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import threading

from tests.doubles.program import REGION, SqsProgram

ACCOUNT = "000000000000"


class Ministack(SqsProgram):
    """The server, while the `with` block runs. All lives in its memory."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tests.doubles.ministack"], quiet=True)


def serve() -> None:
    """Serve until standard input ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    os.environ |= {  # read when it is imported
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",  # two doors that nobody here needs; else on fixed ports
        "SFTP_ENABLED": "0",
    }
    with tempfile.TemporaryDirectory(prefix="ministack-") as folder:
        os.chdir(folder)
        from hypercorn.asyncio import serve as serve_app
        from hypercorn.config import Config
        from ministack.app import app
        from ministack.services import ec2

        ec2._ACTION_MAP["DescribeInstanceTypeOfferings"] = _offerings
        config = Config()
        config.bind = [f"fd://{listening.fileno()}"]  # never the interfaces that its own command takes
        config.loglevel = "WARNING"
        threading.Thread(target=_end_with_input, daemon=True).start()
        print(port, flush=True)  # noqa: T201 - whoever started this reads it
        asyncio.run(serve_app(app, config))


def _offerings(asked: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
    """Every type that a filter names, in the region or in each of its zones."""
    by_zone = asked["LocationType"] == ["availability-zone"]
    places = [f"{REGION}{letter}" for letter in "abc"] if by_zone else [REGION]
    kinds = [value for name, [value] in asked.items() if name.startswith("Filter.1.Value")]
    items = "".join(
        f"<item><instanceType>{kind}</instanceType><location>{place}</location></item>"
        for place in places
        for kind in kinds
    )
    answer = (
        f"<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
    )
    return (
        200,
        {"Content-Type": "application/xml"},
        f"{answer}</DescribeInstanceTypeOfferingsResponse>".encode(),
    )


def _end_with_input() -> None:
    sys.stdin.read()  # whoever started this is gone, however it ended
    os._exit(0)


if __name__ == "__main__":
    serve()
