"""The explorer in a browser: real keys and clicks, no complaints, nothing asked for, numbers that are true."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.report.browser import Browser, Page
from tests.report.made_up_inspection import NASTY, made_up
from tests.report.strict_html import read_strictly
from torch import nn

from fieldcraft.anatomy.receptive import Window, field_after, map_size
from fieldcraft.errors import InspectError
from fieldcraft.inspection.inspect import inspect
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.operations import Convolution, Pool, Rearrange
from fieldcraft.report.explorer.effective import planes
from fieldcraft.report.explorer.network import network_data
from fieldcraft.report.explorer.words import in_words, is_quiet
from fieldcraft.report.inspection_page import in_script, inspection_page, write_inspection_page
from fieldcraft.tips.rule import Circumstances

PHONE, DESK = (390, 844), (1280, 900)
CODES = {"ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Enter": 13}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    one = chromium.page()
    one.resize(*DESK)
    yield one


def opened(page: Page, inspection: Inspection, folder: Path) -> Page:
    page.open(write_inspection_page(inspection, folder / "page.html").as_uri())
    return page


def settled(page: Page) -> None:
    """Wait until what was asked for has been drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        known = {"key": key, "code": key, "windowsVirtualKeyCode": CODES.get(key, 0)}
        typed = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        page.call("Input.dispatchKeyEvent", type="keyDown", **known, **typed)
        page.call("Input.dispatchKeyEvent", type="keyUp", **known)
    settled(page)


def click(page: Page, selector: str, *, only_move: bool = False) -> None:
    """The middle of an element, by the mouse."""
    found = f"document.querySelector({json.dumps(selector)})"
    page.evaluate(
        f"document.documentElement.style.scrollBehavior = 'auto'; {found}.scrollIntoView({{block: 'center'}})"
    )
    settled(page)
    box = page.evaluate(f"{found}.getBoundingClientRect().toJSON()")
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    page.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
    if not only_move:
        page.call("Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, **at)
        page.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **at)
    settled(page)


def told(page: Page, selector: str) -> str:
    found: str = page.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")
    return found


def active(page: Page) -> str:
    """The layer that a screen reader is told of."""
    found: str = page.evaluate(
        "document.getElementById(document.querySelector('#tree').getAttribute('aria-activedescendant'))"
        ".getAttribute('aria-label')"
    )
    return found


def fact(page: Page, name: str) -> str | None:
    found: str | None = page.evaluate(
        f"""[...document.querySelectorAll('#facts > div')].filter(one => !one.hidden)
              .filter(one => one.querySelector('dt').textContent === {json.dumps(name)})
              .map(one => one.querySelector('dd').textContent)[0] ?? null"""
    )
    return found


def names(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('.item')].filter(one => !one.hidden)
             .sort((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)
             .map(one => one.querySelector('.name').textContent)"""
    )
    return found


def test_the_html_keeps_to_the_rules_and_holds_no_handlers() -> None:
    assert read_strictly(inspection_page(made_up())).faults == []


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_it_loads_without_complaint_or_outside_request_and_fits(
    size: tuple[int, int], page: Page, tmp_path: Path
) -> None:
    page.resize(*size, phone=size == PHONE)
    opened(page, made_up(), tmp_path)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [(tmp_path / "page.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert float(page.evaluate("document.documentElement.dataset.ready")) > 0


def test_text_of_the_user_stays_text(page: Page, tmp_path: Path) -> None:
    seen = made_up(NASTY, remedy=NASTY)
    opened(page, seen, tmp_path)
    press_to_tree(page)
    assert told(page, "h1") == NASTY
    assert NASTY in told(page, "#findings")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.complaints == []
    assert not [url for url in page.requests if "outside" in url]


def test_json_in_a_script_reads_back() -> None:
    value = {"a": NASTY, "b": "\u2028 & <b>"}
    assert json.loads(in_script(value)) == value
    assert "<" not in in_script(value)


def press_to_tree(page: Page) -> None:
    page.evaluate("document.querySelector('#tree').focus()")


def test_keys_go_through_the_layers(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "Home")
    assert active(page).startswith("x, input")
    press(page, "ArrowDown")
    assert active(page).startswith("stem, 3\N{MULTIPLICATION SIGN}3 convolution, stride 2, 3 \N{RIGHTWARDS ARROW} 8")
    assert told(page, "#layer-name") == "stem"
    assert (fact(page, "Field"), fact(page, "Stride"), fact(page, "Effective padding")) == ("3 px", "2 px", "1 px")
    assert fact(page, "Centre of unit i") == "0 + 2 i"
    assert fact(page, "Makes") == "1\N{MULTIPLICATION SIGN}8\N{MULTIPLICATION SIGN}16\N{MULTIPLICATION SIGN}16"
    press(page, "End")
    assert active(page).startswith("head, linear")
    press(page, "ArrowDown")
    assert active(page).startswith("head, linear")
    press(page, "ArrowUp")
    assert active(page).startswith("pool")


def test_blocks_open_and_close_by_key_and_click(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "Home", "ArrowDown", "ArrowDown")
    assert told(page, "#layer-name") == "body"
    everything = len(names(page))
    press(page, "ArrowLeft")
    assert names(page) == ["x", "stem", "body", "pool", "head"]
    expanded = "document.querySelector('.item.active').getAttribute('aria-expanded')"
    assert page.evaluate(expanded) == "false"
    press(page, "Enter")
    assert (page.evaluate(expanded), len(names(page))) == ("true", everything)
    press(page, "ArrowRight", "ArrowLeft")
    assert told(page, "#layer-name") == "body.0"
    assert page.evaluate(expanded) == "false"
    press(page, "ArrowLeft")
    assert told(page, "#layer-name") == "body"
    click(page, ".item.active .fold")
    assert page.evaluate(expanded) == "false"
    click(page, "#open-all")
    assert names(page)[:4] == ["x", "stem", "body", "0"]
    click(page, "#close-all")
    assert page.complaints == []


def test_hovering_shows_a_layer_and_leaves_the_chosen_one(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "Home", "ArrowDown")
    head = page.evaluate("[...document.querySelectorAll('.item')].find(one => one.textContent.startsWith('head')).id")
    click(page, f"#{head}", only_move=True)
    assert told(page, "#layer-name") == "head"
    assert active(page).startswith("stem")
    click(page, "h1", only_move=True)
    assert told(page, "#layer-name") == "stem"


def test_a_slash_finds_layers(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "/", *"second")
    assert told(page, "#found") == "1 of 2"
    assert told(page, "#layer-name") == "body.0.second"
    press(page, "Enter")
    assert (told(page, "#found"), told(page, "#layer-name")) == ("2 of 2", "body.1.second")
    press(page, *"zzz")
    assert told(page, "#found") == "no layer"


def test_a_finding_leads_to_its_layer(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    assert "warning FC999 made-up" in told(page, "#findings summary")
    click(page, "#findings .to-layer")
    assert told(page, "#layer-name") == "body.1.second"
    assert "do better" in told(page, "#layer-findings")
    assert "1 finding, warning" in active(page)
    assert page.evaluate("document.activeElement.id") == "tree"
    assert "\N{BLACK UP-POINTING TRIANGLE}" in told(page, ".item.active .badge")


def test_the_field_is_drawn_where_it_lies(page: Page, tmp_path: Path) -> None:
    """Unit 8 of the stem sees 15 to 17; the field of the rest is wider than the input of 32 and cut at its edges."""
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "Home", "ArrowDown")
    box = (
        "['x', 'y', 'width', 'height'].map(key => "
        "Number(document.querySelector('.field-picture .KIND').getAttribute(key)))"
    )
    assert page.evaluate(box.replace("KIND", "inside")) == [14.5, 14.5, 3, 3]
    assert "Unit 8, 8 sees height 15 to 17 of 32; width 15 to 17 of 32." in told(page, "#field-said")
    page.evaluate("document.querySelector('#units input').focus()")
    press(page, "Home")
    assert page.evaluate(box.replace("KIND", "inside")) == [14.5, -0.5, 3, 2]
    assert "(1 px beyond the edge)" in told(page, "#field-said")
    press_to_tree(page)
    press(page, "ArrowDown", "ArrowRight", "ArrowRight")
    assert page.evaluate(box.replace("KIND", "beyond"))[2:] == [35, 35]
    assert page.evaluate(box.replace("KIND", "inside"))[2] <= 32


def test_bars_follow_the_chosen_amount(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    press_to_tree(page)
    press(page, "Home", "ArrowDown")
    shown = "document.querySelector('.item.active .cost').textContent"
    assert page.evaluate(shown) == "55.3\N{NARROW NO-BREAK SPACE}k"  # 3 * 8 * 9 * 16 * 16
    click(page, ".choice label:nth-of-type(2)")
    assert page.evaluate(shown) == "224"
    click(page, ".choice label:nth-of-type(3)")
    assert page.evaluate(shown) == "8.00\N{NARROW NO-BREAK SPACE}KiB"
    click(page, "#cost-chart")
    assert told(page, "#layer-name").startswith("body")


def test_views_are_left_out_until_asked_for(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    assert "" not in names(page)[-2:]
    before = page.evaluate("document.querySelector('#space').style.height")
    click(page, "#all")
    assert page.evaluate("document.querySelector('#space').style.height") != before


def test_only_what_is_in_sight_is_in_the_document(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(depth=60), tmp_path)
    click(page, "#open-all")
    assert page.evaluate("parseInt(document.querySelector('#space').style.height) / 30") > 300
    press_to_tree(page)
    press(page, "End", "ArrowUp", "ArrowUp")
    assert page.evaluate("document.querySelectorAll('.item').length") < 80
    assert page.evaluate("document.querySelectorAll('.item.active').length") == 1
    page.evaluate("document.querySelector('#tree').scrollTop = 0")
    settled(page)
    assert page.evaluate("!!document.querySelector('.item.active')"), "the active layer stays for screen readers"


def test_print_shows_all_layers_that_are_open(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(depth=60), tmp_path)
    click(page, "#open-all")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.prefer("light", media="print")
    assert page.evaluate("[...document.querySelectorAll('.item')].filter(one => !one.hidden).length") > 300
    assert page.evaluate("getComputedStyle(document.querySelector('.tools')).display") == "none"


class Two(nn.Module):
    """Two inputs of different kinds, and a tensor that is an output as it came."""

    def forward(self, image: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Their sum, and the second."""
        return image + numbers.sum(), numbers


@pytest.mark.parametrize(
    ("module", "inputs"),
    [(nn.Identity(), (3, 8, 8)), (nn.Sequential(), (3, 8, 8)), (nn.Linear(4, 2), (4,)), (Two(), [(3, 8, 8), (4,)])],
)
def test_odd_modules_have_a_page_too(module: nn.Module, inputs: object, page: Page, tmp_path: Path) -> None:
    opened(page, inspect(module, inputs), tmp_path)
    press_to_tree(page)
    press(page, "Home", "ArrowDown", "End", "ArrowLeft", "Enter")
    click(page, "#open-all")
    click(page, "#cost-chart")
    click(page, "#all")
    assert page.complaints == []
    assert page.evaluate("document.documentElement.dataset.ready") is not None


def test_one_axis_and_three_axes(page: Page, tmp_path: Path) -> None:
    for axes, layer in ((1, nn.Conv1d(2, 3, 3)), (3, nn.Conv3d(2, 3, 3))):
        opened(page, inspect(nn.Sequential(layer, nn.ReLU()), (2, *(8,) * axes)), tmp_path)
        assert page.complaints == []
        assert page.evaluate("document.querySelectorAll('.field-picture').length") == {1: 1, 3: 2}[axes]


@pytest.mark.parametrize(
    ("axes", "size", "channels", "depth", "kernel", "stride", "dilation"),
    [
        (2, 224, 64, 2, 3, 1, 1), (3, 96, 16, 2, 3, 1, 1), (1, 500, 8, 6, 2, 1, 4), (2, 65, 32, 4, 3, 2, 1),
        (2, 33, 7, 3, 5, 2, 3), (3, 40, 4, 12, 3, 1, 2), (2, 7, 2, 12, 4, 3, 1), (2, 224, 64, 1, 11, 4, 8),
    ],
)  # fmt: skip
def test_the_bench_agrees_with_the_library(
    axes: int, size: int, channels: int, depth: int, kernel: int, stride: int, dilation: int, page: Page, tmp_path: Path
) -> None:
    asked = {"axes": axes, "size": size, "channels": channels, "depth": depth}
    asked |= {"kernel": kernel, "stride": stride, "dilation": dilation}
    opened(page, made_up(), tmp_path)
    for name, value in asked.items():
        page.evaluate(
            f"(one => {{ one.value = {value}; one.dispatchEvent(new Event('input')); }})"
            f"(document.querySelector('#bench-{name}'))"
        )
    layers = [Window(kernel, stride, (kernel - 1) * dilation // 2, dilation)] * depth
    field = field_after(layers)
    maps = [map_size(layers[: count + 1], size) for count in range(depth)]
    got = page.evaluate("({...document.querySelector('#bench').dataset})")
    weights = channels**2 * kernel**axes
    assert int(got["field"]) == field.size
    assert int(got["stride"]) == field.stride
    assert int(got["padding"]) == field.padding
    assert int(got["length"]) == maps[-1]
    assert int(got["parameters"]) == depth * weights
    assert int(float(got["macs"])) == sum(weights * length**axes for length in maps)


def test_the_bench_says_what_stacks_save(page: Page, tmp_path: Path) -> None:
    opened(page, made_up(), tmp_path)
    by, thin = "\N{MULTIPLICATION SIGN}", "\N{NARROW NO-BREAK SPACE}"
    assert told(page, "#bench-compare-is") == (
        f"Two 3{by}3 = one 5{by}5, with 18 instead of 25 weights per pair of channels (28{thin}% fewer)."
    )
    click(page, ".examples button:nth-child(3)")
    assert told(page, "#bench-compare-is") == (
        f"Two 3{by}3{by}3 = one 5{by}5{by}5, with 54 instead of 125 weights per pair of channels (57{thin}% fewer)."
    )
    page.evaluate("document.querySelector('#bench-depth').focus()")
    press(page, "ArrowRight")
    assert f"Three 3{by}3{by}3 = one 7{by}7{by}7, with 81 instead of 343" in told(page, "#bench-compare-is")
    click(page, ".examples button:nth-child(4)")
    assert "Holes: 6 of 13" in told(page, "#bench-holes-is")


def test_dark_mode_turns_the_paper(page: Page, tmp_path: Path) -> None:
    page.prefer("dark")
    opened(page, made_up(), tmp_path)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 25)"


def test_an_own_image_is_embedded_and_a_file_that_is_none_is_told_of(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (600, 300), "red").save(tmp_path / "own.png")
    assert "data:image/png;base64," in inspection_page(made_up(), image=tmp_path / "own.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InspectError, match="must be an image"):
        inspection_page(made_up(), image=tmp_path / "text.png")


@dataclass(frozen=True)
class Seen:
    """An effective field by hand."""

    heat: npt.NDArray[np.float64]
    width_px: tuple[float, ...] = (3.5, 3.5)
    share: float = 0.125


def test_an_effective_field_lies_over_the_input_of_its_layer_alone(page: Page, tmp_path: Path) -> None:
    effective = {"stem": Seen(np.eye(32)), "0": Seen(np.ones((32, 32)))}
    page.open(write_inspection_page(made_up(), tmp_path / "page.html", effective=effective).as_uri())
    press_to_tree(page)
    shown = "getComputedStyle(document.querySelector('.field-picture .heat')).display"
    press(page, "Home", "ArrowDown")
    assert page.evaluate(shown) == "inline"
    assert "deviation 3.50 px, 12.5" in told(page, "#heat-said")
    press(page, "ArrowDown", "ArrowLeft")
    assert (page.evaluate(shown), told(page, "#heat-said")) == ("none", "")
    press(page, "End")
    assert page.evaluate(shown) == "inline"
    assert page.complaints == []


@given(shape=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_there_is_a_heat_map_for_every_drawing(shape: list[int]) -> None:
    assert len(planes(np.ones(shape))) == {1: 1, 2: 1, 3: 2}[len(shape)]


def test_sources_are_earlier_rows_or_inputs() -> None:
    data = network_data(made_up())
    rows = data["rows"]
    assert isinstance(rows, dict)
    for index, sources in enumerate(rows["from"]):
        assert all(-len(data["inputs"]) <= source < index for source in sources)  # type: ignore[arg-type]


@given(axes=st.integers(1, 3), kernel=st.integers(1, 9), stride=st.integers(1, 4), outputs=st.integers(1, 99))
def test_words_name_what_differs_from_the_usual(axes: int, kernel: int, stride: int, outputs: int) -> None:
    words = in_words(
        Convolution(
            kernel=(kernel,) * axes, stride=(stride,) * axes, padding=(0,) * axes, dilation=(1,) * axes,
            groups=1, inputs=3, outputs=outputs, bias=True,
        )
    )  # fmt: skip
    assert ("stride" in words) == (stride > 1)
    assert "dilation" not in words and "groups" not in words
    assert words.endswith(f"3 \N{RIGHTWARDS ARROW} {outputs}")


def test_what_computes_is_never_left_out() -> None:
    assert is_quiet(Rearrange(name="view"))
    assert not is_quiet(Rearrange(name="roll"))
    assert not is_quiet(Pool(kind="max", kernel=(2,), stride=(2,), padding=(0,), dilation=(1,)))


def test_fields_are_compared_with_the_objects(page: Page, tmp_path: Path) -> None:
    found = inspect(nn.Conv2d(1, 1, 5), (1, 20, 20), circumstances=Circumstances(objects_px=(10.0,)))
    opened(page, found, tmp_path)
    facts = str(page.evaluate("document.getElementById('facts').textContent"))
    assert "Of the input0.25 × its length" in facts
    assert "Of the objects0.5 × their extent" in facts
