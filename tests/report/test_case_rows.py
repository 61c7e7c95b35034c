"""Facts of images with masks in words."""

from dataclasses import replace

import pytest
from tests.tips.known_masks import HIPPOCAMPUS

from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.report.case_rows import case_rows


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (2.5, "2.5"), (1200.0, "1,200"), (1e-10, "1.00e−10"), (3e30, "3.00e+30")]
)
def test_numbers_lose_noughts_behind_the_point_but_no_power_of_ten(value: float, shown: str) -> None:
    facts = HIPPOCAMPUS.facts.data.inputs
    assert isinstance(facts, CaseFacts)
    facts = replace(facts, anisotropy=replace(facts.anisotropy, value=value))
    rows = {name: told for name, told, _, _ in case_rows(facts)}
    assert rows["Largest spacing over smallest"] == shown
