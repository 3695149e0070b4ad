"""A file goes into a bucket once, in parts."""

from __future__ import annotations

import threading

import pytest

from iraas.deploy import upload as module
from iraas.deploy.refusals import NotDone
from iraas.deploy.upload import Object, Stopped, Upload, upload

BUCKET = "photos-artifactsbucket"


@pytest.fixture
def wanted(release, monkeypatch):
    """7,000 bytes in parts of 1,000."""
    monkeypatch.setattr(module, "PART_BYTES", 1000)
    return Object(release.path, release.sha256, BUCKET, release.key)


def test_it_arrives_whole_and_progress_ends_at_its_size(aws, buckets, wanted):
    """Every part counts once."""
    seen = []
    assert upload(aws.account(), wanted, lambda done, total: seen.append((done, total)))
    assert buckets.objects[BUCKET][wanted.key] == wanted.path.read_bytes()
    assert seen == [(n * 1000, 7000) for n in range(1, 8)]


def test_what_is_there_is_not_sent_again(aws, buckets, wanted):
    """Same key, size and hash: nothing is uploaded."""
    upload(aws.account(), wanted, lambda *_: None)
    asked = len(aws.calls("UploadPart"))
    assert not upload(aws.account(), wanted, lambda *_: None)
    assert len(aws.calls("UploadPart")) == asked


def test_an_object_that_is_not_it_is_replaced(aws, buckets, wanted):
    """The key alone proves nothing: another's size or hash is sent over."""
    buckets.objects[BUCKET][wanted.key] = wanted.path.read_bytes()  # right bytes, but nobody says so
    assert upload(aws.account(), wanted, lambda *_: None)
    buckets.objects[BUCKET][wanted.key] = b"half"
    assert upload(aws.account(), wanted, lambda *_: None)
    assert buckets.objects[BUCKET][wanted.key] == wanted.path.read_bytes()


def test_parts_that_arrived_before_are_kept(aws, buckets, wanted):
    """A part counts when its bytes are the file's; one of another file is sent again."""
    content = wanted.path.read_bytes()
    begun = buckets._CreateMultipartUpload(BUCKET, wanted.key, Metadata={"sha256": wanted.sha256})["UploadId"]
    buckets.parts[begun] = {1: content[:1000], 2: b"of another file", 4: content[3000:4000]}

    assert upload(aws.account(), wanted, lambda *_: None)

    assert sorted(call["PartNumber"] for call in aws.calls("UploadPart")) == [2, 3, 5, 6, 7]
    assert buckets.objects[BUCKET][wanted.key] == content


def test_who_stops_it_ends_it(aws, buckets, wanted):
    """No part is sent after that, and the object is not there."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        upload(aws.account(), wanted, lambda *_: None, stop=stop)
    assert wanted.key not in buckets.objects[BUCKET]


def test_an_object_that_did_not_arrive_is_told(aws, buckets, wanted):
    """S3 said yes to all, and still it is not as it was sent."""
    aws.on("s3", "CompleteMultipartUpload", lambda **_: {})
    with pytest.raises(NotDone, match="is not as it was uploaded"):
        upload(aws.account(), wanted, lambda *_: None)


def test_beside_something_else_it_tells_in_the_thread_that_asks(aws, buckets, wanted):
    """A bar is drawn by one thread."""
    threads = set()
    beside = Upload(aws.account(), lambda *_: threads.add(threading.current_thread()))
    beside.begin(wanted)
    beside.begin(wanted)
    beside.wait()
    assert threads == {threading.current_thread()}
    assert wanted.key in buckets.objects[BUCKET]


def test_beside_something_else_it_fails_when_it_is_waited_for(aws, buckets, wanted):
    """The error of the thread is the caller's."""
    del buckets.objects[BUCKET]
    beside = Upload(aws.account(), lambda *_: None)
    beside.begin(wanted)
    with pytest.raises(NotDone, match="uploading to s3://photos-artifactsbucket"):
        beside.wait()
