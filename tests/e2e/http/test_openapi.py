"""/openapi.json: valid OpenAPI 3.1, and what the service does is what it says."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

ROUTES = {
    "/v1/images": {"post"},
    "/v1/images/{id}": {"get", "delete"},
    "/uploadImagesAndGetResults": {"post"},
    "/": {"post"},
    "/livez": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}
EXAMPLES = 40  # requests of each route


@pytest.fixture(scope="session")
def description(api):
    """The service's own description of itself."""
    return schemathesis.openapi.from_url(f"{api.base_url}/openapi.json")


def test_is_valid_openapi(api, description):
    """The description keeps to the specification's own schema."""
    assert api.get("/openapi.json").json()["openapi"].startswith("3.1.")
    description.validate()


def test_describes_every_route(api):
    """Every route of the table is described, and no other."""
    paths = api.get("/openapi.json").json()["paths"]

    assert {path: set(operations) for path, operations in paths.items()} == ROUTES


@pytest.mark.parametrize(
    ("path", "method"), [(path, method) for path, methods in ROUTES.items() for method in sorted(methods)]
)
def test_does_what_it_says(description, path, method):
    """Whatever is asked, well or badly, the answer is one that the description names, and none is a 5xx."""

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=description[path][method].as_strategy())
    def ask(case: schemathesis.Case) -> None:
        # Bytes that are no picture are well-formed input to a schema, and rightly refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
