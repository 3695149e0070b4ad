"""From a launch to an answer: an instance boots, cloud-init runs its user data, a worker answers."""

from __future__ import annotations

import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.moto import Moto
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.clients import Clients
from tests.rig.cloud import Cloud
from tests.rig.loop import web_serves, when, write_figures
from tests.rig.machines.choose import Choice
from tests.rig.machines.image import RELEASE
from tests.rig.scenario import RELEASE_KEY, cloud

pytestmark = pytest.mark.timeout(300)
PATIENCE = 120.0  # real seconds; a quiet machine takes a tenth of it


@pytest.fixture(autouse=True)
def booted(choice: Choice) -> None:
    """Only what boots can show this."""
    if choice.kind != "booted":
        pytest.skip(choice.why)


async def boot_to_answer(rig: Cloud) -> float:
    """Real seconds from the launch of the first app instance to the answer of the picture that waits for it."""
    await web_serves(rig)
    clients = Clients(rig.balancer.address, 1)
    await clients.start()
    await when(rig, lambda: bool(rig.app.roster.everyone), what="a launch, by the alarm", within=PATIENCE)
    seconds = await when(rig, lambda: bool(clients.answered), what="an answer", within=PATIENCE)
    await clients.until_all_have_it()
    return seconds


async def test_an_instance_from_the_image_answers(choice: Choice, own_sqs: Fauxqs, s3: Seaweedfs):
    """With the release in its image there is nothing to install: it boots, and answers."""
    async with cloud(own_sqs, s3, choice, web=1) as rig:
        seconds = await boot_to_answer(rig)

        write_figures({"boot_to_answer_s": round(seconds, 1)})
        [first] = rig.app.roster.everyone
        assert "install.sh" not in rig.machines.log(first)


async def test_a_stock_debian_installs_the_release_and_answers(
    choice: Choice, own_sqs: Fauxqs, s3: Seaweedfs
):
    """User data fetches the release with the role's credentials, signed, checks it, installs it, and a worker answers.

    Meanwhile the instances' journals go to CloudWatch Logs, the controller's decisions among them.
    """
    with Moto() as logs:
        client = logs.session().create_client("logs", region_name=logs.region, endpoint_url=logs.endpoint)
        async with cloud(own_sqs, s3, choice, image=False, logs=logs.endpoint, web=1) as rig:
            group = rig.stack.resources["LogGroup"].properties["LogGroupName"]
            client.create_log_group(logGroupName=group)
            s3.put_file(rig.bucket_of["ArtifactsBucket"], RELEASE_KEY, RELEASE)
            seconds = await boot_to_answer(rig)

            write_figures({"user_data_to_answer_s": round(seconds, 1)})

            def decisions() -> list[str]:
                found = client.filter_log_events(logGroupName=group, filterPattern='"scaling.decided"')
                return [event["message"] for event in found["events"]]

            await when(rig, lambda: bool(decisions()), what="a decision in the log group", within=PATIENCE)
        client.close()
