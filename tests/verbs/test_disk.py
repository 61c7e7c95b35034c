"""Disks that fill up."""

import errno
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.verbs.made_data import images, plan

from fieldcraft.errors import RunError
from fieldcraft.records.training import Look
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.verbs.fit import fit


@dataclass
class FullDisk:
    """A log that finds no space while training, or only when it is closed."""

    at: str
    error: int = errno.ENOSPC

    def _full(self, at: str) -> None:
        if at == self.at:
            raise OSError(self.error, "No space left on device")

    def begin(self, rung: str, step: int, end: int) -> None: ...

    def trained(self, record: Trained) -> None:
        self._full("trained")

    def validated(self, record: Validated) -> None: ...

    def looked(self, record: Look) -> None: ...

    def close(self) -> None:
        self._full("close")


@pytest.mark.parametrize("at", ["trained", "close"])
def test_a_log_without_space_says_what_to_do_and_the_run_goes_on_later(tmp_path: Path, at: str) -> None:
    with pytest.raises(RunError, match=r"No space left on device\. Free some space"):
        fit(images(), plan(), out=tmp_path / "run", hooks=(FullDisk(at),))
    assert fit(images(), plan(), out=tmp_path / "run").report.exists()


def test_other_errors_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        fit(images(), plan(), out=tmp_path / "run", hooks=(FullDisk("trained", errno.EACCES),))
