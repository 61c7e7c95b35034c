"""The page in a browser: it loads, complains of nothing, asks for nothing, and fits."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.report.browser import Browser, Page
from tests.report.made_up_masks import AskedMasks, made_up_masks
from tests.report.made_up_run import DIGITS, Asked, every_kind, interrupted, made_up

from fieldcraft.report.run_report import write_report
from fieldcraft.train.run_folder import RunFolder

PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    yield chromium.page()


def opened(page: Page, folder: RunFolder) -> Page:
    page.open(write_report(folder).as_uri())
    return page


def colour(page: Page, selector: str, what: str) -> tuple[int, ...]:
    found = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{what}")
    return tuple(int(part) for part in found.removeprefix("rgb(").removesuffix(")").split(", "))


def lightness(rgb: tuple[int, ...]) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [value / 255 for value in rgb]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    low, high = sorted((lightness(one), lightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_browser_notices_requests_and_complaints(page: Page, tmp_path: Path) -> None:
    """The null of the tests below."""
    (tmp_path / "bad.html").write_text(
        '<img src="http://outside.invalid/a.png"><script>console.error("x"); y()</script>'
    )
    page.open((tmp_path / "bad.html").as_uri())
    assert "http://outside.invalid/a.png" in page.requests
    assert len(page.complaints) >= 2


@pytest.mark.parametrize("asked", [pytest.param(asked, id=name) for name, asked in every_kind()])
def test_it_loads_without_complaint_or_outside_request_and_fits_a_phone(
    asked: Asked, page: Page, tmp_path: Path
) -> None:
    page.resize(*PHONE, phone=True)
    opened(page, made_up(tmp_path / "run", asked))
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert page.evaluate("document.title").endswith("fieldcraft report")


SEGMENTED = [
    pytest.param(AskedMasks(), id="volumes"),
    pytest.param(AskedMasks(shape=(30, 40), names=("membrane", "cell"), one_stack=True, membrane=0), id="stack"),
    pytest.param(AskedMasks(names=("background", "x" * 60, "left ventricle wall"), prefix="../" + "W" * 90), id="long"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("asked", SEGMENTED)
def test_masks_load_without_complaint_and_fit_a_phone(
    asked: AskedMasks, scheme: str, page: Page, tmp_path: Path
) -> None:
    page.resize(*PHONE, phone=True)
    page.prefer(scheme)
    opened(page, made_up_masks(tmp_path / "run", asked))
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert outside(page) == []
    narrow = page.evaluate("Math.min(...[...document.querySelectorAll('.slice')].map(one => one.clientWidth))")
    assert narrow > 150


def test_an_interrupted_run_fits_too(page: Page, tmp_path: Path) -> None:
    page.resize(*PHONE, phone=True)
    opened(page, interrupted(tmp_path))
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize("names", [DIGITS, ("malignant", "WWWWWWWWWWWWWW"), ("MMMMMMMMMMMMMMMMMMMM", "<b>", "i")])
def test_no_text_leaves_its_drawing_on_a_phone(names: tuple[str, ...], page: Page, tmp_path: Path) -> None:
    page.resize(*PHONE, phone=True)
    opened(page, made_up(tmp_path, Asked(names=names)))
    assert outside(page) == []


def outside(page: Page) -> list[str]:
    """Text that leaves its drawing."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('svg text')].filter(text => {
             const box = text.getBoundingClientRect(), frame = text.closest('svg').getBoundingClientRect();
             return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
               || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
           }).map(text => text.textContent)"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(scheme: str, page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    page.prefer(scheme)
    opened(page, made_up(tmp_path))
    paper = colour(page, "body", "backgroundColor")
    assert (lightness(paper) < 0.05) == (scheme == "dark")
    assert contrast(paper, colour(page, "body", "color")) > 7
    assert contrast(paper, colour(page, "figcaption", "color")) > 4.5
    assert contrast(paper, colour(page, "svg .tick", "fill")) > 4.5
    for series in range(6):
        page.evaluate(f"document.querySelector('.swatch').className = 'swatch s{series}'")
        assert contrast(paper, colour(page, ".swatch", "backgroundColor")) > 3


def test_contents_stay_beside_the_text_on_a_wide_screen(page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    opened(page, made_up(tmp_path))
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    page.evaluate("document.querySelector('#cost').scrollIntoView()")
    beside = page.evaluate("document.querySelector('.contents').getBoundingClientRect().toJSON()")
    text = page.evaluate("document.querySelector('main').getBoundingClientRect().toJSON()")
    assert beside["top"] >= 0
    assert beside["right"] < text["left"]
    assert text["width"] <= 1000


def test_print_is_light_and_shows_what_is_folded(page: Page, tmp_path: Path) -> None:
    page.resize(*DESK)
    opened(page, made_up(tmp_path))
    page.prefer("dark", media="print")
    assert lightness(colour(page, "body", "backgroundColor")) > 0.9
    assert page.evaluate("getComputedStyle(document.querySelector('.contents')).display") == "none"
    assert page.evaluate("document.querySelector('details pre').getBoundingClientRect().height") > 100


def test_keys_reach_every_table_that_scrolls(page: Page, tmp_path: Path) -> None:
    page.resize(*PHONE, phone=True)
    opened(page, made_up(tmp_path))
    stuck = page.evaluate(
        """[...document.querySelectorAll('.scroll')]
             .filter(table => table.scrollWidth > table.clientWidth && table.tabIndex < 0).length"""
    )
    assert stuck == 0
    first = page.evaluate("document.querySelector('a, button, [tabindex]').textContent")
    assert first == "Skip to the report"
