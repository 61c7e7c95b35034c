"""Budgets as people write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.errors import BudgetError
from fieldcraft.verbs.budget import seconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [("60s", 60), ("10m", 600), ("1h30m", 5400), ("90", 90), ("1h", 3600), ("2m30s", 150), ("1.5m", 90), (" 9 M ", 540),
     ("1h1m1s", 3661), ("0.5h", 1800), (45, 45), (12.5, 12.5)],
)  # fmt: skip
def test_what_people_write_is_read(written: str | float, expected: float) -> None:
    assert seconds(written) == expected


def test_none_is_no_limit() -> None:
    assert seconds(None) is None


@pytest.mark.parametrize(
    "written", ["", "ten minutes", "10x", "-5s", "10m5h", "s", "1m1m", "1e3", "5 s 3", "٣s", "inf"]
)
def test_what_cannot_be_read_says_how_to_write_it(written: str) -> None:
    with pytest.raises(BudgetError, match=r"60s, 10m, 1h30m"):
        seconds(written)


@pytest.mark.parametrize("written", ["0", "0s", "0h0m", 0, -3, float("nan"), float("inf")])
def test_no_time_at_all_is_refused(written: str | float) -> None:
    with pytest.raises(BudgetError, match="longer than zero"):
        seconds(written)


@settings(deadline=None, max_examples=50)
@given(hours=st.integers(0, 99), minutes=st.integers(0, 59), rest=st.integers(1, 59))
def test_hours_minutes_and_seconds_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest
