"""A resource of a stack, ministack's APIs -> the properties that can be seen there, under CloudFormation's names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from tests.doubles.ministack import Ministack

ONCE = Config(retries={"total_max_attempts": 1})

Properties = dict[str, Any]
Ask = Callable[..., Any]


class Account:
    """What an account's APIs say of the resources of one stack."""

    def __init__(self, ministack: Ministack) -> None:
        self._ministack = ministack
        self._clients: dict[str, Any] = {}

    def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """An answer; nothing where there is none, or none that can be read."""
        try:
            return getattr(self.client(service), operation)(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError):
            return {}

    def client(self, service: str) -> Any:
        """botocore's, kept."""
        if service not in self._clients:
            self._clients[service] = self._ministack.session().create_client(
                service, region_name=Ministack.region, endpoint_url=self._ministack.endpoint, config=ONCE
            )
        return self._clients[service]

    def close(self) -> None:
        """Let go of all connections."""
        for client in self._clients.values():
            client.close()

    def seen(self, kind: str, physical_id: str, wanted: Properties) -> Properties:
        """What there is of a resource."""
        return _READERS[kind](self.ask, physical_id, wanted)


def _queue(ask: Ask, url: str, _: Properties) -> Properties:
    found = ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {**found, "QueueName": found["QueueArn"].rpartition(":")[2]}


def _queue_policy(ask: Ask, _: str, wanted: Properties) -> Properties:
    [url] = wanted["Queues"]
    found = ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    return {"Queues": [url], "PolicyDocument": found.get("Policy")}


def _bucket(ask: Ask, name: str, _: Properties) -> Properties:
    def of(operation: str, key: str) -> Any:
        return ask("s3", f"get_{operation}", Bucket=name).get(key)

    encryption = of("bucket_encryption", "ServerSideEncryptionConfiguration") or {"Rules": []}
    return {
        "BucketName": name if ask("s3", "head_bucket", Bucket=name) else None,
        "PublicAccessBlockConfiguration": of("public_access_block", "PublicAccessBlockConfiguration"),
        "OwnershipControls": of("bucket_ownership_controls", "OwnershipControls"),
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
                for rule in encryption["Rules"]
            ]
        },
        "LifecycleConfiguration": {"Rules": of("bucket_lifecycle_configuration", "Rules")},
    }


def _bucket_policy(ask: Ask, _: str, wanted: Properties) -> Properties:
    found = ask("s3", "get_bucket_policy", Bucket=wanted["Bucket"])
    return {"Bucket": wanted["Bucket"], "PolicyDocument": found.get("Policy")}


def _role(ask: Ask, name: str, wanted: Properties) -> Properties:
    found = ask("iam", "get_role", RoleName=name).get("Role", {})
    attached = ask("iam", "list_attached_role_policies", RoleName=name).get("AttachedPolicies", [])
    return {
        "AssumeRolePolicyDocument": found.get("AssumeRolePolicyDocument"),
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "Policies": [
            ask("iam", "get_role_policy", RoleName=name, PolicyName=policy["PolicyName"])
            for policy in wanted["Policies"]
        ],
    }


def _profile(ask: Ask, arn: str, _: Properties) -> Properties:
    name = arn.rpartition("/")[2]
    found = ask("iam", "get_instance_profile", InstanceProfileName=name).get("InstanceProfile", {"Roles": []})
    return {"Roles": [role["RoleName"] for role in found["Roles"]]}


def _secret(ask: Ask, name: str, _: Properties) -> Properties:
    return {
        **ask("secretsmanager", "describe_secret", SecretId=name),
        "SecretString": ask("secretsmanager", "get_secret_value", SecretId=name)["SecretString"],
    }


def _security_group(ask: Ask, group: str, _: Properties) -> Properties:
    [found] = ask("ec2", "describe_security_groups", GroupIds=[group])["SecurityGroups"]

    def rules(key: str) -> list[Properties]:
        return [
            {**rule, "CidrIp": address["CidrIp"], "Description": address.get("Description")}
            for rule in found[key]
            for address in rule["IpRanges"]
        ]

    return {
        "GroupDescription": found["Description"],
        "VpcId": found["VpcId"],
        "SecurityGroupIngress": rules("IpPermissions"),
        "SecurityGroupEgress": rules("IpPermissionsEgress"),
    }


def _endpoint(ask: Ask, endpoint: str, _: Properties) -> Properties:
    [found] = ask("ec2", "describe_vpc_endpoints", VpcEndpointIds=[endpoint])["VpcEndpoints"]
    return dict(found)


def _balancer(ask: Ask, arn: str, _: Properties) -> Properties:
    [found] = ask("elbv2", "describe_load_balancers", LoadBalancerArns=[arn])["LoadBalancers"]
    attributes = ask("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn)["Attributes"]
    subnets = [zone["SubnetId"] for zone in found["AvailabilityZones"]]
    return {**found, "Subnets": subnets, "LoadBalancerAttributes": attributes}


def _targets(ask: Ask, arn: str, _: Properties) -> Properties:
    [found] = ask("elbv2", "describe_target_groups", TargetGroupArns=[arn])["TargetGroups"]
    attributes = ask("elbv2", "describe_target_group_attributes", TargetGroupArn=arn)["Attributes"]
    return {**found, "TargetGroupAttributes": attributes}


def _listener(ask: Ask, arn: str, _: Properties) -> Properties:
    [found] = ask("elbv2", "describe_listeners", ListenerArns=[arn])["Listeners"]
    return dict(found)


def _launch_template(ask: Ask, template: str, _: Properties) -> Properties:
    asked = {"LaunchTemplateId": template, "Versions": ["$Latest"]}
    [found] = ask("ec2", "describe_launch_template_versions", **asked)["LaunchTemplateVersions"]
    return dict(found["LaunchTemplateData"])


def _group(ask: Ask, name: str, _: Properties) -> Properties:
    asked = {"AutoScalingGroupNames": [name]}
    [found] = ask("autoscaling", "describe_auto_scaling_groups", **asked)["AutoScalingGroups"]
    return {**found, "VPCZoneIdentifier": found["VPCZoneIdentifier"].split(",")}


def _hook(ask: Ask, _: str, wanted: Properties) -> Properties:
    asked = {"AutoScalingGroupName": wanted["AutoScalingGroupName"]}
    [found] = ask("autoscaling", "describe_lifecycle_hooks", **asked)["LifecycleHooks"]
    return dict(found)


def _policy(ask: Ask, arn: str, wanted: Properties) -> Properties:
    asked = {"AutoScalingGroupName": wanted["AutoScalingGroupName"]}
    found = ask("autoscaling", "describe_policies", **asked)["ScalingPolicies"]
    [mine] = [policy for policy in found if policy["PolicyARN"] == arn]
    return dict(mine)


def _alarm(ask: Ask, name: str, _: Properties) -> Properties:
    [found] = ask("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def _log_group(ask: Ask, name: str, _: Properties) -> Properties:
    [found] = ask("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    return {key[0].upper() + key[1:]: value for key, value in found.items()}


def _dashboard(ask: Ask, name: str, _: Properties) -> Properties:
    found = ask("cloudwatch", "get_dashboard", DashboardName=name)
    return {"DashboardName": name, "DashboardBody": found.get("DashboardBody")}


_READERS: dict[str, Callable[[Ask, str, Properties], Properties]] = {
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::IAM::Role": _role,
    "AWS::IAM::InstanceProfile": _profile,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _targets,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::EC2::LaunchTemplate": _launch_template,
    "AWS::AutoScaling::AutoScalingGroup": _group,
    "AWS::AutoScaling::LifecycleHook": _hook,
    "AWS::AutoScaling::ScalingPolicy": _policy,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CloudWatch::Dashboard": _dashboard,
}


def fits(wanted: Any, seen: Any) -> bool:
    """Whether what was asked for is there; what an API adds to it does not count."""
    if isinstance(wanted, dict):
        seen = json.loads(seen) if isinstance(seen, str) else seen
        return isinstance(seen, dict) and all(fits(value, seen.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(seen, list)
            and len(wanted) == len(seen)
            and all(fits(one, other) for one, other in zip(wanted, seen, strict=True))
        )
    if isinstance(wanted, int | float) and not isinstance(wanted, bool) and seen is not None:
        return float(wanted) == float(seen)
    return str(wanted).lower() == str(seen).lower()
