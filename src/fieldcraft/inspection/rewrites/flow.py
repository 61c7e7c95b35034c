"""Which submodule feeds which: the anatomy's rows gathered by the submodule that made them."""

from fieldcraft.records.anatomy import Anatomy, Row


class Flow:
    """Follows values from one submodule to the next.

    Says "no" rather than guess: where a submodule is called twice, shares a parameter, has parameters that others read,
    or gives its result to more than one reader, there is no next one.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = anatomy
        self.rows: dict[str, list[Row]] = {}
        self._readers: dict[str, set[str]] = {}
        for row in anatomy.rows:
            self.rows.setdefault(row.module, []).append(row)
            for name in row.parameters:
                self._readers.setdefault(name.rpartition(".")[0], set()).add(row.module)
        shared = [name for one in anatomy.parameters if one.aliases for name in (one.name, *one.aliases)]
        self._shared = {name.rpartition(".")[0] for name in shared}

    def alone(self, path: str) -> bool:
        """Called once, and its parameters serve nobody else."""
        return (
            all(row.call == 0 for row in self.rows.get(path, ()))
            and path in self.rows
            and path not in self._shared
            and self._readers.get(path, {path}) == {path}
        )

    def entry(self, path: str) -> Row:
        """The first row of a submodule."""
        return self.rows[path][0]

    def exit(self, path: str) -> int | None:
        """The one value that others read of a submodule; None where it is several, or none."""
        given = [
            value
            for row in self.rows.get(path, ())
            for value in row.outputs
            if value in self.anatomy.outputs or any(user.module != path for user in self.anatomy.users.get(value, ()))
        ]
        return given[0] if len(given) == 1 else None

    def after(self, path: str) -> str | None:
        """The only submodule that reads the only value that `path` gives; identities are passed through."""
        value = self.exit(path)
        if value is None or value in self.anatomy.outputs:
            return None
        readers = {row.module for row in self.anatomy.users.get(value, ())}
        if len(readers) != 1:
            return None
        (reader,) = readers
        return self.after(reader) if self._kind(reader) == "Identity" and self.alone(reader) else reader

    def shape(self, path: str) -> tuple[int, ...]:
        """Of the value that a submodule gives; () where it is not one."""
        value = self.exit(path)
        return () if value is None else self.anatomy.shape(value)

    def _kind(self, path: str) -> str:
        return self.anatomy.by_module[path].kind if path in self.anatomy.by_module else ""
