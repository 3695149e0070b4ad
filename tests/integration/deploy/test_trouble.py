"""What goes wrong on the way: the line says what, and the next call goes on from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.deploy.cloud import Cloud, account, key_in

from iraas.testing.proxy import Proxy


def broken(text: str) -> str:
    """A template that the stand-in refuses to make: one resource of a kind that is none."""
    template = json.loads(text)
    template["Resources"]["Broken"] = {"Type": "AWS::Nothing::AtAll", "DependsOn": "ArtifactsBucket"}
    return json.dumps(template)


def test_a_stack_that_failed_is_told_by_its_cause_and_made_anew(cloud, monkeypatch):
    """ROLLBACK_COMPLETE: the cause is named; without the mistake the next call makes it, with the earlier flags."""
    from iraas.deploy import deployment

    good = deployment.service_template
    with monkeypatch.context() as patch:
        patch.setattr(deployment, "service_template", lambda *plans: broken(good(*plans)))
        said = cloud.deploy("--http", "--max", "4")
    assert said.code == 1
    assert "is ROLLBACK_COMPLETE: Broken (AWS::Nothing::AtAll) CREATE_FAILED" in said.err

    said = cloud.deploy()
    assert said.code == 0, said.err
    assert "can only be deleted" in said.err
    assert key_in(said)
    assert (cloud.stack()["StackStatus"], cloud.parameters()["AppMax"]) == ("CREATE_COMPLETE", "4")


def test_a_template_that_is_refused_leaves_nothing_half_made(cloud, monkeypatch):
    """CloudFormation's own words; no stack is left in review."""
    from iraas.deploy import deployment

    monkeypatch.setattr(deployment, "body", lambda _text: "Resources: {A: {Type: [}")
    said = cloud.deploy("--http")
    assert said.code == 1
    assert "Template" in said.err
    monkeypatch.undo()


def test_a_network_lost_in_the_middle_ends_in_a_line_and_the_next_call_goes_on(
    ministack, tmp_path, monkeypatch
):
    """The connection goes when the changes have begun: AWS makes the stack, and the next call finds it."""
    monkeypatch.setattr("iraas.deploy.events.LOST_SECONDS", 0.0)
    monkeypatch.setattr("iraas.deploy.account.ATTEMPTS", 1)
    with Proxy(ministack.endpoint) as proxy, account(ministack, tmp_path, proxy.endpoint) as cloud:
        _cut_after_execute(proxy, monkeypatch)
        said = cloud.deploy("--http")
        assert said.code == 1
        assert "AWS cannot be reached" in said.err
        assert "run the command again" in said.err
        key = key_in(said)
        assert key  # it was shown before the network went

        proxy.mend()
        again = cloud.deploy()
        assert again.code == 0, again.err
        assert key_in(again) == ""
        assert cloud.stack()["StackStatus"] == "CREATE_COMPLETE"
        outputs = {one["OutputKey"]: one["OutputValue"] for one in cloud.stack()["Outputs"]}
        assert cloud.ask("s3", "list_objects_v2", Bucket=outputs["ArtifactsBucket"])["KeyCount"] == 1
        assert cloud.iraas("destroy", "photos", "--yes").code == 0


def _cut_after_execute(proxy: Proxy, patch: pytest.MonkeyPatch) -> None:
    from iraas.deploy import rollout

    execute = rollout.execute

    def then_cut(*words: object) -> None:
        execute(*words)  # type: ignore[arg-type]
        proxy.cut()
        patch.setattr(rollout, "execute", execute)

    patch.setattr(rollout, "execute", then_cut)


def test_ctrl_c_says_that_aws_goes_on(cloud, monkeypatch):
    """Exit code 130; in JSON the key is not lost, and the next call finds the stack."""
    from iraas.cli.deploy_watch import DeployWatch

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DeployWatch, "happened", pressed)
        said = cloud.deploy("--http", "--json")
    assert said.code == 130
    assert "AWS goes on; `iraas deploy photos` follows it" in said.err
    assert json.loads(said.out)["api_key"].startswith("iraas_")
    assert cloud.deploy().code == 0


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials were found"),
        ({"AWS_REGION": None}, "no AWS region is known: say --region, or set AWS_REGION"),
        ({"AWS_PROFILE": "nobody"}, "there is no such AWS profile"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS cannot be reached"),
    ],
)
@pytest.mark.parametrize("command", ["deploy", "status", "destroy"])
def test_a_wrong_set_up_is_one_line(command, environment, words, cloud: Cloud, monkeypatch, tmp_path: Path):
    """Each command names it, with the mend; no traceback."""
    monkeypatch.setattr("iraas.deploy.account.ATTEMPTS", 1)
    for name, value in environment.items():
        monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    said = cloud.deploy("--http") if command == "deploy" else cloud.iraas(command, "photos")
    assert said.code == (1 if "reached" in words else 2)
    assert words in said.err
    assert said.err.count("\n") == 1
    monkeypatch.undo()
