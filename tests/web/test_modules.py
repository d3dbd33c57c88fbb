"""House laws of the browser code that a test can hold."""

from __future__ import annotations

import re

import pytest

from app.web import assets

pytestmark = pytest.mark.fast
OWN = {path: file.body.decode() for path, file in assets.files().items() if path.startswith("js/")}
IMPORT = re.compile(r'^import\s(?:[^;"]*?\sfrom\s)?"([^"]+)";', re.MULTILINE)


def test_no_string_ever_becomes_markup_or_code() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\beval\(|new Function"
    )
    assert {path: found for path, text in OWN.items() if (found := forbidden.findall(text))} == {}


def test_the_models_know_no_page() -> None:
    """What is in `realtime/` runs without a document; only its public face may look at the browser."""
    looks = re.compile(r"\bdocument\.|\bwindow\.")
    models = {path: text for path, text in OWN.items() if path.startswith("js/realtime/")}
    assert [path for path, text in models.items() if looks.search(text)] == []
    outside = [path for path, text in models.items() if "../elements" in text or "../view" in text]
    assert outside == []


def test_every_import_is_a_file_or_in_the_import_map() -> None:
    known = assets.import_map()["imports"]
    bare = {name for text in OWN.values() for name in IMPORT.findall(text) if not name.startswith(".")}
    assert bare == set(known), "nothing is missing, nothing is left over"
    assert all(path in assets.files() for path in assets.IMPORTS.values())


def test_files_stay_small() -> None:
    sizes = sorted(text.count("\n") for text in OWN.values())
    assert sizes[-1] <= 360
    assert sizes[len(sizes) // 2] <= 80


def test_the_first_load_stays_light() -> None:
    """150 KB is promised for all of it; the page itself takes some 7 KB."""
    files = assets.files()
    scripts = [files[address.split("/", 3)[3]].compressed for address in assets.modules("js/pages/chat.js")]
    styles = [file.compressed for path, file in files.items() if path.endswith(".css")]
    assert sum(map(len, [*scripts, *styles])) < 140_000


def test_what_is_served_has_the_lines_of_its_source() -> None:
    """So that an error's line can be looked up."""
    for path, text in OWN.items():
        assert text.count("\n") == (assets.STATIC / path).read_text().count("\n"), path
    assert "/**" not in OWN["js/realtime/session.js"]
