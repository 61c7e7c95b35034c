"""Bad images with masks through the commands: named before training, one clear message, no traceback."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from tests.data.made_up_cases import ball, noisy, pictures, save, volumes
from typer.testing import CliRunner, Result

import fieldcraft as fc
from fieldcraft.cli.app import app
from fieldcraft.errors import DataError

SHAPE = (10, 12, 8)
IMAGE, MASK = "imagesTr/case_00.nii.gz", "labelsTr/case_00.nii.gz"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def words(done: Result) -> str:
    return " ".join(done.output.split())


def larger_mask(folder: Path) -> None:
    save(folder / MASK, ball(20, 24, 16))


def other_spacing(folder: Path) -> None:
    save(folder / MASK, ball(*SHAPE), np.diag([1.0, 1.0, 2.0, 1.0]))


def other_direction(folder: Path) -> None:
    save(folder / MASK, ball(*SHAPE), np.diag([-1.0, 1.0, 1.0, 1.0]))


def not_a_number(folder: Path) -> None:
    image = noisy(ball(*SHAPE), 0).astype(np.float32)
    image[1, 1, 1] = np.nan
    save(folder / IMAGE, image)


def cut_short(folder: Path) -> None:
    whole = (folder / IMAGE).read_bytes()
    (folder / IMAGE).write_bytes(whole[: len(whole) - 30])


def four_axes(folder: Path) -> None:
    save(folder / IMAGE, np.zeros((*SHAPE, 3), np.uint8) + np.arange(3, dtype=np.uint8))


def flat_among_volumes(folder: Path) -> None:
    save(folder / IMAGE, noisy(ball(10, 12), 0))
    save(folder / MASK, ball(10, 12))


def no_spacing(folder: Path) -> None:
    raw = folder / IMAGE.replace(".gz", "")
    nibabel.save(nibabel.load(folder / IMAGE), raw)
    (folder / IMAGE).unlink()
    data = bytearray(raw.read_bytes())
    data[84:88] = b"\0\0\0\0"
    raw.write_bytes(data)


def unknown_label(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"labels": {"background": 0, "organ": 1}}')
    mask = ball(*SHAPE)
    mask[0, 0, 0] = 7
    save(folder / MASK, mask)


def colour_mask(folder: Path) -> None:
    colour = np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    colour["R"] = 255 * ball(*SHAPE)
    nibabel.save(nibabel.Nifti1Image(colour, np.eye(4)), folder / MASK)


def empty_mask(folder: Path) -> None:
    save(folder / MASK, np.zeros(SHAPE, np.uint8))


def constant_image(folder: Path) -> None:
    save(folder / IMAGE, np.full(SHAPE, 9, np.uint8))


def missing_image(folder: Path) -> None:
    (folder / IMAGE).unlink()


STOPS: dict[Callable[[Path], None], tuple[str, str]] = {
    larger_mask: ("shape-mismatch", "the mask is larger than its image"),
    other_spacing: ("spacing-mismatch", "case_00"),
    other_direction: ("orientation-mismatch", "point to LAS, those of the image to RAS"),
    not_a_number: ("not-finite", "case_00"),
    cut_short: ("unreadable", "cut short"),
    four_axes: ("too-many-axes", "4 axes (10 x 12 x 8 x 3)"),
    flat_among_volumes: ("mixed-dimensions", "2 axes among 5 cases with 3"),
    no_spacing: ("bad-spacing", "1 x 0 x 1 mm apart"),
    unknown_label: ("unknown-label", "7 (1 voxels)"),
    colour_mask: ("unreadable", "its voxels are colours (R, G, B): save masks as class numbers"),
}
WARNS: dict[Callable[[Path], None], str] = {
    empty_mask: "empty-mask",
    constant_image: "constant",
    missing_image: "unpaired",
}


@pytest.mark.parametrize("spoil", STOPS, ids=lambda one: one.__name__)
def test_what_would_spoil_the_result_is_named_before_training(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    folder = volumes(tmp_path / "scans", shape=SHAPE)
    spoil(folder)
    kind, said = STOPS[spoil]
    done = call("audit", folder)
    assert done.exit_code == 3 and kind in words(done) and "case_00" in words(done), done.output
    done = call("fit", folder, "--out", tmp_path / "run", "--budget", "60s")
    assert done.exit_code == 2 and "case_00" in words(done) and said in words(done), done.output
    assert "Traceback" not in done.output and not (tmp_path / "run" / "plan.toml").exists()


@pytest.mark.parametrize("spoil", WARNS, ids=lambda one: one.__name__)
def test_what_is_only_odd_is_named_by_the_audit(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    folder = volumes(tmp_path / "scans", shape=SHAPE)
    spoil(folder)
    done = call("audit", folder)
    assert done.exit_code in (0, 3) and WARNS[spoil] in words(done) and "case_00" in words(done), done.output


def test_a_mask_that_was_saved_as_jpeg(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "cells", 8, value=255)
    for number in range(8):
        large = ball(96, 96, at=(40 + number, 48), radius=30) * np.uint8(255)
        save(folder / f"images/{number}.png", noisy(large, number))
        save(folder / f"masks/{number}.png", large)
    Image.open(folder / "masks/0.png").save(folder / "masks/0.jpg", quality=50)
    (folder / "masks/0.png").unlink()
    done = call("audit", folder)
    assert "lossy-mask" in words(done) and "lossy JPEG" in words(done), done.output


def one_case(folder: Path) -> Path:
    return volumes(folder, 1)


def one_class(folder: Path) -> Path:
    return volumes(folder, 4, mask=lambda number: np.zeros(SHAPE, np.uint8))


def regions(folder: Path) -> Path:
    return volumes(folder, 3, said={"labels": {"background": 0, "whole": [1, 2]}})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (one_case, "1 case(s) with a mask: 3 at least"),
        (one_class, "masks of one class only"),
        (regions, "whole are regions"),
    ],
)
def test_sets_that_nothing_can_be_learnt_from(make: Callable[[Path], Path], said: str, tmp_path: Path) -> None:
    done = call("fit", make(tmp_path / "scans"), "--out", tmp_path / "run", "--budget", "60s")
    assert done.exit_code == 2 and said in words(done) and "Traceback" not in done.output, done.output


def test_a_proof_reads_masks_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[fc.ReadOptions] = []

    def prove(what: str, *, options: fc.ReadOptions, **others: object) -> None:
        seen.append(options)
        raise DataError("enough")

    monkeypatch.setattr("fieldcraft.verbs.prove.prove", prove)
    assert call("prove", tmp_path, "--void", 7, "--void", 9).exit_code == 2
    assert [one.void for one in seen] == [(7, 9)]


def test_void_is_a_word_of_every_command_and_of_python(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "cells", 8)
    for file in (folder / "masks").iterdir():
        mask = ball(16, 20)
        mask[0] = 7
        save(file, mask)
    for command in ("fit", "plan", "prove", "audit", "fingerprint", "data"):
        assert "--void" in CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output, command
    tips = ["--only", "patch-size", "--only", "mask-network", "--set", "ladder.rungs=[]"]
    done = call("plan", folder, "--void", 7, "--out", tmp_path / "plan.toml", *tips)
    assert done.exit_code == 0, done.output
    given = fc.ReadOptions(void=(7,))
    facts = fc.draft(folder, options=given, only=("patch-size",)).facts.data
    assert facts.target.outputs == 2 and fc.draft(folder, only=("patch-size",)).facts.data.target.outputs == 3
    run = fc.fit(
        folder, options=given, only=("mask-network", "patch-size"), out=tmp_path / "run",
        edits=["ladder.baselines=['mean-shape']", "ladder.rungs=[]"],
    )  # fmt: skip
    assert run.results.winner == "mean-shape"
    assert fc.load(run.path).spec.names == ("background", "foreground")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("input.patch=[8, 8]", "for cases with 2 spatial axes, but those of the data have 3"),
        ("input.channels=2", "for cases with 2 channels, but those of the data have 1"),
    ],
)
def test_what_is_set_by_hand_must_be_for_cases_like_these(setting: str, said: str, tmp_path: Path) -> None:
    folder = volumes(tmp_path / "set", 12, shape=SHAPE)
    for command in (("plan", folder), ("fit", folder, "--out", tmp_path / "run")):
        done = call(*command, "--set", setting, "--budget", "5m")
        assert done.exit_code == 2 and said in words(done), done.output
