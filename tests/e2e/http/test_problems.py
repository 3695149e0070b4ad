"""The error table: every slug that an ordinary service gives, with its status and its members."""

from __future__ import annotations

import pytest
from tests.e2e.http.pictures import broken_within, fresh
from tests.e2e.http.problems import RETRYABLE, STATUS, assert_problem

from iraas import errors
from iraas.testing.png_writer import chunk, ihdr, png
from iraas.testing.specimen import whole_png

UNFORESEEN = "internal-error"  # a fault of the service, which no request may bring about
PADDED = png(ihdr(8, 8), chunk(b"tEXt", b"a\x00b") * 5_000, chunk(b"IDAT", b""))
HUGE = png(ihdr(2**16, 2**15), chunk(b"IDAT", b""))

REFUSED = {
    "missing-image": {"files": {"note": (None, b"hello")}},
    "empty-image": {"files": {"file": ("cat.png", b"")}},
    "invalid-request": {"content": fresh(), "params": {"top": "many"}},
    "forbidden-origin": {"content": fresh(), "headers": {"Host": "images.example"}},
    "image-too-large": {"content": bytes(10_000_001)},
    "unsupported-media-type": {"content": b"GIF89a" + bytes(50)},
    "undecodable-image": {"content": whole_png()[:200]},
    "too-many-pixels": {"content": HUGE},
    "too-many-chunks": {"content": PADDED},
    "headers-too-large": {"content": fresh(), "headers": {"X": "x" * 20_000}},
}


@pytest.mark.parametrize(("slug", "request_"), REFUSED.items(), ids=REFUSED.keys())
def test_a_refusal_is_a_problem(api, slug, request_):
    """What is refused is refused with its row of the table, and nothing was accepted: there is no id."""
    members = assert_problem(api.post("/v1/images", **request_), slug)

    assert not {"id", "state"} & set(members)


def test_a_failed_job_is_a_problem_with_an_id(api):
    """What was accepted and then failed has an id, and says that it failed."""
    members = assert_problem(api.post("/v1/images", content=broken_within()), "undecodable-image")

    assert members["state"] == "failed"
    assert api.get(f"/v1/images/{members['id']}").json() == members


def test_the_table_is_complete():
    """The table that clients rely on is the one that the service has."""
    kinds = {getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    rows = {kind.slug: kind for kind in kinds if kind.slug and kind.slug != UNFORESEEN}

    assert {slug: kind.status for slug, kind in rows.items()} == STATUS
    assert {slug for slug, kind in rows.items() if kind.retryable} == RETRYABLE
