"""/openapi.json: valid OpenAPI 3.1, and what the service does is what it says."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.e2e.http.pictures import broken_within, fresh

ROUTES = {
    "/v1/images": {"post"},
    "/v1/images/{id}": {"get", "delete"},
    "/uploadImagesAndGetResults": {"post"},
    "/": {"post"},
    "/v1/fleet": {"get"},
    "/v1/fleet/events": {"get"},
    "/livez": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}
WITH_PARAMETERS = ("/v1/images", "/v1/images/{id}", "/v1/fleet")  # the others cannot be asked badly
ENDLESS = {"/v1/fleet/events"}  # its own tests listen to it
OPERATIONS = [
    (path, method) for path, methods in ROUTES.items() for method in sorted(methods) if path not in ENDLESS
]
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
    ("path", "method"),
    [("/", "post"), ("/uploadImagesAndGetResults", "post"), ("/livez", "get"), ("/metrics", "get")],
)
def test_says_where_an_answer_is_text(api, path, method):
    """A generated client is told to expect text where text comes."""
    operation = api.get("/openapi.json").json()["paths"][path][method]

    assert set(operation["responses"]["200"]["content"]) == {"text/plain"}


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [(*operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
    + [(*operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if operation[0] in WITH_PARAMETERS],
)
def test_does_what_it_says(description, path, method, mode):
    """Whatever is asked, well or badly, the answer is one that the description names, and none is a 5xx."""

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=description[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        # Bytes that are no picture are well-formed input to a schema, and rightly refused.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()


def test_answers_are_what_it_says(api, description):
    """Answers, promises of answers, failures and lines of text have the members and headers that are described."""
    images, one = description["/v1/images"]["POST"], description["/v1/images/{id}"]["GET"]
    form = {"files": {"file": ("cat.png", fresh())}}
    posted = api.post("/v1/images", **form)
    place = f"/v1/images/{posted.json()['id']}"

    for operation, response, status in (
        (images, posted, 200),
        (images, api.post("/v1/images?wait=0", **form), 202),
        (images, api.post("/v1/images", content=broken_within()), 422),
        (one, api.get(place), 200),
        (one, api.get("/v1/images/5f0c7c3e-0000-7000-8000-000000000001"), 404),
        (description["/"]["POST"], api.post("/", **form), 200),
        (
            description["/uploadImagesAndGetResults"]["POST"],
            api.post("/uploadImagesAndGetResults", **form),
            200,
        ),
        (description["/v1/images/{id}"]["DELETE"], api.delete(place), 204),
    ):
        assert response.status_code == status
        response.request.read()  # the check wants the request's bytes, and a form was streamed
        operation.validate_response(response)
