"""The plan, the parameters and the settings of a closed loop: everything that is scaled in time, in one place."""

from __future__ import annotations

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

MODEL = "fast"
API_KEY = "a-key-of-the-rig"
MOST_APP, WEB = 4, 2  # instances
TIMES = ("boot", "fast", "slow", "hold", "settle")  # of our policy: seconds that pass as fast as the rig's
VISIBILITY = 12.0  # real seconds: two cores under a dozen processes beat late now and then

# What a process does by its own clock, as fast as the rig's. Inference and long polls stay real.
SETTINGS = {
    "IRAAS_PUBLISH_EVERY": 10 / SCALE,
    "IRAAS_INSTANCE_LOOK_EVERY": 5 / SCALE,
    "IRAAS_INSTANCE_PROTECT_EVERY": 60 / SCALE,
    "IRAAS_VISIBILITY_TIMEOUT": VISIBILITY,
    "IRAAS_HEARTBEAT": VISIBILITY / 3,
    "IRAAS_SQS_WAIT_SECONDS": 1,
    "IRAAS_LOG_FORMAT": "json",
}


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
    release: tuple[str, str] = ("releases/none.tar", "0" * 64),
    most: int = MOST_APP,
) -> Cloud:
    """A stack of the template that ships, with `plan` (the default one where None is given)."""
    key, sha256 = release
    parameters = {
        "Vpc": "vpc-0",
        "Subnets": "subnet-a,subnet-b",
        "AllowHttp": "true",
        "ApiKeys": f"rig:{hashlib.sha256(API_KEY.encode()).hexdigest()}",
        "Release": key,
        "ReleaseSha256": sha256,
        "Model": MODEL,
        "AppMin": "0",
        "AppMax": str(most),
        "WebMin": str(WEB),
        "WebMax": str(WEB),
        "WorkersPerInstance": "1",
    }
    linger = {"IRAAS_INSTANCE_LINGER": 60 / SCALE}
    return Cloud(
        service_template(scaled(plan or default_app_plan())),
        parameters,
        sqs=sqs,
        s3=s3,
        choice=choice,
        settings={name: f"{value}" for name, value in SETTINGS.items()},
        web_settings={name: f"{value}" for name, value in linger.items()},
        stack=f"rig-{secrets.token_hex(3)}",
        image=image,
    )
