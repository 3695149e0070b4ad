"""Forms that carry pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from multipart import PushMultipartParser, parse_options_header

from iraas.errors import ConfigurationError
from iraas.load.pictures import Pictures


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "b.PNG").write_bytes(b"two")
    (tmp_path / "below" / "a.jpg").write_bytes(b"three")
    (tmp_path / 'a"\u00e9.png').write_bytes(b"one\r\n--")
    (tmp_path / "notes.txt").write_bytes(b"no")
    return tmp_path


def parsed(pictures, form):
    boundary = parse_options_header(pictures.content_type)[1]["boundary"]
    with PushMultipartParser(boundary, header_charset="utf-8", strict=True) as parser:
        segment, data = None, b""
        for event in [*parser.parse(form), *parser.parse(b"")]:
            if isinstance(event, bytearray | bytes):
                data += event
            elif event is not None:
                segment = event
    return segment.name, segment.filename, data


async def test_a_form_holds_the_picture_under_its_name(folder):
    """A strict parser finds field, file name and bytes, also with quotes and accents in the name."""
    pictures = Pictures(folder, field="myfile")
    assert pictures.names == ['a"\u00e9.png', "b.PNG", "below/a.jpg"]
    name, filename, data = parsed(pictures, await pictures.form(0))
    assert (name, data) == ("myfile", b"one\r\n--")
    assert filename in ('a"\u00e9.png', "a%22\u00e9.png")


async def test_beyond_the_bound_pictures_are_read_when_they_are_sent(folder):
    """Forms fill the memory up to the bound; the others come from disk, and are the same."""
    everything, first = Pictures(folder), Pictures(folder, memory=1)
    (folder / "b.PNG").write_bytes(b"changed")
    assert parsed(everything, await everything.form(1))[2] == b"two"
    assert parsed(first, await first.form(1))[2] == b"changed"
    (folder / "b.PNG").unlink()
    with pytest.raises(OSError, match="No such file"):
        await first.form(1)


def test_a_folder_without_pictures_is_refused(tmp_path):
    """Nothing could be sent."""
    with pytest.raises(ConfigurationError, match="no picture"):
        Pictures(tmp_path)
    with pytest.raises(ConfigurationError, match="is no folder"):
        Pictures(tmp_path / "nowhere")


def test_names_can_be_printed(tmp_path):
    """What is no UTF-8, or would steer a terminal, is an escape in reports; the form carries it as it is."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b.png"))).write_bytes(b"one")
    [name] = Pictures(tmp_path).names
    assert name == "caf\\xe9\\x1b.png"
    assert name.encode()
    assert name.isprintable()
