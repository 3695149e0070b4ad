"""One instance's state -> the instance metadata service, version 2, at 169.254.169.254 inside of it.

As the AWS pages "Use the Instance Metadata Service to access instance metadata" and "Instance metadata categories"
say it. Version 1 is off, as in our launch template: a request without a token gets 401.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.doubles.program import KEYS, REGION

Tree = Mapping[str, "Tree | str"]  # a category with its children, or a value

# What AWS lists, as far as cloud-init asks for it; all give the same here.
VERSIONS = ("2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest")
TOKEN_HEADER = "X-aws-ec2-metadata-token"
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
MOST_TOKEN_SECONDS = 21_600  # six hours
CREDENTIALS_LAST = timedelta(hours=6)
ADDRESS = "169.254.169.254"


@dataclass(kw_only=True)
class InstanceMetadata:
    """What one instance may know of itself. Attributes may be set at any time; the next request sees them.

    `target_lifecycle_state` is what Auto Scaling is moving it to ("InService", "Terminated"; None: it is in no
    group); `spot_action` and `rebalance` are ISO times of a spot interruption and of a rebalance recommendation.
    """

    instance_id: str
    region: str = REGION
    zone: str = f"{REGION}a"
    role: str = "iraas-app"
    credentials: tuple[str, str] = KEYS
    user_data: str = ""
    target_lifecycle_state: str | None = "InService"
    spot_action: str | None = None
    rebalance: str | None = None
    instance_type: str = "c7i.large"
    image: str = "ami-00000000000000000"
    account: str = "000000000000"
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)  # seconds: tokens end by it
    _tokens: dict[str, float] = field(default_factory=dict, repr=False)  # when each ends

    async def serve(self, listening: socket.socket) -> asyncio.AbstractServer:
        """Serve at a socket that listens already, in whatever network."""
        handler = web.Server(self._answer, access_log=None)
        return await asyncio.get_running_loop().create_server(handler, sock=listening)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        response = self._token(request) if request.path == "/latest/api/token" else self._get(request)
        response.force_close()  # as AWS does; and nothing is left open when the instance ends
        return response

    def _token(self, request: web.BaseRequest) -> web.Response:
        """AWS page "Use the Instance Metadata Service ...": PUT, the header with a TTL of 1 to 21,600 seconds."""
        if request.method != "PUT":
            return _error(405)
        if "X-Forwarded-For" in request.headers:  # from behind a proxy, so perhaps from elsewhere
            return _error(403)
        asked = request.headers.get(TTL_HEADER, "")
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked) <= MOST_TOKEN_SECONDS):
            return _error(400)
        token = secrets.token_urlsafe(40)
        self._tokens[token] = self.clock() + int(asked)
        return web.Response(text=token, headers={TTL_HEADER: asked})

    def _get(self, request: web.BaseRequest) -> web.Response:
        if request.method not in {"GET", "HEAD"}:
            return _error(405)
        if self._tokens.get(request.headers.get(TOKEN_HEADER, ""), 0.0) <= self.clock():
            return _error(401)
        found: Tree | str | None = dict.fromkeys(VERSIONS, self.tree())
        parts = [part for part in request.path.split("/") if part]
        for part in parts:
            found = None if found is None or isinstance(found, str) else found.get(part)
        if found is None:
            return _error(404)
        if isinstance(found, str):
            return web.Response(text=found)
        return web.Response(text=_listing(found, slashes=len(parts) > 1))

    def tree(self) -> Tree:
        """Everything below a version. What is not there now gives 404, as with AWS."""
        data: dict[str, Tree | str] = {"meta-data": self._meta_data(), "dynamic": self._dynamic()}
        if self.user_data:
            data["user-data"] = self.user_data
        return data

    def _meta_data(self) -> Tree:
        name = f"{self.instance_id}.ec2.internal"
        data: dict[str, Tree | str] = {
            "ami-id": self.image,
            "ami-launch-index": "0",
            "hostname": name,
            "instance-action": "none",
            "instance-id": self.instance_id,
            "instance-life-cycle": "on-demand" if self.spot_action is None else "spot",
            "instance-type": self.instance_type,
            "local-hostname": name,
            "local-ipv4": "127.0.0.1",
            "mac": self._mac(),
            "iam": self._iam(),
            "network": self._network(),
            "placement": {"availability-zone": self.zone, "region": self.region},
            "reservation-id": f"r-{self.instance_id.removeprefix('i-')}",
            "services": {"domain": "amazonaws.com", "partition": "aws"},
        }
        if self.target_lifecycle_state is not None:
            data["autoscaling"] = {"target-lifecycle-state": self.target_lifecycle_state}
        if self.spot_action is not None:  # page "Spot Instance interruption notices"
            action = json.dumps({"action": "terminate", "time": self.spot_action})
            data["spot"] = {"instance-action": action, "termination-time": self.spot_action}
        if self.rebalance is not None:  # page "EC2 instance rebalance recommendations"
            notice = json.dumps({"noticeTime": self.rebalance})
            data["events"] = {"recommendations": {"rebalance": notice}}
        return data

    def _iam(self) -> Tree:
        """Page "Use instance profiles": the role's keys, which the SDK renews before they end."""
        now = datetime.now(UTC)
        arn = f"arn:aws:iam::{self.account}:instance-profile/{self.role}"
        said = {"Code": "Success", "LastUpdated": _time(now)}
        info = said | {"InstanceProfileArn": arn, "InstanceProfileId": "AIPA0000000000000EXAMPLE"}
        keys = said | {
            "Type": "AWS-HMAC",
            "AccessKeyId": self.credentials[0],
            "SecretAccessKey": self.credentials[1],
            "Token": "",  # AWS's has one; the stand-ins know none, and refuse what they do not know
            "Expiration": _time(now + CREDENTIALS_LAST),
        }
        return {"info": json.dumps(info), "security-credentials": {self.role: json.dumps(keys)}}

    def _network(self) -> Tree:
        interface = {
            "device-number": "0",
            "interface-id": f"eni-{self.instance_id.removeprefix('i-')}",
            "local-hostname": f"{self.instance_id}.ec2.internal",
            "local-ipv4s": "127.0.0.1",
            "mac": self._mac(),
            "owner-id": self.account,
            "subnet-id": "subnet-00000000",
            "vpc-id": "vpc-00000000",
        }
        return {"interfaces": {"macs": {self._mac(): interface}}}

    def _dynamic(self) -> Tree:
        """Page "Instance identity documents"; without the signatures, since nobody here has AWS's key."""
        document = {
            "accountId": self.account,
            "architecture": "x86_64",
            "availabilityZone": self.zone,
            "imageId": self.image,
            "instanceId": self.instance_id,
            "instanceType": self.instance_type,
            "privateIp": "127.0.0.1",
            "region": self.region,
            "version": "2017-09-30",
        }
        return {"instance-identity": {"document": json.dumps(document)}}

    def _mac(self) -> str:
        digits = self.instance_id.removeprefix("i-").rjust(10, "0")[-10:]
        return ":".join(["0a", *(digits[at : at + 2] for at in range(0, 10, 2))])


def _listing(tree: Tree, *, slashes: bool) -> str:
    """What has children ends with a slash, but not among the versions and what each has."""
    return "\n".join(
        name if isinstance(child, str) or not slashes else f"{name}/" for name, child in tree.items()
    )


def _error(status: int) -> web.Response:
    return web.Response(status=status, text=f"{status}\n")


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
