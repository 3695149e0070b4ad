"""The stand-ins for AWS listen on this machine only, and end with whoever started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.conftest import missing
from tests.doubles.fauxqs import Fauxqs, node
from tests.doubles.ministack import Ministack
from tests.doubles.moto import Moto
from tests.waiting import until

ROOT = Path(__file__).parents[2]
START = """
import time
from tests.doubles.{module} import {name}
with {name}() as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(params=[Fauxqs, Moto, Ministack])
def double(request):
    """Its class."""
    if request.param is Fauxqs and node() is None:
        missing("fauxqs")
    return request.param


def test_listens_on_the_loopback_only(double):
    """Nobody else on the network can reach it."""
    with double() as server:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(server.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]
        assert server.endpoint.startswith("http://127.0.0.1:")


def test_ends_with_its_block(double):
    """When the `with` block is over, so is the process."""
    with double() as server:
        assert psutil.pid_exists(server.pid)
    assert not psutil.pid_exists(server.pid)


def test_ends_with_its_parent(double):
    """Even when whoever started it is killed, and has no time to stop it."""
    script = START.format(module=double.__name__.lower(), name=double.__name__)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not _runs(pid), what="the stand-in is gone")


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # where nobody reaps orphans
    except psutil.NoSuchProcess:
        return False
