"""The forward of a recurrent layer without its loop over time, for tensors that have shapes but no numbers."""

from collections.abc import Callable, Hashable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

Hidden = Tensor | tuple[Tensor, Tensor]
SHORT = 4
"""Steps that are simply run."""


def shape_only(layer: nn.RNNBase) -> Callable[..., tuple[object, Hidden]]:
    """What `layer.forward` returns, as far as shapes go; packed sequences and real tensors go the ordinary way.

    Shape: (n, steps, inputs) with `batch_first`, (steps, n, inputs) without, (steps, inputs) unbatched -> the same
    with directions * hidden in the last place, and hidden states (directions * layers, n, hidden).
    """
    ordinary = layer.forward

    def forward(given: Tensor | PackedSequence, hx: object = None) -> tuple[object, Hidden]:
        if isinstance(given, PackedSequence) or not given.is_meta or given.dim() not in (2, 3):
            return ordinary(given, hx)  # type: ignore[no-any-return]
        if given.shape[-1] != layer.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size, {layer.input_size}, got {given.shape[-1]}")
        directions = 2 if layer.bidirectional else 1
        state = layer.proj_size or layer.hidden_size
        batch = () if given.dim() == 2 else (given.shape[0 if layer.batch_first else 1],)
        if layer.batch_first and given.dim() == 3:  # laid out by steps, as the loop over them leaves it
            output = given.new_empty((given.shape[1], given.shape[0], directions * state)).transpose(0, 1)
        else:
            output = given.new_empty((*given.shape[:-1], directions * state))
        hidden = given.new_empty((directions * layer.num_layers, *batch, state))
        if layer.mode != "LSTM":
            return output, hidden
        return output, (hidden, given.new_empty((directions * layer.num_layers, *batch, layer.hidden_size)))

    return forward


def few_steps(
    layer: nn.RNNBase, kept: Callable[[], int], beyond: Callable[[int], object], growths: dict[Hashable, int]
) -> Callable[..., tuple[object, Hidden]]:
    """`layer.forward` that runs only a few steps of long sequences without numbers.

    `kept` says how many bytes are kept by now. From what one step keeps, and two, it follows what all of them would:
    `beyond` is told the difference. Layers that are alike share what a step adds through `growths`. Outputs have the
    shapes of the whole sequence.
    """
    ordinary, shapes = layer.forward, shape_only(layer)

    def forward(given: Tensor | PackedSequence, hx: object = None) -> tuple[object, Hidden]:
        steps_dim = 1 if layer.batch_first and isinstance(given, Tensor) and given.dim() == 3 else 0
        if isinstance(given, PackedSequence) or not given.is_meta or given.shape[steps_dim] <= SHORT:
            return ordinary(given, hx)  # type: ignore[no-any-return]
        ordinary(given.narrow(steps_dim, 0, 1), hx)  # it also keeps what all steps share: inputs, weights
        kind, more = _kind(layer, given, hx), 0
        if kind not in growths:
            marks = [kept()]
            for few in (1, 2):
                ordinary(given.narrow(steps_dim, 0, few), hx)
                marks.append(kept())
            again, longer = (after - before for before, after in pairwise(marks))
            growths[kind], more = longer - again, again + longer
        beyond((given.shape[steps_dim] - 1) * growths[kind] - more)
        output, hidden = shapes(given, hx)
        assert isinstance(output, Tensor)
        states = _trained(hidden) if isinstance(hidden, Tensor) else (_trained(hidden[0]), _trained(hidden[1]))
        return _trained(output), states

    return forward


def _kind(layer: nn.RNNBase, given: Tensor, hx: object) -> Hashable:
    """Equal for layers and inputs of which a step keeps as much."""
    options = layer.bias, layer.batch_first, layer.dropout, layer.bidirectional, layer.proj_size, layer.training
    weights = tuple((one.shape, one.dtype, one.requires_grad) for one in layer.parameters())
    states = hx if isinstance(hx, tuple | list) else (hx,)
    read = [(one.shape, one.stride(), one.dtype, one.requires_grad) for one in (given, *states) if one is not None]
    return (layer.mode, layer.num_layers, options, weights, *read)


def _trained(given: Tensor) -> Tensor:
    """The same with a gradient to come."""
    return given.requires_grad_() + 0
