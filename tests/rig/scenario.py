"""The plan, the parameters and the settings of a closed loop: everything that is scaled in time, in one place."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

import msgspec

from iraas.deploy.template import service_template
from iraas.scaling.plan import Plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.render import default_app_plan
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.cloud import SCALE, Cloud
from tests.rig.machines.choose import Choice
from tests.rig.machines.image import RELEASE, make_image
from tests.rig.photographs import labels

MODEL = "fast"
API_KEY = "a-key-of-the-rig"
RELEASE_KEY = "releases/rig.tar"  # in the artifacts bucket
MOST_APP, WEB = 4, 2  # instances
TIMES = ("boot", "fast", "slow", "hold", "settle")  # of our policy: seconds that pass as fast as the rig's
VISIBILITY = 12.0  # real seconds: two cores under a dozen processes beat late now and then

# What a process does by its own clock, as fast as the rig's. Inference and long polls stay real.
SETTINGS = {
    "IRAAS_PUBLISH_EVERY": 10 / SCALE,
    "IRAAS_INSTANCE_LOOK_EVERY": 5 / SCALE,
    "IRAAS_INSTANCE_DRAIN": 110 / SCALE,  # shorter than the app tier's hook
    "IRAAS_INSTANCE_PROTECT_EVERY": 60 / SCALE,
    "IRAAS_VISIBILITY_TIMEOUT": VISIBILITY,
    "IRAAS_HEARTBEAT": VISIBILITY / 3,
    "IRAAS_SQS_WAIT_SECONDS": 1,
    "IRAAS_LOG_FORMAT": "json",
}


def prepare(choice: Choice) -> None:
    """What takes seconds, done beforehand: the right labels, and the image that booted instances start from."""
    labels(MODEL)
    if choice.kind == "booted":
        asyncio.run(make_image())


def scaled(plan: Plan) -> Plan:
    """A plan whose policy lives as fast as the rig. Alarms need nothing: the rig evaluates them on its own clock."""
    policy = plan.policy
    if isinstance(policy, Staffing):
        policy = msgspec.structs.replace(policy, **{name: getattr(policy, name) / SCALE for name in TIMES})
    return msgspec.structs.replace(plan, policy=policy)


def cloud(
    sqs: Fauxqs,
    s3: Seaweedfs,
    choice: Choice,
    *,
    plan: Plan | None = None,
    image: bool = True,
    logs: str = "",
    most: int = MOST_APP,
    web: int = WEB,
) -> Cloud:
    """A stack of the template that ships, with `plan` (the default one where None is given).

    `logs`: where CloudWatch Logs is played; nowhere if empty. Booted instances have the release already, or with
    `image` false fetch and install it by their user data.
    """
    parameters = {
        "Vpc": "vpc-0",
        "Subnets": "subnet-a,subnet-b",
        "AllowHttp": "true",
        "ApiKeys": f"rig:{hashlib.sha256(API_KEY.encode()).hexdigest()}",
        "Release": RELEASE_KEY,
        "ReleaseSha256": _release(choice),
        "Model": MODEL,
        "AppMin": "0",
        "AppMax": str(most),
        "WebMin": str(web),
        "WebMax": str(web),
        "WorkersPerInstance": "1",
    }
    kept = {} if logs else {"IRAAS_LOG_GROUP": ""}  # else each instance looks for AWS
    linger = {"IRAAS_INSTANCE_LINGER": 60 / SCALE}
    return Cloud(
        service_template(scaled(plan or default_app_plan())),
        parameters,
        sqs=sqs,
        s3=s3,
        choice=choice,
        settings={name: f"{value}" for name, value in SETTINGS.items()} | kept,
        web_settings={name: f"{value}" for name, value in linger.items()},
        logs=logs,
        stack=f"rig-{secrets.token_hex(3)}",
        image=image,
    )


def _release(choice: Choice) -> str:
    """SHA-256 of what booted instances run; the others run the checkout."""
    if choice.kind != "booted":
        return "0" * 64
    with RELEASE.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
