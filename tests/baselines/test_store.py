"""Baselines on disk: the same scores after reading, and nothing else is ever built."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier

from fieldcraft.baselines import fit_baseline, load, save
from fieldcraft.errors import FieldcraftError, RunError

FEATURES = np.random.default_rng(0).normal(size=(80, 3)).astype("f4")
CLASSES = np.arange(80) % 3
TARGETS = {
    "single-label": (CLASSES, 3),
    "multi-label": ((FEATURES[:, :2] > 0).astype(np.uint8), 2),
    "regression": (FEATURES[:, :2].astype("f8"), 2),
}


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("kind", ["majority", "linear", "boosting"])
def test_reading_gives_back_what_was_written(kind, task, tmp_path):
    targets, outputs = TARGETS[task]
    fitted = fit_baseline(kind, FEATURES, targets, task, outputs, seconds=0.2, threads=1, seed=0)
    save(fitted, tmp_path / "model.skops")
    again = load(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.scores(FEATURES), fitted.scores(FEATURES))
    assert (again.name, again.sample, again.note, again.task) == (kind, fitted.sample, fitted.note, task)


def test_what_it_looks_at_is_kept_and_older_files_look_at_all(tmp_path):
    fitted = fit_baseline("linear", FEATURES[:, [0, 2]], CLASSES, "single-label", 3, seconds=None, threads=1, seed=0)
    save(replace(fitted, columns=(0, 2)), tmp_path / "model.skops")
    again = load(tmp_path / "model.skops")
    assert again.columns == (0, 2)
    np.testing.assert_array_equal(again.scores(FEATURES), fitted.scores(FEATURES[:, [0, 2]]))
    body = {
        "schema": 1, "name": "linear", "task": "single-label", "outputs": 3, "sample": "all", "note": "",
        "estimator": list(fitted.estimator),
    }  # fmt: skip
    (tmp_path / "old.skops").write_bytes(skops.io.dumps(body))
    assert load(tmp_path / "old.skops").columns == ()


def written(tmp_path):
    fitted = fit_baseline("majority", FEATURES, CLASSES, "single-label", 3, seconds=None, threads=1, seed=0)
    save(fitted, tmp_path / "model.skops")
    return tmp_path / "model.skops"


def test_any_other_type_is_refused_by_name(tmp_path):
    path = tmp_path / "model.skops"
    tree = DecisionTreeClassifier().fit(FEATURES, CLASSES)
    path.write_bytes(skops.io.dumps({"schema": 1, "estimator": [tree]}))
    with pytest.raises(RunError, match="DecisionTreeClassifier"):
        load(path)


def test_a_smuggled_function_is_never_called(tmp_path):
    path, evil = written(tmp_path), tmp_path / "evil.skops"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(evil, "w") as new:
        schema = json.loads(old.read("schema.json"))
        schema["content"]["note"] = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
        new.writestr("schema.json", json.dumps(schema))
    with pytest.raises(RunError, match=r"os\.system"):
        load(evil)


def test_damage_is_one_clear_message(tmp_path):
    path = written(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="damaged"):
            load(path)
    path.write_bytes(skops.io.dumps({"schema": 1, "estimator": [1]}))
    with pytest.raises(RunError, match="damaged"):
        load(path)
    with pytest.raises(RunError, match="cannot be read"):
        load(tmp_path / "absent.skops")


def test_a_newer_file_asks_for_an_upgrade(tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(skops.io.dumps({"schema": 99, "estimator": []}))
    with pytest.raises(FieldcraftError, match="newer fieldcraft"):
        load(path)
