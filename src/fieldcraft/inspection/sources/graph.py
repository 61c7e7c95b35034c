"""A module that runs the nodes of a graph from a file, each inside of the submodule that it belongs to.

The recorder then sees what it sees of any module: submodules with paths and calls, and ATen operations. A node's place
is told by the local variable `__fieldcraft_location__`, which the recorder looks for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from fieldcraft.records.anatomy import Location

__fieldcraft_inner__ = True


class Values:
    """What has been computed so far, by name. A class of its own, so that nobody takes it for an argument."""

    def __init__(self) -> None:
        self.tensors: dict[str, Any] = {}
        self.constants: dict[str, Tensor] = {}
        """Those whose numbers are known: they depend on shapes and on the file alone."""
        self.numbers: dict[str, Tensor] = {}
        """Numbers of small parameters, which may set a shape or a mode, too."""
        self.modules: dict[str, nn.Module] = {}


@dataclass(frozen=True)
class Level:
    """One of the submodules around a node."""

    name: str
    kind: str = "Scope"
    """Name of its class."""
    call: str = ""
    """Tells calls of the same submodule apart that follow each other."""


@dataclass(frozen=True, eq=False)
class Step:
    """One node."""

    levels: tuple[Level, ...]
    """The submodules around it, from the outside."""
    run: Callable[[Values], None]
    location: Location

    @property
    def scope(self) -> tuple[str, ...]:
        """Names of the submodules around it."""
        return tuple(one.name for one in self.levels)


@dataclass(eq=False)
class Block:
    """Steps in a row that belong to one call of one submodule."""

    name: str
    call: str = ""
    items: list["Step | Block"] = field(default_factory=list)


class Scope(nn.Module):
    """A submodule of the graph; runs what belongs to it."""

    def forward(self, block: Block, values: Values) -> None:
        """Run a block in order."""
        for item in block.items:
            if isinstance(item, Block):
                self._modules[item.name](item, values)  # type: ignore[misc]
            else:
                _run(item, values)


def _run(step: Step, values: Values) -> None:
    __fieldcraft_location__ = step.location  # noqa: F841  (read by the recorder)
    step.run(values)


def scope_class(kind: str) -> type[Scope]:
    """`Scope` under the name of the class that it stands for."""
    return Scope if kind == "Scope" else type(kind, (Scope,), {"__module__": __name__})


class GraphModule(nn.Module):
    """All steps, with the names of what goes in and what comes out."""

    def __init__(self, steps: Sequence[Step], inputs: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.block = Block("")
        self.names = tuple(inputs)
        self.results = tuple(outputs)
        self.held: dict[str, tuple[str, str]] = {}
        """Name of a tensor of the file -> path of the submodule that holds it, and the attribute there."""
        self.constants: dict[str, Tensor] = {}
        self.numbers: dict[str, Tensor] = {}
        for step in steps:
            self._place(step)

    def _place(self, step: Step) -> None:
        block: Block = self.block
        module: nn.Module = self
        for level in step.levels:
            if level.name not in module._modules:
                module._modules[level.name] = scope_class(level.kind)()
            before = block.items[-1] if block.items else None
            if not isinstance(before, Block) or (before.name, before.call) != (level.name, level.call):
                before = Block(level.name, level.call)
                block.items.append(before)
            block, module = before, module._modules[level.name]  # type: ignore[assignment]
        block.items.append(step)

    def scope(self, names: Sequence[str]) -> nn.Module:
        """The submodule at a path; made where no node stands in it."""
        found: nn.Module = self
        for name in names:
            found = found._modules.setdefault(name, Scope())  # type: ignore[assignment]
        return found

    def hold(self, name: str, scope: Sequence[str], tensor: Tensor, *, buffer: bool, attribute: str) -> None:
        """Keep a tensor of the file as a parameter or a buffer of a submodule."""
        owner = self.scope(scope)
        while attribute in owner._parameters or attribute in owner._buffers or hasattr(owner, attribute):
            attribute += "_"
        if buffer or not (tensor.is_floating_point() or tensor.is_complex()):
            owner._buffers[attribute] = tensor
        else:
            owner._parameters[attribute] = nn.Parameter(tensor)
        self.held[name] = (".".join(scope), attribute)

    def start(self) -> Values:
        """The tensors of the file by their names."""
        values = Values()
        owners = values.modules = dict(self.named_modules())
        values.constants.update(self.constants)
        values.numbers.update(self.numbers)
        values.tensors.update(self.constants)
        for name, (path, attribute) in self.held.items():
            values.tensors[name] = getattr(owners[path], attribute)
        return values

    def forward(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Run all steps."""
        values = self.start()
        values.tensors.update(zip(self.names, inputs, strict=False), **named)
        for item in self.block.items:
            if isinstance(item, Block):
                self._modules[item.name](item, values)  # type: ignore[misc]
            else:
                _run(item, values)
        results = {name: values.tensors[name] for name in self.results}
        return next(iter(results.values())) if len(results) == 1 else results
