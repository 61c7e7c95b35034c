"""Building a module must not train it: the first step of any optimiser ends the building with a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.optim.optimizer import Optimizer, register_optimizer_step_pre_hook

from fieldcraft.errors import InspectError


class _Trains(BaseException):
    """Not an Exception, so that a constructor's own `except Exception` lets it through."""


@contextmanager
def no_training(what: str) -> Iterator[None]:
    """Raises: InspectError, naming `what`, when an optimiser steps inside of the block."""

    def refuse(optimiser: Optimizer, args: Any, kwargs: Any) -> None:
        raise _Trains(type(optimiser).__name__)

    handle = register_optimizer_step_pre_hook(refuse)
    try:
        yield
    except _Trains as trains:
        raise InspectError(
            f"{what} trains while it is built (a step of {trains} was stopped): inspecting wants a module that is "
            "built and no more. Put the training into a method, or below `if __name__ == '__main__':`."
        ) from None
    finally:
        handle.remove()
