"""Numbers in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.records.results import Estimate
from fieldcraft.report.metrics import KNOWN, metric, spoken
from fieldcraft.report.wording import THIN, estimate, mebibytes, number, percent, plural, seconds, shortened


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234.5, "1,234"), (12.345, "12.3"), (0.05, "0.0500"), (-2.5, "−2.50"), (float("nan"), "not a number"),
     (float("-inf"), "−∞"), (3e-9, "3.00e−09")],
)  # fmt: skip
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(1e-4, 1e11), st.booleans())
def test_numbers_keep_three_digits(value: float, negative: bool) -> None:
    value = -value if negative else value
    read_back = float(number(value).replace(",", "").replace("−", "-"))
    assert math.isclose(read_back, value, rel_tol=0.0051)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.04, "40~ms"),
        (3.21, "3.2~s"),
        (60, "60~s"),
        (180, "3~min"),
        (200, "3~min 20~s"),
        (3600, "1~h"),
        (5000, "1~h 23~min"),
    ],
)
def test_durations(value: float, shown: str) -> None:
    assert seconds(value) == shown.replace("~", THIN)


def test_units() -> None:
    assert mebibytes(731) == f"731{THIN}MiB"
    assert mebibytes(2048) == f"2.0{THIN}GiB"
    assert mebibytes(1.25) == f"1.2{THIN}MiB"
    assert mebibytes(0.05) == f"51{THIN}KiB"
    assert mebibytes(0) == f"0{THIN}MiB"
    assert percent(0.1234) == f"12.3{THIN}%"
    assert plural(1, "class", "classes") == "1 class"
    assert plural(1200, "class", "classes") == "1,200 classes"


def test_one_group_has_no_interval() -> None:
    assert estimate(Estimate(value=0.9445, low=0.9445, high=0.9445, n=1), share=False)[1] == "one group: no interval"


def test_estimates_have_the_decimals_that_their_interval_supports() -> None:
    assert estimate(Estimate(value=0.98611, low=0.97222, high=0.99722, n=360), True) == (
        f"98.6{THIN}%",
        f"97.2 to 99.7{THIN}%",
    )
    assert estimate(Estimate(value=0.99634, low=0.9951, high=0.9974, n=10_000), True) == (
        f"99.63{THIN}%",
        f"99.51 to 99.74{THIN}%",
    )
    assert estimate(Estimate(value=54.123, low=50.04, high=58.33, n=89), False) == ("54.1", "50.0 to 58.3")
    assert estimate(Estimate(value=0.5, low=0.5, high=0.5, n=2), False) == ("0.50", "0.50 to 0.50")


@given(st.text(max_size=60), st.integers(3, 20))
def test_shortened_text_is_short_and_keeps_its_ends(text: str, most: int) -> None:
    found = shortened(text, most)
    assert len(found) <= most or found == text
    assert len(found) == min(len(text), most)
    assert found[:1] == text[:1]
    assert found[-1:] == text[-1:]


def test_own_metrics_are_shown_under_their_name() -> None:
    assert metric("my_package:dice").label == "my_package:dice"
    assert metric("balanced_accuracy") == metric("balanced-accuracy")


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_metrics_keep_initials_and_names_within_a_sentence(name: str) -> None:
    ordinary = {
        "accuracy": "accuracy", "balanced-accuracy": "balanced accuracy", "log-loss": "log-loss",
        "ece": "calibration error", "surface-dice": "surface Dice", "boundary-iou": "boundary IoU",
        "coverage": "interval coverage",
    }  # fmt: skip
    assert spoken(name) == ordinary.get(name, KNOWN[name].label)
