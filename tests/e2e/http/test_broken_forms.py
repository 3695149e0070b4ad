"""Multipart bodies as broken clients and scanners send them: problems that say what is wrong."""

from __future__ import annotations

import pytest
from tests.e2e.http.problems import assert_problem

from iraas.testing.specimen import whole_png

FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\ncontent-disposition: form-data; name="f"; filename="cat.png"\r\n\r\n'
TEXT = b'--b\r\ncontent-disposition: form-data; name="note"\r\n\r\nhello\r\n'
END = b"\r\n--b--\r\n"
PICTURE = whole_png()

UNREADABLE = {
    "no boundary said": ("multipart/form-data", PART + PICTURE + END),
    "an empty boundary": ('multipart/form-data; boundary=""', PART + PICTURE + END),
    "a boundary of 300 letters": ("multipart/form-data; boundary=" + "b" * 300, PART + PICTURE + END),
    "another boundary": ("multipart/form-data; boundary=c", PART + PICTURE + END),
    "a boundary that is not ASCII": ("multipart/form-data; boundary=\xe4", PART + PICTURE + END),
    "no final boundary": (FORM, PART + PICTURE),
    "cut within the final boundary": (FORM, PART + PICTURE + b"\r\n--b"),
    "a boundary that goes on": (FORM, PART + PICTURE + b"\r\n--bb--\r\n--bx"),
    "cut within the part's head": (FORM, PART[:30]),
    "nothing at all": (FORM, b""),
    "junk before the first boundary": (FORM, b"junk" + PART + PICTURE + END),
    "line feeds only": (FORM, PART.replace(b"\r\n", b"\n") + PICTURE + END.replace(b"\r\n", b"\n")),
    "a part without a head": (FORM, b"--b\r\n\r\nhello" + END),
    "a part of another kind": (FORM, PART.replace(b"form-data", b"attachment") + PICTURE + END),
    "a head without a colon": (FORM, b"--b\r\nhello\r\n\r\nhello" + END),
    "a head of 20 KB": (FORM, b"--b\r\nx: " + b"x" * 20_000 + PART[3:] + PICTURE + END),
    "a head of 20 KB without an end": (FORM, b"--b\r\nx: " + b"x" * 20_000),
    "a hundred heads": (FORM, b"--b\r\n" + b"x: y\r\n" * 100 + PART[5:] + PICTURE + END),
    "a wrong length in the part": (FORM, PART.replace(b"\r\n\r\n", b"\r\ncontent-length: 5\r\n\r\n") + PICTURE + END),
    "17 parts": (FORM, TEXT * 16 + PART + PICTURE + END),
    "a thousand parts": (FORM, TEXT * 999 + PART + PICTURE + END),
    "a thousand files": (FORM, (PART + PICTURE + b"\r\n") * 1_000 + END),
}  # fmt: skip
WITHOUT_A_PICTURE = {
    "no part": (b"--b--\r\n", "missing-image"),
    "text only": (TEXT + END[2:], "missing-image"),
    "the picture in a text field": (TEXT.replace(b"hello", PICTURE) + END[2:], "missing-image"),
    "an empty file": (PART + END, "empty-image"),
    "no file chosen": (PART.replace(b"cat.png", b"") + END, "empty-image"),
    "a file that is text": (PART + b"hello" + END, "unsupported-media-type"),
}
STRANGE = {
    "16 parts": (FORM, TEXT * 15 + PART + PICTURE + END),
    "text before the first boundary": (FORM, b"This is a message in MIME format.\r\n" + PART + PICTURE + END),
    "text behind the last boundary": (FORM, PART + PICTURE + END + b"goodbye" * 1_000),
    "no line break at the end": (FORM, PART + PICTURE + END.rstrip()),
    "a quoted boundary": ('multipart/form-data; boundary="b"', PART + PICTURE + END),
    "capitals": ("Multipart/Form-Data; Boundary=b", PART.title().replace(b"--B", b"--b") + PICTURE + END),
    "a name without quotes": (FORM, PART.replace(b'"cat.png"', b"cat.png") + PICTURE + END),
    "no name of the field": (FORM, PART.replace(b' name="f";', b"") + PICTURE + END),
    "a boundary within the picture": (
        "multipart/form-data; boundary=IDAT", PART.replace(b"--b", b"--IDAT") + PICTURE + END.replace(b"b", b"IDAT")
    ),
}  # fmt: skip


@pytest.fixture
def post(api):
    """Posts a body as a form."""
    return lambda kind, body: api.post(
        "/v1/images", content=body, headers={"Content-Type": kind.encode("latin-1")}
    )


@pytest.mark.parametrize(("kind", "body"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_form_is_refused(post, kind, body):
    """A form that cannot be read to its end is refused, even if a picture came first."""
    assert_problem(post(kind, body), "invalid-request")


@pytest.mark.parametrize(("body", "slug"), WITHOUT_A_PICTURE.values(), ids=WITHOUT_A_PICTURE.keys())
def test_a_form_without_a_picture_says_so(post, body, slug):
    """A form that is well and holds no picture gets the problem that says what it lacks."""
    assert_problem(post(FORM, body), slug)


@pytest.mark.parametrize(("kind", "body"), STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_form_is_read(post, kind, body):
    """What is unusual but well defined is read."""
    assert post(kind, body).status_code == 200


def test_a_form_of_many_small_pieces_is_read(api):
    """A body that comes a byte at a time is the same body."""
    body = PART + PICTURE + END
    pieces = (body[at : at + 1] for at in range(len(body)))

    assert api.post("/v1/images", content=pieces, headers={"Content-Type": FORM}).status_code == 200
