import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.records.proof import Arm, Cost, Outcome, Setting, Trial

BASE = Arm(name="base", kind="base", on=("flips", "mixup"))
WITHOUT = Arm(name="without flips – naïve", kind="toggled", on=("mixup",))
OUTCOMES = (
    Outcome(trial=Trial(stage="screen", arm=BASE, pair=0), score=0.5, n=100, seconds=2.5, at_s=2.75, worker=1),
    Outcome(trial=Trial(stage="confirm", arm=WITHOUT, pair=3), score=None, error="RuntimeError: «no»", at_s=4.0),
    Outcome(
        trial=Trial(stage="full", arm=BASE, pair=1),
        score=1 / 3,
        cost=Cost(seconds=1.5, memory_mib=20.0, parameters=1e6, latency_ms=0.1),
        diverged=True,
        notes=("one", "two\nlines"),
    ),
)
SETTING = Setting(
    factors=("flips", "mixup"), base=("flips",), metric="accuracy", higher_is_better=True, margin=1 / 360,
    trial_s={"confirm": 2.0}, workers=2, wanted={"data": "abc"},
)  # fmt: skip


def filled(folder: Path) -> ProofJournal:
    journal = ProofJournal(folder)
    for outcome in OUTCOMES:
        journal.write(outcome)
    return journal


def test_outcomes_come_back_as_they_were_written(tmp_path: Path) -> None:
    assert ProofJournal(tmp_path / "none").read() == ()
    assert filled(tmp_path).read() == OUTCOMES
    assert filled(tmp_path).read() == OUTCOMES, "of a trial that is there twice, the first counts"


def test_what_is_no_number_comes_back_as_none(tmp_path: Path) -> None:
    journal = ProofJournal(tmp_path)
    journal.write(replace(OUTCOMES[0], score=math.nan, cost=Cost(seconds=math.inf)))
    assert journal.read() == (replace(OUTCOMES[0], score=None, cost=Cost()),)


@settings(max_examples=40)
@given(keep=st.integers(0, 2000))
@example(keep=0)
def test_a_file_cut_anywhere_loses_only_its_last_trial_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, keep: int
) -> None:
    journal = filled(tmp_path_factory.mktemp("proof"))
    whole = journal.trials.read_bytes()
    journal.trials.write_bytes(whole[:keep])
    before = journal.read()
    ends = {at for at, byte in enumerate(whole) if byte == ord("\n")}
    assert before == OUTCOMES[: sum(end <= keep for end in ends)], "a line counts when all of it but its end is there"
    torn = keep < len(whole) and keep > 0 and keep not in ends and keep - 1 not in ends
    assert len(journal.mend()) == torn
    assert journal.mend() == ()
    assert journal.read() == before
    journal.write(OUTCOMES[2])
    journal.write(OUTCOMES[0])
    assert {outcome.trial.key for outcome in journal.read()} >= {OUTCOMES[0].trial.key, OUTCOMES[2].trial.key}
    assert journal.mend() == ()


@settings(max_examples=20)
@given(keep=st.integers(1, 2000))
def test_writing_cuts_a_torn_end_off_without_being_told(tmp_path_factory: pytest.TempPathFactory, keep: int) -> None:
    journal = filled(tmp_path_factory.mktemp("proof"))
    whole = journal.trials.read_bytes()
    journal.trials.write_bytes(whole[:keep])
    before = journal.read()
    journal.write(new := replace(OUTCOMES[0], trial=replace(OUTCOMES[0].trial, pair=9)))
    assert journal.read() == (*before, new)
    assert journal.mend() == ()


@pytest.mark.parametrize("line", [b"\0\0\0", b"12", b'{"schema": 1, "trial": 3}', b"\xff\xfe", b""])
def test_a_damaged_line_in_the_middle_is_named_and_the_others_count(tmp_path: Path, line: bytes) -> None:
    journal = filled(tmp_path)
    first, *others = journal.trials.read_bytes().splitlines(keepends=True)
    journal.trials.write_bytes(b"".join([first, line + b"\n", *others]))
    assert journal.read() == OUTCOMES
    assert journal.mend() == ("line 2 of trials.jsonl cannot be read: that trial runs again",)


def test_a_line_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    ProofJournal(tmp_path).trials.write_text('{"schema": 99}\n')
    with pytest.raises(FieldcraftError, match="newer fieldcraft"):
        ProofJournal(tmp_path).read()


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write .*goes on from the last trial"):
        ProofJournal(tmp_path / "file").write(OUTCOMES[0])


def test_the_same_proof_goes_on(tmp_path: Path) -> None:
    journal = ProofJournal(tmp_path)
    assert journal.setting() is None
    assert journal.begin(SETTING) == SETTING == journal.setting()
    written = journal.asked.stat().st_mtime_ns
    assert journal.begin(SETTING) == SETTING
    assert journal.asked.stat().st_mtime_ns == written


def test_more_budget_adds_stages_and_workers_and_is_the_same_proof(tmp_path: Path) -> None:
    journal = ProofJournal(tmp_path)
    journal.begin(SETTING)
    more = replace(SETTING, trial_s={"confirm": 2.0, "full": 60.0}, workers=1)
    assert journal.begin(more) == more == journal.setting()
    assert journal.begin(replace(SETTING, trial_s={"screen": 1.0})).trial_s == {
        "confirm": 2.0, "full": 60.0, "screen": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"factors": ("flips",)}, "what is tested was flips, mixup, now flips"),
        ({"base": ()}, "what the plan has on was flips, now nothing"),
        ({"metric": "auc", "alpha": 0.1}, "the metric was accuracy, now auc; alpha was 0.05, now 0.1"),
        ({"higher_is_better": False}, "the direction of the metric was higher is better, now lower is better"),
        ({"trial_s": {"confirm": 3.0}}, r"seconds of a trial \(confirm\) was 2, now 3"),
        ({"wanted": {"data": "abd"}}, "data was abc, now abd"),
        ({"wanted": {}}, "data was abc, now not given"),
    ],
)
def test_another_proof_is_told_what_differs(tmp_path: Path, change: dict[str, object], told: str) -> None:
    journal = ProofJournal(tmp_path)
    journal.begin(SETTING)
    with pytest.raises(RunError, match=rf"holds another proof \({told}\)"):
        journal.begin(replace(SETTING, **change))  # type: ignore[arg-type]
    assert journal.setting() == SETTING


def test_trials_without_a_setting_are_not_taken_over(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"trials but no setting\.json"):
        filled(tmp_path).begin(SETTING)


def test_a_damaged_setting_is_a_clear_error(tmp_path: Path) -> None:
    journal = ProofJournal(tmp_path)
    journal.begin(SETTING)
    journal.asked.write_text(journal.asked.read_text().replace('"alpha": 0.05', '"alpha": 7'))
    with pytest.raises(RunError, match="is damaged"):
        journal.setting()


def test_seconds_count_all_sittings(tmp_path: Path) -> None:
    journal = ProofJournal(tmp_path)
    assert journal.seconds() == 0.0
    journal.tick(3.5)
    assert journal.seconds() == 3.5
    assert filled(tmp_path).seconds() == 4.0


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        ProofJournal(tmp_path).alone(),
        pytest.raises(RunError, match="another process is working in"),
        ProofJournal(tmp_path).alone(),
    ):
        pass


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.records.proof import Arm, Outcome, Trial
journal = ProofJournal(Path(sys.argv[1]))
arm = Arm(name="base", kind="base", on=("x" * 20000,))
with journal.alone():
    for pair in range(100000):
        journal.write(Outcome(trial=Trial(stage="confirm", arm=arm, pair=pair), score=float(pair)))
        print(pair, flush=True)
"""


def test_killed_while_it_writes_nothing_that_was_confirmed_is_lost(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        confirmed = 20 + len(writer.stdout.readlines())
    journal = ProofJournal(tmp_path)
    with journal.alone():  # the dead hold no lock
        journal.mend()
        pairs = [outcome.trial.pair for outcome in journal.read()]
        assert pairs == list(range(len(pairs)))
        assert len(pairs) in (confirmed, confirmed + 1)
        assert [outcome.score for outcome in journal.read()] == [float(pair) for pair in pairs]
