"""The page as a whole: every kind of run, hostile names, and runs that stopped half-way."""

from pathlib import Path

import numpy as np
import pytest
from tests.report.made_up_run import HOSTILE, Asked, every_kind, interrupted, made_up
from tests.report.strict_html import StrictReader, read_strictly

from fieldcraft.report.run_report import write_report
from fieldcraft.train.run_folder import RunFolder

LIMIT = 1_500_000
ALWAYS = ["verdict", "candidates", "data", "deep", "plan"]
AFTER = ["importance", "mistakes", "cost", "notes", "provenance"]


def read(folder: RunFolder) -> tuple[StrictReader, str]:
    page = write_report(folder).read_text(encoding="utf-8")
    reader = read_strictly(page)
    assert reader.faults == []
    return reader, " ".join("".join(reader.text).split())


def sections(reader: StrictReader) -> list[str]:
    return [name for name in reader.ids if name != "main" and not name.endswith("-title")]


@pytest.mark.parametrize("asked", [pytest.param(asked, id=name) for name, asked in every_kind()])
def test_every_kind_of_run_gives_a_sound_page(asked: Asked, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "run", asked)
    reader, _ = read(folder)
    assert "script" not in reader.tags
    assert folder.report.stat().st_size < LIMIT
    found = sections(reader)
    assert found[: len(ALWAYS)] == ALWAYS
    assert found[-5:] == AFTER


def test_sections_of_an_image_classifier_stand_in_their_order(tmp_path: Path) -> None:
    reader, _ = read(made_up(tmp_path))
    middle = ["receptive_field", "curves", "confusion", "calibration", "certainty"]
    assert sections(reader) == [*ALWAYS, *middle, *AFTER]


def test_a_table_has_no_receptive_field_and_regression_no_confusion(tmp_path: Path) -> None:
    reader, _ = read(made_up(tmp_path, Asked(task="regression", images=False, names=("progression",))))
    assert not {"receptive_field", "confusion", "calibration"} & set(sections(reader))


def test_names_are_shown_as_text_and_never_run(tmp_path: Path) -> None:
    asked = Asked(names=(HOSTILE, "</svg></style>", "b & c", "\x00\x1b[31mred"), prefix=f"../{HOSTILE}")
    reader, text = read(made_up(tmp_path, asked))
    assert HOSTILE in text
    assert "script" not in reader.tags
    assert "<script" not in (tmp_path / "report.html").read_text().lower()
    assert not any(ord(letter) < 32 for letter in text)


def test_names_of_undecodable_files_do_not_stop_the_page(tmp_path: Path) -> None:
    folder = made_up(tmp_path)
    with np.load(folder.thumbnails) as stored:
        arrays = dict(stored)
    arrays["sample_labels"] = np.array(["caf\udce9"] * len(arrays["samples"]))
    np.savez(folder.thumbnails, **arrays)
    _, text = read(folder)
    assert "caf\N{REPLACEMENT CHARACTER}" in text


def test_a_winning_baseline_is_said_first(tmp_path: Path) -> None:
    _, text = read(made_up(tmp_path, Asked(winner="linear")))
    assert text.index("A baseline wins") < text.index("share of samples predicted right")
    assert "linear — winner" in text
    assert "linear ★" in text


def test_looks_at_the_test_part_are_counted(tmp_path: Path) -> None:
    _, first = read(made_up(tmp_path / "one"))
    assert "Look 1 of the test part" in first
    assert "has been looked at" not in first
    _, third = read(made_up(tmp_path / "three", Asked(looks=3)))
    assert "Look 3 of the test part" in third
    assert "has been looked at 3 times" in third


def test_reasons_of_applied_and_skipped_tips_are_there(tmp_path: Path) -> None:
    _, text = read(made_up(tmp_path))
    assert "averaging decay 0.99" in text
    assert "ladder.rungs.residual network resnet" in text
    assert "validation is noisy: 288 samples" in text
    assert "the task would not gain from it" in text
    assert "left out: --without compile" in text
    assert "[ladder]" in text, "all of plan.toml"


def test_without_a_test_part_the_page_says_so(tmp_path: Path) -> None:
    _, text = read(made_up(tmp_path, Asked(test=False)))
    assert "There are no test numbers" in text
    assert "216 samples of the validation part" in text


def test_an_interrupted_run_says_how_far_it_got(tmp_path: Path) -> None:
    _, text = read(interrupted(tmp_path))
    assert "This run has not finished." in text
    assert "step 900 of residual" in text
    assert "Not there (yet): results.json, predictions.parquet." in text
    assert "cool-down" in text, "the journal"


def test_an_empty_folder_gives_a_page_too(tmp_path: Path) -> None:
    _, text = read(RunFolder(tmp_path))
    assert "This run has not finished. No network was trained yet." in text


@pytest.mark.parametrize(
    "name", ["plan.toml", "facts.json", "results.json", "predictions.parquet", "thumbnails.npz", "provenance.json"]
)
def test_a_damaged_file_is_named_and_the_rest_is_shown(name: str, tmp_path: Path) -> None:
    made_up(tmp_path)
    (tmp_path / name).write_bytes(b"\x93half a file")
    _, text = read(RunFolder(tmp_path))
    assert f"Cannot be read: {name}" in text


def test_large_pictures_keep_the_page_light(tmp_path: Path) -> None:
    folder = made_up(tmp_path)
    with np.load(folder.thumbnails) as stored:
        arrays = dict(stored)
    noise = np.random.default_rng(0).integers(0, 256, (40, 224, 224, 3), dtype=np.uint8)
    arrays |= {"samples": noise, "saliency_images": noise[:8], "mistakes": noise[: len(arrays["mistakes"])]}
    arrays |= {"saliency": noise[:8, ..., 0] / 255.0, "saliency_random": noise[8:16, ..., 0] / 255.0}
    np.savez(folder.thumbnails, **arrays)
    read(folder)
    assert folder.report.stat().st_size < LIMIT


def test_writing_twice_gives_the_same_page(tmp_path: Path) -> None:
    folder = made_up(tmp_path)
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
