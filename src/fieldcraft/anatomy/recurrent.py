"""The forward of a recurrent layer without its loop over time, for tensors that have shapes but no numbers."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

Hidden = Tensor | tuple[Tensor, Tensor]


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
        output = given.new_empty((*given.shape[:-1], directions * state))
        hidden = given.new_empty((directions * layer.num_layers, *batch, state))
        if layer.mode != "LSTM":
            return output, hidden
        return output, (hidden, given.new_empty((directions * layer.num_layers, *batch, layer.hidden_size)))

    return forward
