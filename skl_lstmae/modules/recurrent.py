"""LSTM layers over right-padded batches.

Nothing is packed: torch's fused LSTM kernels only run on dense batches, so a state is read at
``length - 1``, and a backward direction runs over each sequence reversed within its own length.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from skl_lstmae.modules.layers import check_sizes, dropout
from skl_lstmae.modules.padding import check_lengths, numbers_of, reverse_padded

State = tuple[Tensor, Tensor]
"""Hidden and cell state of one layer, each ``(n_directions, batch, hidden_size)``."""


class LSTMStack(nn.Module):
    """LSTM layers of any width over padded sequences, with dropout between them.

    Parameters
    ----------
    input_size : int
        Number of features of a time step.

    hidden_sizes : sequence of int
        Width of each layer, first to last.

    bidirectional : bool, default=False
        Whether a second LSTM of each layer runs backward in time.

    dropout : float, default=0.0
        Probability of zeroing an output between layers, in training.

    Shape
    -----
    - x: ``(batch, time, input_size)``; lengths: ``(batch,)``.
    - states: one :data:`State` for each layer, or None for zeros.
    - output: ``(batch, time, n_directions * hidden_sizes[-1])``, the forward direction's features
      first; and the states at each sequence's own end if ``final_states``, else None.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMStack
    >>> stack = LSTMStack(3, (8, 5), bidirectional=True)
    >>> output, _ = stack(torch.randn(2, 7, 3), torch.tensor([7, 4]))
    >>> output.shape
    torch.Size([2, 7, 10])
    """

    def __init__(
        self,
        input_size: int,
        hidden_sizes: Sequence[int],
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.n_directions = 1 + bidirectional
        self.dropout = dropout
        sizes = (input_size, *(self.n_directions * width for width in hidden_sizes[:-1]))
        self.layers = nn.ModuleList(
            LSTMLayer(size, width, bidirectional=bidirectional)
            for size, width in zip(sizes, hidden_sizes, strict=True)
        )

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        states: Sequence[State] | None = None,
        *,
        final_states: bool = False,
        generator: Generator | None = None,
    ) -> tuple[Tensor, list[State] | None]:
        """Run all layers over a padded batch."""
        if x.shape[1] > 1:  # a decoder may run step by step, where a check would take its time
            lengths = check_lengths(x, lengths)
        ends = []
        for depth, layer in enumerate(self.layers):
            if depth > 0 and self.training:
                x = dropout(x, self.dropout, generator)
            state = states[depth] if states else None
            x, end = layer(x, lengths, state, final_state=final_states)
            ends.append(end)
        return x, ends if final_states else None


class LSTMLayer(nn.Module):
    """One LSTM layer over padded sequences, with a second one backward in time if bidirectional.

    Parameters
    ----------
    input_size : int
        Number of features of a time step.

    hidden_size : int
        Width of each direction.

    bidirectional : bool, default=False
        Whether a second LSTM runs backward in time.

    Shape
    -----
    - x: ``(batch, time, input_size)``; lengths: ``(batch,)``.
    - state: a :data:`State`, or None for zeros.
    - output: ``(batch, time, n_directions * hidden_size)``, the forward direction's features first;
      and a :data:`State`, which with `final_state` is that at each sequence's own end. Without it,
      do not use the state.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMLayer
    >>> layer = LSTMLayer(3, 8)
    >>> output, (hidden, cell) = layer(torch.randn(2, 7, 3), torch.tensor([7, 4]), final_state=True)
    >>> torch.equal(hidden[0, 1], output[1, 3])
    True
    """

    def __init__(self, input_size: int, hidden_size: int, *, bidirectional: bool = False):
        super().__init__()
        self.onward = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.reverse = nn.LSTM(input_size, hidden_size, batch_first=True) if bidirectional else None

    def forward(
        self,
        x: Tensor,
        lengths: Tensor,
        state: State | None = None,
        *,
        final_state: bool = False,
    ) -> tuple[Tensor, State]:
        """Run the layer over a padded batch."""
        run = _run_to_ends if final_state else _run_through
        if self.reverse is None:
            return run(self.onward, x, lengths, state)
        onward_start, reverse_start = (None, None) if state is None else _split_directions(state)
        onward, onward_end = run(self.onward, x, lengths, onward_start)
        x = reverse_padded(x, lengths)
        reverse, reverse_end = run(self.reverse, x, lengths, reverse_start)
        outputs = torch.cat([onward, reverse_padded(reverse, lengths)], dim=-1)
        hidden, cell = zip(onward_end, reverse_end, strict=True)
        return outputs, (torch.cat(hidden), torch.cat(cell))


def as_widths(hidden_size: int | Sequence[int]) -> tuple[int, ...]:
    """Return the widths of layers, first to last; an int is that of a single one."""
    widths = tuple(hidden_size) if isinstance(hidden_size, Sequence) else (hidden_size,)
    if not widths:
        raise ValueError("hidden_size must be a positive int or some of them, got none.")
    for width in widths:
        check_sizes(hidden_size=width)
    return widths


def run_lstm(
    lstm: nn.LSTM, x: Tensor, state: State | None, weights: list[Tensor] | None = None
) -> tuple[Tensor, State]:
    """Run torch's LSTM so that a sequence alone has the bits that it has in a batch.

    A batch of one may go to another kernel, with other bits; a batch of two does not. An exported
    or compiled network has kernels of its own. `weights`, in torch's order, take the place of the
    LSTM's own.
    """
    if not lstm.training and not torch.compiler.is_compiling() and x.shape[0] == 1:
        if state is not None:
            state = state[0].expand(-1, 2, -1).contiguous(), state[1].expand(-1, 2, -1).contiguous()
        output, (hidden, cell) = run_lstm(lstm, x.expand(2, -1, -1), state, weights)
        return output[:1], (hidden[:, :1], cell[:, :1])
    if weights is None:
        return lstm(x, state)
    if state is None:
        state = (x.new_zeros(1, x.shape[0], lstm.hidden_size),) * 2
    # What nn.LSTM calls. Not functional_call, which swaps the weights of a module that other
    # threads may be using.
    output, hidden, cell = torch.lstm(x, state, weights, True, 1, 0.0, lstm.training, False, True)
    return output, (hidden, cell)


def _run_through(
    lstm: nn.LSTM, x: Tensor, lengths: Tensor, state: State | None
) -> tuple[Tensor, State]:
    """Run over the padding too; only the outputs before it mean anything."""
    return run_lstm(lstm, x, state)


def _run_to_ends(
    lstm: nn.LSTM, x: Tensor, lengths: Tensor, state: State | None
) -> tuple[Tensor, State]:
    """Run so that each sequence's state is the one at its own end.

    The kernel returns the outputs of all steps but the cell state of the last alone, so time is cut
    at the lengths that occur, and the sequences that end drop out: few cuts, as a batch holds
    sequences of like length.
    """
    if x.shape[1] == 1:
        return run_lstm(lstm, x, state)
    if torch.compiler.is_compiling():  # when nobody knows the lengths yet
        return _run_step_by_step(lstm, x, lengths, state)
    numbers = sorted(numbers_of(lengths))
    if numbers[0] == x.shape[1]:
        return run_lstm(lstm, x, state)
    order = lengths.argsort(descending=True, stable=True)
    x, ends = x[order], sorted(set(numbers))
    n_alive = [len(numbers) - bisect_left(numbers, end) for end in ends] + [0]
    if state is not None:
        state = state[0][:, order], state[1][:, order]
    outputs, hidden_ends, cell_ends = [], [], []
    for (start, end), (n, n_after) in zip(pairwise([0, *ends]), pairwise(n_alive), strict=True):
        if state is not None:
            state = state[0][:, :n].contiguous(), state[1][:, :n].contiguous()
        output, state = run_lstm(lstm, x[:n, start:end], state)
        outputs.append(functional.pad(output, (0, 0, 0, 0, 0, len(x) - n)))
        hidden_ends.append(state[0][:, n_after:])
        cell_ends.append(state[1][:, n_after:])
    back = order.argsort()
    output = functional.pad(torch.cat(outputs, dim=1), (0, 0, 0, x.shape[1] - ends[-1]))
    hidden, cell = (torch.cat(parts[::-1], dim=1)[:, back] for parts in (hidden_ends, cell_ends))
    return output[back], (hidden, cell)


def _run_step_by_step(
    lstm: nn.LSTM, x: Tensor, lengths: Tensor, state: State | None
) -> tuple[Tensor, State]:
    """Do the same by operations that are the same for all lengths."""
    outputs = []
    for i, step in enumerate(x.split(1, dim=1)):
        output, after = run_lstm(lstm, step, state)
        is_real = (i < lengths).unsqueeze(-1)
        if state is not None:
            after = (
                torch.where(is_real, after[0], state[0]),
                torch.where(is_real, after[1], state[1]),
            )
        outputs.append(output)
        state = after
    return torch.cat(outputs, dim=1), after


def _split_directions(state: State) -> tuple[State, State]:
    hidden, cell = state
    return (hidden[:1], cell[:1]), (hidden[1:], cell[1:])
