"""What is read from the run folder's files."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tests.report.made_up_run import Asked, made_up

from fieldcraft.report.metrics_log import read_log
from fieldcraft.report.pixels import THUMBNAIL_PX, data_uri, heat, picture
from fieldcraft.report.predictions_table import read_predictions


def decoded(uri: str) -> Image.Image:
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(BytesIO(base64.b64decode(body)))


def test_lines_cut_off_and_strange_values_are_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    log.write_text(
        '{"rung": "a", "step": 10, "kind": "train", "loss": 2.0, "lr": 0.1, "ms": 1.0}\n'
        '{"rung": "a", "step": 20, "kind": "train", "loss": NaN, "lr": 0.1, "ms": 1.0}\n'
        "[1, 2]\nnot json\n"
        '{"rung": "a", "step": 20, "kind": "validation", "loss": 1.5, "metric": 0.5}\n'
        '{"rung": "a", "step": 30, "ki'
    )
    (rung,) = read_log(log)
    assert (rung.loss.steps, rung.loss.values) == ((10,), (2.0,))
    assert rung.lr.steps == (10, 20)
    assert rung.validation_metric.values == (0.5,)
    assert rung.last_step == 20


def test_of_steps_logged_twice_the_later_line_counts(tmp_path: Path) -> None:
    log = tmp_path / "metrics.jsonl"
    line = '{{"rung": "{}", "step": {}, "kind": "train", "loss": {}, "lr": 0.1, "ms": 1.0}}\n'
    log.write_text("".join(line.format(*entry) for entry in [("b", 1, 9), ("b", 2, 8), ("a", 1, 1), ("b", 2, 7)]))
    first, second = read_log(log)
    assert (first.rung, second.rung) == ("b", "a")
    assert first.loss.values == (9.0, 7.0)


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert read_log(tmp_path / "metrics.jsonl") == ()


def test_probabilities_of_classes_are_read_for_labels_only(tmp_path: Path) -> None:
    single = read_predictions(made_up(tmp_path / "one").predictions)
    assert not single.named("p")
    assert single.judged()[1] == "test"
    several = read_predictions(made_up(tmp_path / "two", Asked(task="multi-label", names=("a", "b"))).predictions)
    assert several.named("p") == several.named("truth") == ("a", "b")
    none = read_predictions(made_up(tmp_path / "three", Asked(test=False)).predictions)
    assert none.judged()[1] == "validation"
    assert len(none.judged()[0]) == 216


def test_small_pictures_come_through_unchanged() -> None:
    drawn = np.random.default_rng(0)
    for channels in (1, 3):
        pixels = drawn.integers(0, 256, (28, 20, channels), dtype=np.uint8)
        seen = np.asarray(decoded(data_uri(picture(pixels)))).reshape(pixels.shape)
        assert np.array_equal(seen, pixels)


def test_odd_channel_counts_are_shown_too() -> None:
    pixels = np.zeros((8, 8, 2), dtype=np.uint8)
    assert picture(pixels).mode == "L"
    assert picture(np.zeros((8, 8, 5), dtype=np.uint8)).mode == "RGB"


def test_large_pictures_are_reduced_in_proportion() -> None:
    small = decoded(data_uri(picture(np.zeros((400, 200, 3), dtype=np.uint8))))
    assert small.size == (THUMBNAIL_PX // 2, THUMBNAIL_PX)


def test_heat_grows_lighter_with_importance() -> None:
    light = np.asarray(heat(np.linspace(-3, 8, 40)[None]).convert("L")).astype(int)[0]
    assert (np.diff(light) >= 0).all()
    assert light[-1] - light[0] > 150
    assert len(np.unique(np.asarray(heat(np.full((4, 4), np.nan))))) <= 3
