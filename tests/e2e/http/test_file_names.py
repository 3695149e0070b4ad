"""File names that mean harm: given back as they are, cut to 255 bytes, and never acted upon."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.http.pictures import fresh, grey

NAMES = {  # name as sent -> name as answered, if it is another one
    b"../../../../../../tmp/iraas-was-here.png": None,
    b"/etc/passwd": None,
    b"C:\\Windows\\system32\\cat.png": "cat.png",  # an old browser sends its whole path
    b"cat\x00.png": None,
    b"cat%0D%0ASet-Cookie: a=b%0D%0A.png": "cat\r\nSet-Cookie: a=b\r\n.png",  # as a browser escapes it
    b"<script>alert(1)</script>.png": None,
    b"{}}}: {Egyptian cat}.png": None,
    b"%22quoted%22.png": '"quoted".png',
    b'\\"quoted\\".png': '"quoted".png',
    "\u202egnp.tac".encode(): None,  # reads `cat.png` from right to left
    "\u200f\u2066cat\u2069.png".encode(): None,
    "\ufeffcat\u2028.png".encode(): None,
    "猫.png".encode(): None,
    b"\xe9t\xe9.png": "\ufffdt\ufffd.png",  # Latin-1
    b"\xff\xfe\xfd.png": "\ufffd\ufffd\ufffd.png",
    b"\xed\xa0\x80.png": "\ufffd\ufffd\ufffd.png",  # half a surrogate
    b"~new": None,
    b".": None,
    b"..": None,
    b"x" * 255: None,
    b"x" * 4_096: "x" * 255,
    "猫".encode() * 1_024: "猫" * 85,
    ("x" + "猫" * 1_024).encode(): "x" + "猫" * 84,  # no letter is cut in two
}


def form(name: bytes, picture: bytes) -> dict[str, object]:
    """A form, by hand: a client's library would escape the name, or refuse it."""
    head = b'--b\r\ncontent-disposition: form-data; name="myfile"; filename="' + name + b'"\r\n\r\n'
    return {
        "content": head + picture + b"\r\n--b--\r\n",
        "headers": {"Content-Type": "multipart/form-data; boundary=b"},
    }


@pytest.mark.parametrize(("name", "answered"), NAMES.items(), ids=lambda value: repr(value)[:40])
def test_a_name_is_given_back(api, name, answered):
    """Whatever the name, the picture is classified, and the name is in the answer, at the post and later."""
    response = api.post("/v1/images", **form(name, fresh()))

    assert response.status_code == 200
    posted = response.json()
    assert posted["filename"] == (name.decode() if answered is None else answered)
    assert len(posted["filename"].encode()) <= 255
    assert api.get(f"/v1/images/{posted['id']}").content == response.content
    assert not {"set-cookie", "a"} & set(response.headers)


@pytest.mark.parametrize(("name", "answered"), NAMES.items(), ids=lambda value: repr(value)[:40])
def test_a_name_makes_no_second_line(timed, name, answered):
    """In a line of text the name is shown without what would break the line or turn it round."""
    shown = "".join(letter for letter in (answered or name.decode()) if letter.isprintable())
    response = timed.post("/uploadImagesAndGetResults", **form(name, grey(8)))

    assert response.text == f"{{{shown}}}: {{grey 8}}"
    assert len(response.text.splitlines()) == 1
    assert "set-cookie" not in response.headers


def test_nothing_is_written_under_a_name(service, api):
    """No file's path in the data folder has anything of a client's name in it, and none lies outside."""
    for name in NAMES:
        api.post("/v1/images", **form(name, fresh())).raise_for_status()

    paths = [path.relative_to(service.data) for path in service.data.rglob("*")]
    assert not [
        path for path in paths if any(word in str(path) for word in ("cat", "png", "passwd", "xxx", "猫"))
    ]
    assert not Path("/tmp/iraas-was-here.png").exists()
