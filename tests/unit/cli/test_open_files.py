"""iraas.cli.open_files: the soft limit goes up to the hard one, and never down."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHIN = """
import resource
from iraas.cli import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
open_files.MOST = {most}
open_files.raise_open_files_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("most", "soft"), [(65_536, 200), (150, 150), (50, 100)])
def test_goes_up_as_far_as_it_may_and_never_down(most, soft):
    """As far as the hard limit or what is enough, whichever is less; the hard limit stays."""
    script = [sys.executable, "-c", WITHIN.format(most=most)]
    said = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(soft), "200"]
