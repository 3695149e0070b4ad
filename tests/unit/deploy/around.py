"""What stands around a stack, in memory: queues of SQS, images of EC2, groups of Auto Scaling."""

from __future__ import annotations

from typing import Any

from tests.unit.deploy.aws import refused


class Queues:
    """SQS: URLs of queues. One that is removed is listed on, and refuses whoever asks it, as SQS's do for minutes."""

    def __init__(self, aws: Any) -> None:
        self.urls: list[str] = []
        self.removed: list[str] = []  # listed still
        self.lingering: dict[str, int] = {}  # questions that a removed queue answers, before it refuses them
        self.code = "AWS.SimpleQueueService.NonExistentQueue"
        self.page = 1000  # that are listed at once
        aws.on("sqs", "ListQueues", self._list)
        aws.on("sqs", "DeleteQueue", self._delete)
        aws.on("sqs", "GetQueueAttributes", self._describe)

    def end(self, url: str) -> None:
        """Whoever made the queue removes it."""
        self.urls.remove(url)
        self.removed.append(url)

    def _list(
        self,
        QueueNamePrefix: str,  # noqa: N803
        MaxResults: int = 0,  # noqa: N803
        NextToken: str = "0",  # noqa: N803
    ) -> dict[str, Any]:
        found = [
            url for url in (*self.urls, *self.removed) if url.rpartition("/")[2].startswith(QueueNamePrefix)
        ]
        assert MaxResults <= 1000, "SQS refuses more"
        start, page = int(NextToken), min(MaxResults or self.page, self.page)
        more = MaxResults and len(found) > start + page  # without it there is no second page
        return {
            "QueueUrls": found[start : start + page],
            **({"NextToken": str(start + page)} if more else {}),
        }

    def _delete(self, QueueUrl: str) -> dict[str, Any]:  # noqa: N803
        if QueueUrl not in self.urls:
            raise refused(self.code, "The specified queue does not exist.", "DeleteQueue")
        self.end(QueueUrl)
        return {}

    def _describe(self, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if QueueUrl not in self.urls:
            if not self.lingering.get(QueueUrl):
                raise refused(self.code, "The specified queue does not exist.", "GetQueueAttributes")
            self.lingering[QueueUrl] -= 1
        return {"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:1:" + QueueUrl.rpartition("/")[2]}}


class Images:
    """EC2: AMIs by name."""

    def __init__(self, aws: Any) -> None:
        self.names: dict[str, str] = {}
        aws.on("ec2", "DescribeImages", self._list)
        aws.on("ec2", "DeregisterImage", self._remove)

    def _list(self, Owners: list[str], Filters: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        assert (Owners, Filters) == (["self"], [{"Name": "name", "Values": ["photos-image *"]}])
        return {
            "Images": [{"ImageId": one, "Name": name} for one, name in self.names.items()]
        }  # filters nothing

    def _remove(self, ImageId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        del self.names[ImageId]
        return {}


class Groups:
    """Auto Scaling: groups whose instances leave one at each look, once they may."""

    def __init__(self, aws: Any) -> None:
        self.instances: dict[str, list[dict[str, Any]]] = {}
        self.sizes: dict[str, int] = {}
        aws.on("autoscaling", "DescribeAutoScalingGroups", self._describe)
        aws.on("autoscaling", "UpdateAutoScalingGroup", self._update)
        aws.on("autoscaling", "SetInstanceProtection", self._protect)

    def add(self, name: str, count: int, *, protected: bool = False) -> None:
        self.sizes[name] = count
        self.instances[name] = [
            {
                "InstanceId": f"i-{name}-{number}",
                "AvailabilityZone": "us-east-1a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": protected,
            }
            for number in range(count)
        ]

    def _describe(self, AutoScalingGroupNames: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803
        for name, there in self.instances.items():
            if self.sizes[name] == 0 and there and not there[0]["ProtectedFromScaleIn"]:
                there.pop(0)
        return {
            "AutoScalingGroups": [
                {
                    "AutoScalingGroupName": name,
                    "MinSize": 0,
                    "MaxSize": 9,
                    "DesiredCapacity": self.sizes[name],
                    "DefaultCooldown": 0,
                    "AvailabilityZones": ["us-east-1a"],
                    "HealthCheckType": "EC2",
                    "CreatedTime": "2026-11-22T00:00:00Z",
                    "Instances": [dict(one) for one in there],
                }
                for name, there in self.instances.items()
                if name in AutoScalingGroupNames
            ]
        }

    def _update(self, AutoScalingGroupName: str, DesiredCapacity: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.sizes[AutoScalingGroupName] = DesiredCapacity
        return {}

    def _protect(self, AutoScalingGroupName: str, InstanceIds: list[str], **asked: Any) -> dict[str, Any]:  # noqa: N803
        for one in self.instances[AutoScalingGroupName]:
            if one["InstanceId"] in InstanceIds:
                one["ProtectedFromScaleIn"] = asked["ProtectedFromScaleIn"]
        return {}
