"""iraas.worker.begun: what a worker was computing outlives it."""

from __future__ import annotations

from iraas.worker.begun import BegunNote, read_note


def test_says_what_was_written_last(tmp_path):
    """A shorter note leaves nothing of a longer one before it."""
    note = BegunNote(tmp_path / "7")
    note.write(["1:1111", "2:2222", "3:3333"])
    note.write(["4:4"])

    assert read_note(tmp_path / "7") == {"4:4"}


def test_an_idle_worker_was_computing_nothing(tmp_path):
    """After an empty note nobody is charged."""
    note = BegunNote(tmp_path / "7")
    note.write(["1:1111"])
    note.write([])

    assert read_note(tmp_path / "7") == frozenset()


def test_a_note_is_read_once(tmp_path):
    """Reading removes it; where there is none, nobody is acquitted by it."""
    BegunNote(tmp_path / "7").write(["1:1"])

    assert read_note(tmp_path / "7") == {"1:1"}
    assert read_note(tmp_path / "7") is None
