"""S3 in memory, behind botocore's own client (`tests.unit.deploy.aws`)."""

from __future__ import annotations

import hashlib
from typing import IO, Any

from tests.unit.deploy.aws import Aws, refused


class Buckets:
    """S3 in memory: names, and what lies in them."""

    def __init__(self, aws: Aws) -> None:
        self.objects: dict[str, dict[str, bytes]] = {}
        self.facts: dict[tuple[str, str], dict[str, Any]] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.uploads: dict[str, tuple[str, str]] = {}  # id -> bucket, key
        for operation in (
            "HeadObject", "HeadBucket", "ListMultipartUploads", "CreateMultipartUpload", "ListParts", "UploadPart",
            "CompleteMultipartUpload", "AbortMultipartUpload", "ListObjectsV2", "ListObjectVersions", "DeleteObjects",
        ):  # fmt: skip
            aws.on("s3", operation, getattr(self, f"_{operation}"))

    def _in(self, bucket: str) -> dict[str, bytes]:
        if bucket not in self.objects:
            raise refused("NoSuchBucket", "The specified bucket does not exist")
        return self.objects[bucket]

    def _HeadBucket(self, Bucket: str) -> dict[str, Any]:  # noqa: N802, N803
        if Bucket not in self.objects:
            raise refused("404", "Not Found", "HeadBucket")
        return {}

    def _HeadObject(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N802, N803
        if Key not in self._in(Bucket):
            raise refused("404", "Not Found", "HeadObject")
        return {"ContentLength": len(self.objects[Bucket][Key]), **self.facts.get((Bucket, Key), {})}

    def _ListMultipartUploads(self, Bucket: str, Prefix: str = "", **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        self._in(Bucket)
        there = [(name, key) for name, (bucket, key) in self.uploads.items() if bucket == Bucket]
        return {"Uploads": [{"UploadId": name, "Key": key} for name, key in there if key.startswith(Prefix)]}

    def _CreateMultipartUpload(self, Bucket: str, Key: str, **asked: Any) -> dict[str, Any]:  # noqa: N802, N803
        name = f"upload-{len(self.parts)}"
        self.uploads[name] = Bucket, Key
        self.parts[name] = {}
        self.facts[Bucket, Key] = {"Metadata": asked["Metadata"]}
        return {"UploadId": name}

    def _ListParts(self, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        return {
            "Parts": [
                {"PartNumber": number, "ETag": f'"{hashlib.md5(body).hexdigest()}"', "Size": len(body)}
                for number, body in sorted(self.parts[UploadId].items())
            ]
        }

    def _UploadPart(self, UploadId: str, PartNumber: int, Body: IO[bytes], **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        body = Body.read()
        self.parts[UploadId][PartNumber] = body
        return {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}

    def _CompleteMultipartUpload(self, Bucket: str, Key: str, UploadId: str, **asked: Any) -> dict[str, Any]:  # noqa: N802, N803
        parts = self.parts[UploadId]
        assert [one["PartNumber"] for one in asked["MultipartUpload"]["Parts"]] == sorted(parts)
        self.objects[Bucket][Key] = b"".join(parts[number] for number in sorted(parts))
        del self.uploads[UploadId]
        return {}

    def _AbortMultipartUpload(self, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        del self.uploads[UploadId]
        return {}

    def _ListObjectsV2(self, Bucket: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        return {"Contents": [{"Key": key} for key in self._in(Bucket)], "IsTruncated": False}

    def _ListObjectVersions(self, Bucket: str, **_: Any) -> dict[str, Any]:  # noqa: N802, N803
        return {
            "Versions": [{"Key": key, "VersionId": "null"} for key in self._in(Bucket)],
            "IsTruncated": False,
        }

    def _DeleteObjects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N802, N803
        for one in Delete["Objects"]:
            self.objects[Bucket].pop(one["Key"], None)
        return {}
