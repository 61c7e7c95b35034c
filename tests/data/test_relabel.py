"""Corrected labels: what changes, what stays, and errors that name the line."""

from pathlib import Path

import numpy as np
import pytest

from fieldcraft.data.open import open_data
from fieldcraft.data.relabel import read_fixes, relabelled
from fieldcraft.errors import DataError


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("id,class", "0,a"), r"columns id and label, but lacks label; it has id, class"),
        (("id,label", "0,"), r"line 2: the label is empty"),
        (("id,label", ",1"), r"line 2: the id is empty"),
        (("id,label", "0,1", "0,2"), r"line 3: '0' is labelled '2', but '1' in line 2"),
    ],
)
def test_a_file_that_is_no_list_of_fixes(lines: tuple[str, ...], says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_fixes(written(tmp_path / "fixes.csv", *lines))
    with pytest.raises(DataError, match="No such file"):
        read_fixes(tmp_path / "none.csv")


def test_unknown_samples_and_classes_name_the_line(tmp_path: Path) -> None:
    data = open_data("digits")
    path = written(tmp_path / "fixes.csv", "id,label,note", "digits/0001,7,x", "digits/9999,1,x")
    with pytest.raises(DataError, match=r"fixes\.csv, line 3: digits has no sample 'digits/9999'"):
        relabelled(data, read_fixes(path), np.empty(0, np.int64), path)
    path = written(tmp_path / "fixes.csv", "id,label", "digits/0001,seven")
    with pytest.raises(DataError, match=r"line 2: 'seven' is no class of digits.*There are 0, 1"):
        relabelled(data, read_fixes(path), np.empty(0, np.int64), path)
    with pytest.raises(DataError, match="one class a sample"):
        relabelled(open_data("diabetes"), (), np.empty(0, np.int64), path)


def test_only_named_labels_change_and_the_test_part_does_not(tmp_path: Path) -> None:
    data = open_data("digits")
    path = written(tmp_path / "fixes.csv", "label,id", "7,digits/0001", "5,digits/0002", "0,digits/0000")
    new, changed, left = relabelled(data, read_fixes(path), np.array([2]), path)
    assert [fix.id for fix in changed] == ["digits/0001"] and [fix.id for fix in left] == ["digits/0002"]
    assert np.flatnonzero(new.targets.values != data.targets.values).tolist() == [1] and new.targets.values[1] == 7
