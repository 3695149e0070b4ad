"""A template fits into a request, or is refused in words."""

from __future__ import annotations

import json

import pytest

from iraas.deploy.body import body
from iraas.deploy.refusals import NotDone
from iraas.deploy.template import INLINE_BYTES, read_template, service_template


def test_one_that_fits_goes_as_people_wrote_it():
    """With its comments."""
    assert body(service_template()) == service_template()


def test_one_that_is_too_long_goes_without_its_comments():
    """As JSON that means the same."""
    text = service_template() + "# a comment\n" * (INLINE_BYTES // 12)
    small = body(text)
    assert len(small.encode()) <= INLINE_BYTES
    assert json.loads(small) == read_template(service_template())


def test_one_that_is_too_long_in_any_form_is_refused():
    """The line says by how much, and what to do."""
    text = service_template() + f"Extra: {'x' * INLINE_BYTES}\n"
    with pytest.raises(NotDone, match=r"a request takes 51,200: take a policy with fewer parts"):
        body(text)
