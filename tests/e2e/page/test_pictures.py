"""Pictures onto the page -> their labels on the page, and into files."""

from __future__ import annotations

import csv
import json

import pytest
from playwright.sync_api import expect
from tests.e2e.page.conftest import PHOTOS
from tests.waiting import until

DROP = "dragEnter", "dragOver", "drop"


def test_chosen_pictures_get_their_labels(page, photo, card):
    """Two pictures from the file chooser each get a label, five score bars, a time and a model."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose pictures").click()
    chooser.value.set_files([photo("chelsea.png"), photo("coffee.png")])

    expect(page.get_by_role("heading", name="2 of 2 done")).to_be_visible()
    for name, label in (("chelsea.png", "cat"), ("coffee.png", "espresso")):
        expect(card(name).locator(".label")).to_contain_text(label)
        expect(card(name).get_by_role("list", name="Scores").get_by_role("listitem")).to_have_count(5)
        expect(card(name).locator(".facts")).to_contain_text("ms in the service")
        expect(card(name).locator(".facts")).to_contain_text("efficientnet")


def test_a_bar_is_as_long_as_its_score(page, photo, card):
    """The filled part of a score bar is the share that its percentage says."""
    page.set_input_files("#files", [photo("chelsea.png")])
    bar = card("chelsea.png").locator(".score-bar").first

    shown = float(card("chelsea.png").locator(".scores li span:nth-child(2)").first.inner_text().rstrip("%"))
    filled = bar.evaluate(
        "bar => 100 * parseFloat(getComputedStyle(bar, '::before').width) / bar.getBoundingClientRect().width"
    )
    assert filled == pytest.approx(shown, abs=0.5)


def test_previews_have_one_shape(page, photo, card):
    """A square picture and a wide one have previews of the same size."""
    page.set_input_files("#files", [photo("moon.png"), photo("chelsea.png")])
    expect(page.get_by_role("heading", name="2 of 2 done")).to_be_visible()

    square, wide = (card(name).get_by_role("img").bounding_box() for name in ("moon.png", "chelsea.png"))
    assert (square["width"], square["height"]) == (wide["width"], wide["height"])


def test_a_broken_picture_fails_alone(page, photo, card):
    """A cut PNG and a text file say in words what is wrong, and their neighbour has its label."""
    cut = photo("chelsea.png", "cut.png") | {"buffer": photo("chelsea.png")["buffer"][:90_000]}
    text = {"name": "notes.png", "mimeType": "image/png", "buffer": b"I am no picture"}
    page.set_input_files("#files", [cut, text, photo("rocket.jpg")])

    expect(page.get_by_role("heading", name="1 of 3 done, 2 failed")).to_be_visible()
    expect(card("cut.png")).to_contain_text("The image is damaged or cut short.")
    expect(card("notes.png")).to_contain_text("This is not a PNG, JPEG or WebP image.")
    expect(card("rocket.jpg").locator(".label")).not_to_be_empty()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_dropped_files_and_folders_are_taken(page, card, tmp_path):
    """Pictures dropped anywhere are classified, those in a dropped folder too, its other files not."""
    (tmp_path / "holiday" / "day one").mkdir(parents=True)
    (tmp_path / "holiday" / "day one" / "cat.png").write_bytes((PHOTOS / "chelsea.png").read_bytes())
    (tmp_path / "holiday" / "notes.txt").write_text("not a picture")
    paths = [str(PHOTOS / "coffee.png"), str(tmp_path / "holiday")]
    data = {"items": [], "files": paths, "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for kind in DROP:
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 40, "y": 40, "data": data})

    expect(page.get_by_role("heading", name="2 of 2 done")).to_be_visible()
    expect(card("cat.png").locator(".label")).to_contain_text("cat")
    expect(card("coffee.png").locator(".label")).not_to_be_empty()


def test_a_pasted_picture_is_taken(page):
    """A picture pasted from the clipboard is classified."""
    page.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(64, 64);
            canvas.getContext("2d").fillRect(8, 8, 48, 48);
            const clipboardData = new DataTransfer();
            const picture = new File([await canvas.convertToBlob()], "pasted.png", { type: "image/png" });
            clipboardData.items.add(picture);
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )
    expect(page.get_by_role("heading", name="1 of 1 done")).to_be_visible()


def test_many_pictures_go_a_few_at_a_time(page, photo):
    """Of two hundred pictures at once four are on their way and the others wait; all are answered."""
    held = []
    page.route("**/v1/images?*", lambda route: held.append(route))
    text = {"mimeType": "image/png", "buffer": b"I am no picture"}
    many = [text | {"name": f"{n}.png"} for n in range(199)]
    page.set_input_files("#files", [photo("chelsea.png"), *many])

    expect(page.locator("[data-state=waiting]")).to_have_count(196)
    expect(page.get_by_role("heading", name="0 of 200 done")).to_be_visible()
    until(lambda: page.title() and len(held) >= 4, what="four are on their way")  # the title: to hear of them
    assert len(held) == 4
    page.unroute("**/v1/images?*")  # lets go of what was held, too
    expect(page.get_by_role("heading", name="1 of 200 done, 199 failed")).to_be_visible(timeout=60_000)


def test_a_file_name_is_only_text(page, photo, card):
    """A file name full of markup is shown as it is, and nothing of it runs."""
    name = "<img src=x onerror=document.title='taken'><b>.png"
    page.set_input_files("#files", [photo("chelsea.png", name)])

    expect(card(name).locator(".label")).not_to_be_empty()
    expect(page).to_have_title("iraas: what is in the picture?")


def test_results_are_saved_as_csv(page, photo, tmp_path):
    """The CSV has a row for each picture, and a name that a spreadsheet would run is made harmless."""
    text = {"name": "notes.png", "mimeType": "image/png", "buffer": b"I am no picture"}
    page.set_input_files("#files", [photo("chelsea.png", '=cmd|"x",1.png'), text])
    expect(page.get_by_role("heading", name="1 of 2 done, 1 failed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV").click()
    download.value.save_as(tmp_path / "labels.csv")

    with (tmp_path / "labels.csv").open(newline="") as file:
        done, failed = csv.DictReader(file)
    assert done["file"] == '\'=cmd|"x",1.png'
    assert "cat" in done["label_1"]
    assert float(done["score_1"]) >= float(done["score_5"]) >= 0
    assert failed["error"].startswith("This is not a PNG, JPEG or WebP image.")


def test_results_are_saved_as_json(page, photo, tmp_path):
    """The JSON has each answer as the service gave it."""
    page.set_input_files("#files", [photo("chelsea.png")])
    expect(page.get_by_role("heading", name="1 of 1 done")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save JSON").click()
    download.value.save_as(tmp_path / "labels.json")

    [answer] = json.loads((tmp_path / "labels.json").read_text())
    assert answer["file"] == answer["filename"] == "chelsea.png"
    assert len(answer["predictions"]) == 5


def test_clear_empties_the_page(page, photo):
    """Clear removes every card and the summary, and hands the focus to the chooser."""
    page.set_input_files("#files", [photo("chelsea.png")])
    page.get_by_role("button", name="Clear").click()

    expect(page.locator("#pictures > li")).to_have_count(0)
    expect(page.locator("#results")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()
