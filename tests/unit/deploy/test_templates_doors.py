"""Who gets in: security groups, listeners, queue and bucket policies, keys."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from tests.aws_page import PAGE
from tests.stack_template import image, read, service

from iraas.deploy.template import service_template
from iraas.settings import Settings
from iraas.web.server import KEEP_ALIVE_SECONDS

DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}


def attributes(properties: dict[str, Any], key: str) -> dict[str, str]:
    """Of a balancer or its targets."""
    return {item["Key"]: item["Value"] for item in properties[key]}


def test_only_the_balancer_is_reached_from_outside():
    """No other door is open to an address, and the web tier's is open to the balancer alone."""
    stack = service(AllowHttp="true")
    open_doors = {
        (name, rule["FromPort"], rule["ToPort"])
        for name, group in stack.of("AWS::EC2::SecurityGroup").items()
        for rule in group.properties.get("SecurityGroupIngress", [])
        if "CidrIp" in rule or "CidrIpv6" in rule
    }
    assert open_doors == {("BalancerSecurityGroup", 443, 443), ("BalancerSecurityGroup", 80, 80)}
    [own] = stack.of("AWS::EC2::SecurityGroupIngress").values()
    assert own.properties["GroupId"] == "WebSecurityGroup.GroupId"
    assert own.properties["SourceSecurityGroupId"] == "BalancerSecurityGroup.GroupId"
    assert (own.properties["FromPort"], own.properties["ToPort"]) == (DEFAULT["port"], DEFAULT["port"])


def test_every_rule_of_a_security_group_says_what_it_is_for():
    """And none lets everything out."""
    for stack in (service(AllowHttp="true"), image()):
        for group in stack.of("AWS::EC2::SecurityGroup").values():
            ways_out = group.properties["SecurityGroupEgress"]
            assert ways_out
            for rule in [*group.properties.get("SecurityGroupIngress", []), *ways_out]:
                assert rule["Description"]
                assert rule["IpProtocol"] == "tcp"
                assert rule["FromPort"] == rule["ToPort"]
                if "CidrIp" in rule:
                    ipaddress.ip_network(rule["CidrIp"])


def test_plain_http_is_there_only_when_said_so():
    """With a certificate there is HTTPS; HTTP needs AllowHttp, and without either the template refuses."""

    def ports(**parameters: str) -> dict[int, str]:
        listeners = service(**parameters).of("AWS::ElasticLoadBalancingV2::Listener").values()
        return {found.properties["Port"]: found.properties["Protocol"] for found in listeners}

    assert ports() == {443: "HTTPS"}
    assert ports(CertificateArn="", AllowHttp="true") == {80: "HTTP"}
    assert ports(AllowHttp="true") == {443: "HTTPS", 80: "HTTP"}
    assert service().outputs["Address"].startswith("https://")
    assert service(CertificateArn="", AllowHttp="true").outputs["Address"].startswith("http://")
    [rule] = read(service_template())["Rules"]["EncryptedOrSaidSo"]["Assertions"]
    assert rule["Assert"] == {
        "Fn::Or": [
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "CertificateArn"}, ""]}]},
            {"Fn::Equals": [{"Ref": "AllowHttp"}, "true"]},
        ]
    }


def test_https_speaks_nothing_older_than_tls_1_2():
    """The policy that AWS recommends ("Security policies for your Application Load Balancer")."""
    policy = service().resources["HttpsListener"].properties["SslPolicy"]
    assert re.fullmatch(r"ELBSecurityPolicy-TLS13-1-2-Res-PQ-\d{4}-\d{2}", policy)


def test_the_balancer_is_as_the_page_says():
    """Health check, time-outs and delay are those of docs/aws.md, and fit the server's."""
    stack = service()
    balancer = attributes(stack.resources["Balancer"].properties, "LoadBalancerAttributes")
    targets = stack.resources["BalancerTargets"].properties
    page = PAGE.read_text()

    idle = int(balancer["idle_timeout.timeout_seconds"])
    assert f"| idle timeout | {idle} s |" in page
    assert idle < KEEP_ALIVE_SECONDS
    delay = int(attributes(targets, "TargetGroupAttributes")["deregistration_delay.timeout_seconds"])
    assert f"| deregistration delay | {delay} s or more |" in page
    assert f"| health check | `GET {targets['HealthCheckPath']}` |" in page
    assert balancer["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert balancer["routing.http.desync_mitigation_mode"] in ("defensive", "strictest")


def test_queues_and_buckets_take_tls_only():
    """Whoever comes without encryption is refused, whatever he is allowed."""
    stack = service()
    kept = {}
    for policy in stack.of("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy").values():
        [statement] = policy.properties["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Action"] in ("sqs:*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        of = policy.properties["Queues"][0] if "Queues" in policy.properties else policy.properties["Bucket"]
        kept[of] = statement["Resource"]

    assert len(kept) == 5
    for name in stack.of("AWS::S3::Bucket").values():
        bucket = name.properties["BucketName"]
        assert kept[bucket] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    for queue in stack.of("AWS::SQS::Queue").values():
        name = queue.properties["QueueName"]
        assert (
            kept[f"https://sqs.REGION.amazonaws.com/ACCOUNT/{name}"] == f"arn:aws:sqs:REGION:ACCOUNT:{name}"
        )


def test_api_keys_are_in_the_secret_and_nowhere_else():
    """The parameter is not shown, its text is checked, and only the secret has it."""
    document = read(service_template())
    keys = document["Parameters"]["ApiKeys"]
    assert keys["NoEcho"] is True
    assert re.fullmatch(keys["AllowedPattern"], "ann:" + "0" * 64 + ",bob.b:" + "f" * 64)
    for wrong in ("", "ann", "ann:" + "0" * 63, "iraas_" + "x" * 40, "ann:" + "0" * 64 + ","):
        assert not re.fullmatch(keys["AllowedPattern"], wrong)
    users = [name for name, found in document["Resources"].items() if "'Ref': 'ApiKeys'}" in str(found)]
    assert users == ["ApiKeysSecret"]


def test_storage_has_its_own_way_when_route_tables_are_named():
    """A gateway endpoint for S3, which costs nothing."""
    endpoint = service(RouteTables="rtb-1,rtb-2").resources["StorageEndpoint"].properties
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"] == "com.amazonaws.REGION.s3"
    assert endpoint["RouteTableIds"] == ["rtb-1", "rtb-2"]
