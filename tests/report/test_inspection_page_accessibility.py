"""What a screen reader is told of the explorer: Chromium's own accessibility tree, not the markup."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.report.browser import Browser, Page
from tests.report.made_up_inspection import made_up

from fieldcraft.report.inspection_page import write_inspection_page

CONTROLS = {
    "button", "checkbox", "combobox", "link", "listbox", "menuitem", "option", "radio", "searchbox", "slider",
    "spinbutton", "switch", "tab", "textbox", "tree", "treeitem", "DisclosureTriangle",
}  # fmt: skip
PICTURES = {"image", "img", "canvas", "Canvas", "graphics-document", "meter", "progressbar"}
"""A figure is named by the picture in it."""
NO_ROLE = {"", "generic", "none", "GenericContainer"}


@dataclass(frozen=True)
class Told:
    """One node as it is read out."""

    role: str
    name: str
    focusable: bool


@pytest.fixture
def page(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    one = chromium.page()
    one.resize(1280, 900)
    one.open(write_inspection_page(made_up(), tmp_path / "page.html").as_uri())
    one.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    yield one


def tree(page: Page) -> list[Told]:
    """All that is not left out of the tree."""
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    return [
        Told(
            role=str(one["role"]["value"]),
            name=str(one.get("name", {}).get("value", "")).strip(),
            focusable=any(is_["name"] == "focusable" and is_["value"]["value"] for is_ in one.get("properties", ())),
        )
        for one in nodes
        if not one["ignored"]
    ]


def test_every_control_and_picture_has_a_name(page: Page) -> None:
    found = tree(page)
    roles = {one.role for one in found}
    assert {"button", "slider", "tree", "treeitem"} <= roles
    assert [one for one in found if one.role in CONTROLS | PICTURES and not one.name] == []


def test_whatever_keys_reach_has_a_role_and_a_name(page: Page) -> None:
    reached = [one for one in tree(page) if one.focusable]
    assert len(reached) > 10
    assert [one for one in reached if one.role in NO_ROLE or not one.name] == []
