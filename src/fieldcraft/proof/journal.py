"""The journal of a proof: what it asks, what came of every trial, and the time that it took over all its sittings.

A trial counts from the moment that its line is on disk; one that a kill interrupted left no line and runs again.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fieldcraft.errors import RunError
from fieldcraft.records.alone import alone_in
from fieldcraft.records.files import append_line, mend_end, read_json, write_json
from fieldcraft.records.proof import Outcome, Setting
from fieldcraft.records.versions import bring_forward, stamp

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_SETTING: TypeAdapter[Setting] = TypeAdapter(Setting)
KNOWN_AS: Mapping[str, str] = {
    "factors": "what is tested", "base": "what the plan has on", "metric": "the metric", "seed": "the seed",
    "higher_is_better": "the direction of the metric", "effect": "the effect", "equal": "what arms have equal",
    "alpha": "alpha", "margin": "the margin", "overlap": "the share of the folds", "trial_s": "seconds of a trial",
    "planned_s": "seconds of a whole fit",
}  # fmt: skip
"""How a person knows some fields of a setting."""
FREE = ("workers",)
"""May change while a proof goes on: how many trials run at once says nothing about any of them."""


@dataclass(frozen=True)
class ProofJournal:
    """The folder of a proof. Whoever writes holds `alone`."""

    folder: Path

    @property
    def trials(self) -> Path:
        """JSON lines: one outcome each, in the order in which they ended."""
        return self.folder / "trials.jsonl"

    @property
    def asked(self) -> Path:
        """The setting."""
        return self.folder / "setting.json"

    @property
    def clock(self) -> Path:
        """Seconds spent so far."""
        return self.folder / "clock.json"

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes out of the folder.

        Raises: RunError when another one is in it, or it cannot be written.
        """
        return alone_in(self.folder)

    def setting(self) -> Setting | None:
        """What the proof asks; None when it has not begun.

        Raises: RunError when the file is damaged.
        """
        if not self.asked.exists():
            return None
        try:
            return _SETTING.validate_python(read_json(self.asked, "proof-setting"))
        except ValidationError as error:
            raise RunError(f"{self.asked} is damaged ({error.error_count()} fields): choose another folder.") from error

    def begin(self, setting: Setting) -> Setting:
        """Begin the proof, or go on with it; the setting that holds from now on.

        More budget is no difference: it adds stages, and the number of workers may be another one.
        Raises: RunError when the folder holds a proof that asks something else, or trials that nobody asked for.
        """
        before = self.setting()
        if before is None:
            if self.read():
                raise RunError(f"{self.folder} holds trials but no setting.json: choose another folder, or delete it.")
            write_json(self.asked, "proof-setting", setting)
            return setting
        if told := tuple(differences(before, setting)):
            raise RunError(
                f"{self.folder} holds another proof ({'; '.join(told)}). Ask the same as before, "
                "choose another folder, or delete this one."
            )
        now = replace(before, trial_s={**before.trial_s, **setting.trial_s}, workers=setting.workers)
        if now != before:
            write_json(self.asked, "proof-setting", now)
        return now

    def read(self) -> tuple[Outcome, ...]:
        """All outcomes, oldest first; of a trial that is there twice, the first. Lines that cannot be read are none."""
        found: dict[str, Outcome] = {}
        for _, outcome in self._lines():
            if outcome is not None:
                found.setdefault(outcome.trial.key, outcome)
        return tuple(found.values())

    def write(self, outcome: Outcome) -> None:
        """Append one outcome and wait until it is on disk. Numbers that are none are written as None.

        Raises: RunError when it cannot be written; what was written before stands.
        """
        body = json.loads(_OUTCOME.dump_json(outcome))
        append_line(
            self.trials,
            json.dumps(stamp("proof-trial", body), allow_nan=False),
            remedy="Free some space or make the folder writable, then run the same command again: it goes on from the "
            "last trial.",
        )

    def mend(self) -> tuple[str, ...]:
        """Cut off a last line that a kill left half-written; what was cut and what cannot be read, in words."""
        name = self.trials.name
        cut = mend_end(self.trials)
        told = [
            f"line {number} of {name} cannot be read: that trial runs again"
            for number, outcome in self._lines()
            if outcome is None
        ]
        if cut:
            told.append(f"the last line of {name} was half-written and is cut off: that trial runs again")
        return tuple(told)

    def tick(self, seconds: float) -> None:
        """Note the seconds spent so far over all sittings, so that a kill loses none but the last few."""
        write_json(self.clock, "proof-clock", {"seconds": seconds})

    def seconds(self) -> float:
        """Seconds spent over all sittings, as far as they were noted."""
        noted = float(read_json(self.clock, "proof-clock")["seconds"]) if self.clock.exists() else 0.0
        return max([noted, *(outcome.at_s for outcome in self.read())])

    def _lines(self) -> Iterator[tuple[int, Outcome | None]]:
        """Number and outcome of each line; None where it cannot be read. Half a line at the end is none."""
        if not self.trials.exists():
            return
        *ended, last = self.trials.read_bytes().split(b"\n")
        for number, line in enumerate(ended, start=1):
            yield number, _parsed(line, str(self.trials))
        if (outcome := _parsed(last, str(self.trials))) is not None:
            yield len(ended) + 1, outcome


def differences(before: Setting, now: Setting) -> Iterator[str]:
    """What two settings ask differently, in words."""
    for field in fields(Setting):
        was, given = getattr(before, field.name), getattr(now, field.name)
        if field.name in ("trial_s", "wanted"):
            # A stage that only one of them has was not wanted with that budget.
            names = was.keys() & given.keys() if field.name == "trial_s" else was.keys() | given.keys()
            for name in sorted(names):
                if was.get(name) != given.get(name):
                    label = f"{KNOWN_AS['trial_s']} ({name})" if field.name == "trial_s" else name
                    yield f"{label} was {_written(was.get(name))}, now {_written(given.get(name))}"
        elif field.name not in FREE and was != given:
            yield f"{KNOWN_AS.get(field.name, field.name)} was {_written(was)}, now {_written(given)}"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, bool):
        return "higher is better" if value else "lower is better"
    return "not given" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _parsed(line: bytes, origin: str) -> Outcome | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    body = bring_forward("proof-trial", document, origin)
    try:
        return _OUTCOME.validate_python(body)
    except ValidationError:
        return None
