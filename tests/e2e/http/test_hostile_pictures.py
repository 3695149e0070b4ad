"""The hostile set over HTTP: each picture gets what it may, its neighbours their answers, and nothing dies."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import httpx2
import pytest
from tests.e2e.http.pictures import fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, family, metrics, settled
from tests.service import Service

from iraas.testing.hostile import ANSWERED, KINDS, Specimen

ATTACKERS = 8
NEIGHBOUR_EVERY = 10  # pictures of an attacker
PATIENTLY = {"wait": 60}  # seconds: a busy machine takes its time; who waits longer gets a 202
DEATHS = "iraas_quarantine_deaths_total"


def outcome(response: httpx2.Response) -> str:
    """What a response says of its picture, as a specimen's `outcomes` do."""
    if response.status_code == 200:
        assert response.json()["state"] == "done"
        return ANSWERED
    slug = str(response.json()["type"])
    assert_problem(response, slug)
    assert response.status_code < 500
    return slug


def handfuls(kind, size: int = 64) -> Iterator[list[Specimen]]:
    """A kind's specimens, few at a time: some weigh ten megabytes."""
    specimens = kind()
    while handful := list(islice(specimens, size)):
        yield handful


@pytest.fixture(scope="module")
def attackers(service: Service) -> Iterator[httpx2.Client]:
    """A client for all the attackers."""
    with client_of(service) as client:
        yield client


@pytest.mark.timeout(600)  # fifteen hundred pictures, some of which cost what a large picture costs
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hostile_pictures_do_no_harm(service, api, attackers, kind):
    """Every picture of a hostile kind is refused or answered as it may be; others are answered meanwhile."""
    settled(api)
    processes, deaths = family(service), metrics(api)[DEATHS]

    def attack(specimen: Specimen) -> tuple[str, str]:
        return specimen.name, outcome(
            attackers.post("/v1/images", files={"file": (specimen.name, specimen.data)}, params=PATIENTLY)
        )

    with ThreadPoolExecutor(ATTACKERS) as pool:
        for handful in handfuls(kind):
            attacks = pool.map(attack, handful)
            for _ in range(len(handful) // NEIGHBOUR_EVERY + 1):
                assert api.post("/v1/images", content=fresh(), params=PATIENTLY).status_code == 200
            allowed = {specimen.name: specimen.outcomes for specimen in handful}
            assert {(name, slug) for name, slug in attacks if slug not in allowed[name]} == set()

    settled(api)
    assert family(service) == processes
    assert metrics(api)[DEATHS] == deaths
    assert api.get("/readyz").status_code == 200


def test_a_pngsuite_picture_gets_what_it_deserves(api, pngsuite):
    """Of Willem van Schaik's suite the broken files, whose names begin with x, are refused, and all others answered."""
    for path in sorted(pngsuite.glob("*.png")):
        response = api.post("/v1/images", files={"file": (path.name, path.read_bytes())})

        if path.name.startswith("x"):
            assert outcome(response) in {"undecodable-image", "unsupported-media-type"}, path.name
        else:
            assert response.status_code == 200, path.name
