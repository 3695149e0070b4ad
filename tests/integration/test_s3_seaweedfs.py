"""The stand-in for S3 as a process: it keeps to itself, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
from tests.doubles.program import ROOT
from tests.waiting import until

PARENT = """
from tests.doubles.seaweedfs import Seaweedfs
server = Seaweedfs().__enter__()
server.create_bucket("pictures")
print(server.pid, flush=True)
input()
"""


def listening(server):
    """What a server listens on."""
    return [each.laddr for each in server.net_connections("tcp") if each.status == "LISTEN"]


def test_keeps_to_itself_and_ends_with_whoever_started_it(s3):
    """Beside another one it has ports of its own on 127.0.0.1; kill -9 of its user ends it, and its files go."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        [server] = psutil.Process(int(parent.stdout.readline())).children()
        [other] = psutil.Process(s3.pid).children()
        places = [*listening(server), *listening(other)]
        assert len(places) == len(set(places)) >= 16
        assert {place.ip for place in places} == {"127.0.0.1"}
        folder = Path(server.cwd())
        assert folder != Path(other.cwd())
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.communicate()
    until(lambda: not server.is_running(), what="the server is gone")
    until(lambda: not folder.exists(), what="its files are gone")
    assert other.is_running()
