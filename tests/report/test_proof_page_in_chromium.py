"""The page of a proof in a browser: it complains of nothing, asks for nothing, fits, and is told to everybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.report.browser import Browser, Page
from tests.report.made_up_proof import all_kinds
from tests.report.test_in_chromium import DESK, PHONE, colour, contrast, lightness

from fieldcraft.report.proof_page import write_proof_page

KINDS = [
    "whole",
    "forty",
    "one",
    "cannot tell",
    "first pair",
    "nothing ran",
    "failed placebo",
    "long names",
    "no costs",
]
OUTSIDE = """[...document.querySelectorAll('svg text')].filter(text => {
  const box = text.getBoundingClientRect(), frame = text.closest('svg').getBoundingClientRect();
  return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
    || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
}).map(text => text.textContent)"""
OVERLAPPING = """[...document.querySelectorAll('svg')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text.tick, text.label')].map(one => [one, one.getBoundingClientRect()]);
  return texts.flatMap(([one, p], at) => texts.slice(at + 1).filter(([, q]) => p.width && q.width
    && p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3
  ).map(([other]) => [one.textContent, other.textContent]));
})"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    yield chromium.page()


def opened(page: Page, path: Path, name: str) -> Page:
    page.open(write_proof_page(all_kinds()[name], path / "proof.html").as_uri())
    return page


@pytest.mark.parametrize("name", KINDS)
def test_it_fits_and_nothing_overlaps(name: str, page: Page, tmp_path: Path) -> None:
    for size, phone in ((PHONE, True), (DESK, False)):
        page.resize(*size, phone=phone)
        opened(page, tmp_path, name)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(OVERLAPPING) == []
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.title").endswith("fieldcraft proof")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_verdicts_stand_out_in_light_and_dark(scheme: str, page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    page.prefer(scheme)
    opened(page, tmp_path, "whole")
    paper = colour(page, "body", "backgroundColor")
    assert (lightness(paper) < 0.05) == (scheme == "dark")
    for kind in ("paid", "hurt", "open"):
        assert contrast(paper, colour(page, f".verdict.{kind}", "color")) > 4.5
        assert contrast(paper, colour(page, f".forest .whisker.{kind}", "stroke")) > 3
    opened(page, tmp_path, "failed placebo")
    assert contrast(colour(page, ".alarm", "backgroundColor"), colour(page, ".alarm-title", "color")) > 4.5


def test_marks_are_drawn(page: Page, tmp_path: Path) -> None:
    """A mark is a reference to a shape: an address that leads nowhere draws nothing, and nobody is told."""
    page.resize(*DESK)
    opened(page, tmp_path, "whole")
    widths = page.evaluate("[...document.querySelectorAll('use.mark')].map(one => one.getBoundingClientRect().width)")
    assert len(widths) > 20
    assert min(widths) > 6


def test_the_zero_line_and_the_marks_stand_where_the_numbers_say(page: Page, tmp_path: Path) -> None:
    proof = all_kinds()["whole"]
    page.resize(*DESK)
    opened(page, tmp_path, "whole")
    middles = page.evaluate(
        """[...document.querySelectorAll('#effects .forest tbody tr')].map(row => {
             const cell = row.querySelector('.plot').getBoundingClientRect();
             const mark = row.querySelector('use').getBoundingClientRect();
             return 100 * (mark.left + mark.width / 2 - cell.left) / cell.width;
           })"""
    )
    zero = float(page.evaluate("document.querySelector('#effects .forest').style.getPropertyValue('--zero')")[:-1])
    effects = sorted((one.effect.value for one in proof.verdicts if one.effect), reverse=True)
    scale = (middles[0] - middles[-1]) / (effects[0] - effects[-1])
    for middle, effect in zip(middles, effects, strict=True):
        assert middle == pytest.approx(zero + scale * effect, abs=0.6)


def test_tables_keep_their_meaning_on_a_phone(page: Page, tmp_path: Path) -> None:
    page.resize(*PHONE, phone=True)
    opened(page, tmp_path, "whole")
    label = page.evaluate("getComputedStyle(document.querySelector('.forest td.number'), '::before').content")
    assert "Effect" in label


def test_every_picture_has_a_name(page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    opened(page, tmp_path, "whole")
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    pictures = [one for one in nodes if not one["ignored"] and one["role"]["value"] in ("image", "img")]
    assert len(pictures) > 15
    assert all(str(one.get("name", {}).get("value", "")).strip() for one in pictures)


def test_print_is_light_and_shows_what_is_folded(page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    opened(page, tmp_path, "whole")
    page.prefer("dark", media="print")
    assert lightness(colour(page, "body", "backgroundColor")) > 0.9
    assert page.evaluate("document.querySelector('#history details table').getBoundingClientRect().height") > 100
