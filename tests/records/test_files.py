import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.records import files
from fieldcraft.records.files import append_line, mend_end, read_json, write_json, write_whole

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_text_and_bytes(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "folder" / "a.txt", "für")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == "für".encode()
    write_whole(tmp_path / "a.bin", b"\x00\xff")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"


def test_nothing_is_left_beside(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "one")
    write_whole(tmp_path / "a.txt", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "two"


LINES = ('{"a": 1}', '{"b": "' + "x" * 200_000 + '"}')
"""The second is longer than what is read at once."""


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 10, 70_000, 200_017, 200_018, 200_019])
def test_a_torn_end_is_cut_off_and_a_line_without_its_end_gets_it(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "new" / "lines.jsonl"
    append_line(path, "\n".join(LINES), remedy="")
    whole = path.read_bytes()
    assert whole == "".join(f"{line}\n" for line in LINES).encode()
    path.write_bytes(whole[:keep])
    complete = [line for line, end in zip(LINES, (8, 200_018), strict=True) if keep >= end]
    half = len(whole[:keep].rpartition(b"\n")[2]) if keep not in (8, 200_018) else 0
    append_line(path, '{"c": 2}', remedy="")
    assert path.read_text().splitlines() == [*complete, '{"c": 2}']
    path.write_bytes(whole[:keep])
    assert mend_end(path) == bool(half)
    assert not mend_end(path)
    assert path.read_text().splitlines() == complete
    assert not mend_end(tmp_path / "none.jsonl")


def test_a_line_that_cannot_be_written_leaves_the_others_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_line(tmp_path / "a.jsonl", "1", remedy="")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*a\.jsonl: No space left on device\. Buy a disk\."):
        append_line(tmp_path / "a.jsonl", "2", remedy="Buy a disk.")
    assert (tmp_path / "a.jsonl").read_text().splitlines()[0] == "1"


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "a.txt", "before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*a\.txt: No space left on device\. Free some space.*untouched"):
        write_whole(tmp_path / "a.txt", "after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_really_full_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "a.txt", "before")
    opened = Path.open

    def on_a_full_device(path: Path, mode: str = "r", **more: Any) -> Any:
        return opened(Path("/dev/full") if path.suffix == ".tmp" else path, mode, **more)

    monkeypatch.setattr(Path, "open", on_a_full_device)
    with pytest.raises(RunError, match="No space left on device"):
        write_whole(tmp_path / "a.txt", "after")
    monkeypatch.undo()
    assert (tmp_path / "a.txt").read_text() == "before"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(path: Path, mode: str = "r") -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RunError, match=rf"cannot write .*: {os.strerror(number)}"):
        write_whole(tmp_path / "a.txt", "text")


@pytest.mark.skipif(ROOT, reason="the superuser may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RunError, match="Permission denied"):
            write_whole(tmp_path / "a.txt", "text")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(RunError, match=r"cannot write .*plan\.toml.*choose another folder with --out"):
        write_whole(tmp_path / "run" / "plan.toml", "text")
    assert (tmp_path / "run").read_text() == "a file"


def test_a_name_that_a_folder_has(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").mkdir()
    with pytest.raises(RunError):
        write_whole(tmp_path / "plan.toml", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.toml"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    code = (
        "import itertools, pathlib, sys\n"
        "from fieldcraft.records.files import write_whole\n"
        "for number in itertools.count():\n"
        "    write_whole(pathlib.Path(sys.argv[1]), str(number % 10) * 300_000)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    target = tmp_path / "a.txt"
    target.write_text("0" * 300_000)
    for wait_s in (0.0, 0.011, 0.023):
        untouched = target.stat().st_mtime_ns
        with subprocess.Popen([sys.executable, "-c", code, str(target)], env=environment) as writer:
            while target.stat().st_mtime_ns == untouched and writer.poll() is None:
                time.sleep(0.001)
            time.sleep(wait_s)
            writer.kill()
        text = target.read_text()
        assert len(text) == 300_000 and len(set(text)) == 1


# ---------------------------------------------------------------- JSON


def test_json_is_stamped_and_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", "ledger", {"look": 1})
    assert (tmp_path / "a.json").read_text() == '{\n "schema": 1,\n "look": 1\n}\n'
    assert read_json(tmp_path / "a.json", "ledger") == {"look": 1}


def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", "ledger", {"loss": float("nan")})
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": 1', b"[1]", b"\xff\xfe", b"3"])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=r"a\.json is damaged .*delete it and run the same command again"):
        read_json(tmp_path / "a.json", "ledger")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"a\.json is missing"):
        read_json(tmp_path / "a.json", "ledger")


def test_a_file_without_a_version_is_another_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FieldcraftError, match="no `schema` version"):
        read_json(tmp_path / "a.json", "ledger")
