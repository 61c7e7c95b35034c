from pathlib import Path

import pytest

from fieldcraft.errors import RunError
from fieldcraft.records.alone import alone_in


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path / "run"),
        pytest.raises(RunError, match="another process is working in"),
        alone_in(tmp_path / "run"),
    ):
        pass
    with alone_in(tmp_path / "run"):
        pass


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match=r"cannot write into .*--out"), alone_in(tmp_path / "file" / "run"):
        pass
