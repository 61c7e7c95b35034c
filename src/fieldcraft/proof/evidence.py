"""The evidence store: folders of JSON lines, one verdict a line. Ours comes with the package, theirs is the user's."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.files import append_line
from fieldcraft.records.proof import Stage
from fieldcraft.records.versions import bring_forward, stamp

VARIABLE = "FIELDCRAFT_EVIDENCE"
"""Names another folder for the user's evidence."""
REMEDY = f"Make it writable, or let {VARIABLE} name another folder."
FILE, LOCK = "evidence.jsonl", ".lock"
RANK: Mapping[Stage, int] = {"screen": 0, "confirm": 1, "full": 2}
_LINE: TypeAdapter[Evidence] = TypeAdapter(Evidence)


@dataclass(frozen=True)
class Store:
    """A folder of evidence."""

    folder: Path

    def read(self) -> tuple[Evidence, ...]:
        """All lines of all its files; none when the folder is not there. A line cut off by a kill is passed over.

        Raises: RunError naming file and line of what is no evidence; FieldcraftError for a newer fieldcraft's.
        """
        return tuple(self._lines())

    def add(self, lines: Sequence[Evidence]) -> int:
        """Append the lines that it does not hold yet, and wait until they are on disk. Gives how many those were.

        Raises: RunError when the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / LOCK):
                known = {_undated(one) for one in self._lines()}
                new = {key: one for one in lines if (key := _undated(one)) not in known}
                if new:
                    append_line(self.folder / FILE, "\n".join(map(_written, new.values())), remedy=REMEDY)
        except OSError as error:
            raise RunError(f"cannot write into {self.folder}: {error.strerror or error}. {REMEDY}") from error
        return len(new)

    def _lines(self) -> Iterator[Evidence]:
        for path in sorted(self.folder.glob("*.jsonl")):
            for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
                try:
                    document = json.loads(line)
                except ValueError:
                    continue  # empty, or cut off
                yield _checked(document, f"{path}, line {number},")


def ours() -> Store:
    """What fieldcraft comes with."""
    return Store(Path(__file__).parent / "filed")


def theirs() -> Store:
    """What the user filed: in the folder that FIELDCRAFT_EVIDENCE names, or among the user's data."""
    if named := os.environ.get(VARIABLE):
        return Store(Path(named))
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Store(Path(data) / "fieldcraft" / "evidence")


def on_file() -> tuple[Evidence, ...]:
    """Everything that is known, each verdict once."""
    return latest((*ours().read(), *theirs().read()))


def latest(lines: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Of one version of a tip in one proof the line that says most: at the fullest budget, then with most pairs.

    In an order that does not depend on that of the lines.
    """
    found: dict[tuple[str, str, str], Evidence] = {}
    for one in sorted(lines, key=_weight):
        found[one.tip, one.version, one.proof] = one
    return tuple(found[key] for key in sorted(found))


def _weight(line: Evidence) -> tuple[int, int, str, str]:
    return RANK[line.stage], line.effect.pairs if line.effect else 0, line.date, _written(line)


def _checked(document: object, origin: str) -> Evidence:
    if not isinstance(document, dict):
        raise RunError(f"{origin} is no evidence (an object was expected): remove that line.")
    try:
        return _LINE.validate_python(bring_forward("evidence", document, origin))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "its top"
        raise RunError(f"{origin} is no evidence: at {where}: {first['msg'].lower()}. Remove that line.") from error
    except FieldcraftError as error:
        raise RunError(f"{error} Until then: --no-evidence.") from error


def _undated(line: Evidence) -> str:
    """The line without the day on which it was filed."""
    body = _LINE.dump_python(line, mode="json")
    return json.dumps({key: value for key, value in body.items() if key != "date"}, sort_keys=True, allow_nan=False)


def _written(line: Evidence) -> str:
    return json.dumps(stamp("evidence", _LINE.dump_python(line, mode="json")), allow_nan=False)
