"""Groups that names tell: patients, slices, folders; parts are none."""

import pytest

from fieldcraft.data.kin import kin


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["patient1_a", "patient1_b", "patient2_a"], ["patient1", "patient1", "patient2"]),
        (["v_slice_1", "v_slice_2", "w_slice_1"], ["v", "v", "w"]),
        (["a/1", "a/2", "b/1"], ["a", "a", "b"]),
        (["train/a/1", "train/a/2", "test/b/1"], ["a", "a", "b"]),
        (["train/patient1_a", "Test/patient1_b", "test/patient2_a"], ["patient1", "patient1", "patient2"]),
    ],
)  # fmt: skip
def test_names_that_belong_together(names: list[str], groups: list[str]) -> None:
    found, (note,) = kin(names)
    assert found is not None and found.tolist() == groups and "--group says otherwise" in note


@pytest.mark.parametrize("names", [["1", "2", "3"], ["train/1", "train/2", "val/1", "test/1", "test/2"]])
def test_parts_are_no_groups(names: list[str]) -> None:
    assert kin(names) == (None, ())
