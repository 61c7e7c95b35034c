"""The ledger of the test part: every look at it is written down before it is taken."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fieldcraft.records.files import write_whole
from fieldcraft.records.versions import stamp


@dataclass(frozen=True)
class Ledger:
    """The looks at one run's test part."""

    path: Path

    def looks(self) -> int:
        """How often it was looked at."""
        return len(self.path.read_text(encoding="utf-8").splitlines()) if self.path.exists() else 0

    def look(self, why: str, command: tuple[str, ...] = ()) -> int:
        """Write one more look down and give its number, from 1."""
        number = self.looks() + 1
        line = stamp(
            "ledger",
            {
                "look": number,
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": " ".join(command),
                "why": why,
            },
        )
        before = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        write_whole(self.path, before + json.dumps(line) + "\n")
        return number
