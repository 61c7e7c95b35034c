"""The plans of a proof's arms on disk: made when a trial first asks, read by workers, kept for the next sitting."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from pydantic import TypeAdapter

from fieldcraft.plan.schema import Plan
from fieldcraft.proof.engine import Engine
from fieldcraft.records.files import read_json, write_json
from fieldcraft.records.proof import Outcome, Stage, Trial
from fieldcraft.verbs.arms import Planned

KIND = "proof-arm"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Plans by stage and what is on. Screening and confirming share their budget, and with it their plans."""

    folder: Path
    carried: Mapping[str, Planned] = field(default_factory=dict)
    """Plans that travel with it, for workers that do not see the folder."""

    def plan(self, trial: Trial) -> Plan | str:
        """The plan of a trial, or why there is none."""
        found = self.found(trial.stage, trial.arm.on)
        return "its plan was not made" if found is None else found.plan

    def found(self, stage: Stage, on: tuple[str, ...]) -> Planned | None:
        """What was put there."""
        key = _key(stage, on)
        if key in self.carried:
            return self.carried[key]
        path = self._path(key)
        return TypeAdapter(Planned).validate_python(read_json(path, KIND)) if path.exists() else None

    def put(self, stage: Stage, planned: Planned) -> None:
        """Keep a plan."""
        write_json(self._path(_key(stage, planned.on)), KIND, planned)

    def carrying(self, wanted: Iterable[tuple[Stage, tuple[str, ...]]]) -> "Shelf":
        """The same with some plans in it rather than in its folder."""
        found = {_key(stage, on): self.found(stage, on) for stage, on in wanted}
        return Shelf(folder=self.folder, carried={key: one for key, one in found.items() if one is not None})

    def _path(self, key: str) -> Path:
        return self.folder / f"{blake2b(key.encode(), digest_size=8).hexdigest()}.json"


def _key(stage: Stage, on: tuple[str, ...]) -> str:
    return f"{'full' if stage == 'full' else 'short'}: {', '.join(sorted(on))}"


@dataclass(eq=False)
class PlannedFirst:
    """An engine whose trials have their plans made before they are handed in."""

    engine: Engine
    make: Callable[[Trial], None]

    @property
    def places(self) -> int:
        """Trials that run at once."""
        return self.engine.places

    def start(self, trial: Trial) -> None:
        """Hand a trial in."""
        self.make(trial)
        self.engine.start(trial)

    def ended(self, timeout_s: float) -> Outcome | None:
        """The next outcome; None when nothing ended within the time."""
        return self.engine.ended(timeout_s)

    def close(self) -> None:
        """Let go of all workers."""
        self.engine.close()
