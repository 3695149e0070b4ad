"""/livez, /readyz and /metrics: what an operator asks."""

from __future__ import annotations

from tests.e2e.http.pictures import broken_within, fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import metrics, settled

from iraas.telemetry import METRICS


def test_livez_answers(api):
    """Liveness is a plain yes."""
    response = api.get("/livez")

    assert (response.status_code, response.text) == (200, "ok\n")


def test_readyz_answers(api):
    """Readiness says so in JSON."""
    response = api.get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ready"})


def test_metrics_are_prometheus_text_of_the_table(api):
    """/metrics speaks Prometheus' text format, and knows no name that the table of metrics does not."""
    api.post("/v1/images", content=fresh()).raise_for_status()
    response = api.get("/metrics")
    described = {line.split()[2] for line in response.text.splitlines() if line.startswith("# HELP ")}
    always = {metric.name for metric in METRICS if not metric.labels}

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert always <= described <= {metric.name for metric in METRICS}


def test_metrics_count_what_was_done(api):
    """A picture that is answered, one that fails and one that is refused show in the numbers of both tiers."""
    settled(api)
    before = metrics(api)
    api.post("/v1/images", content=fresh()).raise_for_status()
    assert_problem(api.post("/v1/images", content=broken_within()), "undecodable-image")
    assert_problem(api.post("/v1/images", content=b"<svg/>"), "unsupported-media-type")
    settled(api)
    after = metrics(api)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown("iraas_images_accepted_total") == 2
    assert grown('iraas_jobs_total{outcome="done"}') == 1
    assert grown('iraas_jobs_total{outcome="undecodable-image"}') == 1
    assert grown('iraas_problems_total{slug="unsupported-media-type"}') == 1
    assert grown('iraas_requests_total{route="/v1/images",status="200"}') == 1
    assert grown('iraas_requests_total{route="/v1/images",status="415"}') == 1
    assert grown("iraas_answer_seconds_count") == 2
    assert after['iraas_workers{state="in service"}'] == 2
    assert after["iraas_store_bytes"] > 0


def test_paths_do_not_become_metrics(api):
    """Requests for what is not there are counted together: a scanner must not fill the memory with names."""
    for number in range(3):
        assert_problem(api.get(f"/scan/{number}"), "not-found")
    api.delete("/v1/images/5f0c7c3e-0000-7000-8000-000000000001")

    routes = {name for name in metrics(api) if name.startswith("iraas_requests_total")}
    assert not [name for name in routes if "scan" in name or "5f0c7c3e" in name]
    assert 'iraas_requests_total{route="other",status="404"}' in routes
    assert 'iraas_requests_total{route="/v1/images/{id}",status="404"}' in routes
