"""A run that ends right after one of its writes goes on from there, to the same bits."""

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tests.verbs.made_data import images, plan

from fieldcraft.plan.schema import Cnn, Rung
from fieldcraft.train.journal import Journal
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.run import Run

PLAN = plan(
    rungs=(
        Rung(name="small", network=Cnn(widths=(2,)), steps=4, lr=0.02),
        Rung(name="large", network=Cnn(widths=(4,), dropout=0.1), steps=4, lr=0.02),
    )
)


class CutOffError(BaseException):
    """Nothing catches this."""


def cut_off(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], int]:
    """End the process's work right after a write; gives the count of writes so far."""
    count = 0

    def counting(write: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            nonlocal count
            found = write(*arguments)
            count += 1
            if count == after:
                raise CutOffError
            return found

        return counted

    monkeypatch.setattr(Path, "replace", counting(Path.replace))
    monkeypatch.setattr(Journal, "write", counting(Journal.write))
    return lambda: count


def test_cut_off_after_any_write_it_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = images(count=60)

    def run(name: str) -> Run:
        return fit(data, PLAN, out=tmp_path / name)

    with monkeypatch.context() as patched:
        writes = cut_off(patched, after=0)
        whole = run("whole")
        total = writes()
    seed = random.randrange(2**32)
    print(f"seed {seed} of {total} writes")  # shown when the test fails
    for after in sorted({1, 2, 3, total} | set(random.Random(seed).sample(range(4, total), 6))):
        with monkeypatch.context() as patched:
            cut_off(patched, after)
            with pytest.raises(CutOffError):
                run(f"cut {after}")
        resumed = run(f"cut {after}")
        for name in ("rungs/small/model.safetensors", "rungs/large/model.safetensors", "model.safetensors"):
            if (whole.path / name).exists():
                assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes(), (after, name)
        assert resumed.report.exists()
        assert resumed.results.winner == whole.results.winner
        pd.testing.assert_frame_equal(
            pd.read_parquet(resumed.folder.predictions), pd.read_parquet(whole.folder.predictions)
        )
        assert [path.name for path in resumed.path.glob("model.*")] == [
            path.name for path in whole.path.glob("model.*")
        ]
