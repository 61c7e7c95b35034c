"""The report of a segmentation: what it says, in words and in drawings."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from tests.report.made_up_masks import AskedMasks, made_up_masks
from tests.report.strict_html import read_strictly

from fieldcraft.report.reading import read_run
from fieldcraft.report.run_report import render, write_report

HOSTILE = '<script>alert("x")</script>'
OLD = Path(__file__).parent / "fixtures" / "masks-1"
STACK = AskedMasks(shape=(24, 20), names=("membrane", "cell"), one_stack=True, membrane=0)


def page_of(folder) -> str:
    return write_report(folder).read_text()


def test_every_measure_has_its_name_its_unit_and_its_better_side(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path))
    assert "your own metric" not in page and "hd95_mm" not in page and "boundary_iou" not in page
    for label in ("Dice", "IoU", "HD95, mm", "Surface Dice", "Boundary IoU", "Voxel accuracy"):
        assert f"<dt>{label}</dt>" in page
        assert re.search(rf'<th scope="row">{label}</th>', page)
    assert page.count("less is better") >= 2 and "Rand score" not in page
    assert "predictions.parquet" not in page


def test_cases_come_worst_first_and_the_worst_in_all_planes(tmp_path: Path) -> None:
    folder = made_up_masks(tmp_path)
    found = read_run(folder).masks
    assert found is not None
    page = page_of(folder)
    order = re.findall(r"<h4><bdi>(.*?)</bdi></h4>", page)
    dice = {one.case: np.mean([row.dice for row in one.classes]) for one in found.cases}
    assert order == sorted(dice, key=dice.__getitem__)
    assert [page.count(f"Truth and prediction as outlines, {name} ") for name in order] == [3, 3, 3, 1, 1, 1, 1]
    assert "3 more</summary>" in page and "R and L are the patient" in page


def test_a_single_stack_says_so_and_gives_no_intervals(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path, STACK))
    assert "slices of one volume: this says nothing of another volume" in page
    assert "All test cases are of one group: no interval can be given." in page
    section = page[page.index('id="masks"') : page.index('id="cost"')]
    assert not re.search(r'<td class="number">[\d.]+ \(', section)
    assert "HD95, px" in page and "Rand score" in page and "Rand, merges" in page
    assert "1 block of slices that took no part" in page and "95 % bootstrap intervals" not in page
    assert "R and L are" not in page
    assert "where the probability of membrane is at least 0.35, which was fixed on validation" in page


def test_groups_have_intervals_in_brackets(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path))
    assert re.search(r'<th scope="row">Dice</th><td class="number">0\.\d+ \(0\.\d+ to \d\.\d+\)</td>', page)


def test_calibration_last_steps_reach_and_depths_are_told(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path))
    for told in (
        "expected calibration error (ECE) of 4,000 test voxels was 1.2",
        "of the 1,000 where background was given less",
        "dense CRF: not kept. Best of the 11 tried: smoothing 0.5 over 1 mm.",
        "dense CRF, HD95, mm",
        "Training patch: 8 x 8 x 8 voxels",
        "Receptive field of the deepest level: 9 x 9 x 9 voxels",
        "Where the mistakes lie",
        "A step is 2 mm",
    ):
        assert told in page, told


def test_classes_that_are_called_by_numbers_are_said_to_be_classes(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path, AskedMasks(names=("0", "1", "2"))))
    assert "missed: taken for class 0<" in page and "imagined: class 0 taken for something else<" in page


def test_the_largest_object_is_shown_with_the_patients_sides(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path))
    drawn = page[page.index('class="chart field-drawing"') :]
    assert re.findall(r'class="end"[^>]*>(.)</text>', drawn[: drawn.index("</svg>")]) == list("ALPR")


def test_ticks_of_sizes_differ(tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path, replace(STACK, shape=(96, 80))))
    drawn = page[page.index("Dice over the number of true voxels") :]
    ticks = re.findall(r'class="tick"[^>]*>([^<]+)</text>', drawn[: drawn.index("</svg>")])
    assert len(ticks) > 5 and len(set(ticks)) == len(ticks)


def test_missed_and_imagined_classes_are_told(tmp_path: Path) -> None:
    run = read_run(made_up_masks(tmp_path))
    assert run.masks is not None
    shell, core = run.masks.summary.classes
    classes = (replace(shell, missed=2, imagined=1), replace(core, class_name="2", missed=1, cases=6))
    found = replace(run.masks, summary=replace(run.masks.summary, classes=classes))
    page = render(replace(run, masks=found))
    assert "Missed altogether: shell in 2 of the 7 cases with it; class 2 in 1 of the 6 cases with it." in page
    assert "Imagined, in cases without any: shell in 1 case." in page


@pytest.mark.parametrize("count", [6, 7])
def test_many_classes_stand_below_each_other(count: int, tmp_path: Path) -> None:
    run = read_run(made_up_masks(tmp_path))
    assert run.masks is not None
    shell, _ = run.masks.summary.classes
    classes = tuple(replace(shell, class_id=1 + place % 2, class_name=f"organ {place}") for place in range(count))
    page = render(replace(run, masks=replace(run.masks, summary=replace(run.masks.summary, classes=classes))))
    down, across = ('<th scope="row">organ 5</th>' in page), ('<th scope="col" class="number">organ 5</th>' in page)
    assert (down, across) == (count > 6, count <= 6)
    assert ('<th scope="col" class="number">HD95, mm</th>' in page) == (count > 6)


def test_a_run_of_before_is_still_read(tmp_path: Path) -> None:
    """`masks.json` and `thumbnails.npz` of pictures as the first fieldcraft with masks wrote them."""
    folder = made_up_masks(tmp_path, STACK)
    for path in (folder.masks, folder.thumbnails):
        shutil.copyfile(OLD / path.name, path)
    page = page_of(folder)
    assert "Cannot be read" not in page and "Where the mistakes lie" not in page
    assert "beside the largest object" not in page
    assert page.count('<div class="slices whole">') == 3 and "all of it" not in page
    assert 'aria-label="Truth and prediction as outlines, slice-2"' in page and "with the most mistakes" not in page


def test_a_run_before_its_look_says_what_is_missing(tmp_path: Path) -> None:
    folder = made_up_masks(tmp_path)
    folder.masks.unlink()
    page = page_of(folder)
    assert "stand on rules alone. fieldcraft prove RUN says" in page and "`" not in page
    assert "The test part was not looked at yet" in page and "Not there (yet): masks.json." in page


@pytest.mark.parametrize("asked", [AskedMasks(), STACK, AskedMasks(names=("a & b", HOSTILE, "x" * 80), prefix=HOSTILE)])
def test_pages_are_well_formed_and_escape_what_people_named(asked: AskedMasks, tmp_path: Path) -> None:
    page = page_of(made_up_masks(tmp_path, asked))
    assert read_strictly(page).faults == []
    assert HOSTILE not in page
    assert str(escape(asked.names[1])) in page
