"""The LSTM autoencoder: encoder, bottleneck, decoder."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from skl_lstmae.modules.layers import (
    RowLinear,
    add_noise,
    check_option,
    check_rates,
    check_sizes,
    make_activation,
)
from skl_lstmae.modules.network import Output, SequenceNetwork, keeps_config
from skl_lstmae.modules.padding import (
    as_lengths,
    check_batch,
    full_lengths,
    last_step,
    max_step,
    mean_step,
    previous_steps,
)
from skl_lstmae.modules.randomness import on_host
from skl_lstmae.modules.recurrent import LSTMStack, State, as_widths, run_lstm


class LSTMAutoencoder(SequenceNetwork):
    """Autoencoder of padded sequences: LSTM encoder, bottleneck, LSTM decoder.

    Input weights start from Xavier's distribution, recurrent ones orthogonal, and the biases of
    forget gates at 1.

    Parameters
    ----------
    input_size : int
        Number of features of a time step.

    hidden_size : int or sequence of int, default=64
        Width of the encoder's LSTM layers, first to last; the decoder mirrors them.

    latent_size : int, default=32
        Width of the latent.

    bottleneck : {"mean", "max", "last", "sequence"}, default="mean"
        Which of the encoder's outputs become the latent: the mean or maximum over the real steps,
        the last real step of each direction, or every step. With "sequence" the decoder also starts
        from the encoder's final state [1]_.

    decoder : {"repeat", "autoregressive"}, default="repeat"
        "repeat" reads the latent at every step; "autoregressive" reads the previous step as well.

    teacher_forcing : float, default=0.5
        Probability that an autoregressive decoder reads the true previous steps of a training batch
        instead of its own predictions [2]_. In evaluation mode it always reads its own.

    bidirectional : {False, "encoder", "both"}, default=False
        Which LSTMs run in both directions. "both" excludes ``decoder="autoregressive"``.

    skip_connection : bool, default=False
        Whether to add to each prediction a linear map of the previous step, which bypasses the
        bottleneck [3]_.

    dropout : float, default=0.0
        Probability of zeroing an output between stacked layers, in training.

    noise : float, default=0.8
        Standard deviation of the Gaussian noise that is added to x in training. The target stays
        clean [4]_, so copying is not enough.

    output_activation : {None, "sigmoid", "tanh", "relu"}, default=None
        Function applied to the prediction.

    Shape
    -----
    - x: ``(batch, time, input_size)``, float32; what stands beyond a sequence's length must be
      finite, and has no influence.
    - lengths: ``(batch,)``, int64, on any device; None means that nothing is padded.
    - output: :class:`Output`, whose latent is ``(batch, latent_size)``, or ``(batch, time,
      latent_size)`` with ``bottleneck="sequence"``, and whose states are the encoder's outputs.

    References
    ----------
    .. [1] I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with neural networks",
       NeurIPS 2014.
    .. [2] S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer, "Scheduled sampling for sequence prediction
       with recurrent neural networks", NeurIPS 2015. (There the choice falls at each step; here for
       a whole batch, which keeps the teacher-forced ones in one kernel call.)
    .. [3] G. Lai, W.-C. Chang, Y. Yang, H. Liu, "Modeling long- and short-term temporal patterns
       with deep neural networks", SIGIR 2018, :doi:`10.1145/3209978.3210006`: the autoregressive
       path of section 3.6. (There each feature has one of its own over several steps.)
    .. [4] P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol, "Stacked denoising
       autoencoders", Journal of Machine Learning Research 11, 2010.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMAutoencoder
    >>> module = LSTMAutoencoder(input_size=3, hidden_size=(32, 16), latent_size=4)
    >>> output = module(torch.randn(5, 20, 3), torch.tensor([20, 18, 11, 7, 1]))
    >>> output.prediction.shape, output.latent.shape
    (torch.Size([5, 20, 3]), torch.Size([5, 4]))
    """

    takes_generator = True

    @keeps_config
    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int] = 64,
        latent_size: int = 32,
        *,
        bottleneck: str = "mean",
        decoder: str = "repeat",
        teacher_forcing: float = 0.5,
        bidirectional: str | bool = False,
        skip_connection: bool = False,
        dropout: float = 0.0,
        noise: float = 0.8,
        output_activation: str | None = None,
    ):
        super().__init__()
        check_option("bottleneck", bottleneck, ("last", "mean", "max", "sequence"))
        check_option("decoder", decoder, ("repeat", "autoregressive"))
        check_option("bidirectional", bidirectional, (False, "encoder", "both"))
        check_sizes(input_size=input_size, latent_size=latent_size)
        check_rates(noise, dropout=dropout, teacher_forcing=teacher_forcing)
        widths = as_widths(hidden_size)
        self.input_size = input_size
        self.latent_size = latent_size
        self.noise = noise
        self.width = max(widths)
        self.encoder = LSTMStack(
            input_size, widths, bidirectional=bool(bidirectional), dropout=dropout
        )
        self.bottleneck = Bottleneck(widths[-1], latent_size, bottleneck, self.encoder.n_directions)
        self.decoder = LSTMDecoder(
            input_size,
            widths[::-1],
            latent_size,
            bidirectional=bidirectional == "both",
            dropout=dropout,
            autoregressive=decoder == "autoregressive",
            teacher_forcing=teacher_forcing,
            skip_connection=skip_connection,
            output_activation=output_activation,
        )
        self.bridge = (
            StateBridge(widths, merge_directions=bidirectional == "encoder")
            if bottleneck == "sequence"
            else None
        )
        self.reset_parameters()

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> Output:
        """Encode and reconstruct.

        ``generator`` drives noise, dropout and teacher forcing in training mode; None means torch's
        global one.
        """
        lengths = check_batch(x, lengths, self.input_size)
        if self.training:
            x = add_noise(x, self.noise, generator)
        latent, outputs, states = self._encode(x, lengths, generator)
        prediction = self.decoder(latent, lengths, x, states, generator)
        return Output(prediction, latent, outputs)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the latent of a padded batch, shaped as :meth:`forward` does.

        Examples
        --------
        >>> import torch
        >>> from skl_lstmae.modules import LSTMAutoencoder
        >>> module = LSTMAutoencoder(input_size=3, latent_size=8).eval()
        >>> module.encode(torch.randn(5, 20, 3)).shape
        torch.Size([5, 8])
        """
        lengths = check_batch(x, lengths, self.input_size)
        return self._encode(x, lengths)[0]

    def decode(self, latent: Tensor, lengths: Tensor | Sequence[int]) -> Tensor:
        """Decode latents to ``(batch, max(lengths), input_size)``, from the steps decoded before.

        Examples
        --------
        >>> import torch
        >>> from skl_lstmae.modules import LSTMAutoencoder
        >>> module = LSTMAutoencoder(input_size=3, latent_size=8).eval()
        >>> module.decode(torch.randn(2, 8), torch.tensor([20, 11])).shape
        torch.Size([2, 20, 3])
        """
        n_steps = as_lengths(lengths, len(latent), latent.device)
        if bool((n_steps < 1).any()):
            raise ValueError(
                f"lengths are {n_steps.tolist()}; expected a number of steps, 1 at least, for each "
                f"of {len(latent)} latents."
            )
        return self.decoder(latent, n_steps)

    def _encode(
        self, x: Tensor, lengths: Tensor, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor, list[State] | None]:
        outputs, states = self.encoder(
            x, lengths, final_states=self.bridge is not None, generator=generator
        )
        latent = self.bottleneck(outputs, lengths)
        return latent, outputs, None if self.bridge is None else self.bridge(states)


class Bottleneck(nn.Module):
    """Turns an encoder's outputs into the latent, with one linear layer.

    Parameters
    ----------
    hidden_size : int
        Width of each direction of the encoder's last layer.

    latent_size : int
        Width of the latent.

    kind : {"last", "mean", "max", "mean_max", "sequence"}, default="last"
        Which outputs become the latent: the last real step of each direction, the mean or maximum
        over the real steps, both side by side, or every step.

    n_directions : int, default=1
        2 if the encoder is bidirectional.

    Shape
    -----
    - outputs: ``(batch, time, n_directions * hidden_size)``; lengths: ``(batch,)``.
    - latent: ``(batch, latent_size)``, or ``(batch, time, latent_size)`` for ``kind="sequence"``.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import Bottleneck
    >>> bottleneck = Bottleneck(hidden_size=8, latent_size=2, kind="mean")
    >>> bottleneck(torch.randn(3, 7, 8), torch.tensor([7, 4, 1])).shape
    torch.Size([3, 2])
    """

    def __init__(
        self, hidden_size: int, latent_size: int, kind: str = "last", n_directions: int = 1
    ):
        super().__init__()
        self.hidden_size = hidden_size
        self.kind = kind
        n_pooled = 2 if kind == "mean_max" else 1
        self.linear = RowLinear(n_pooled * n_directions * hidden_size, latent_size)

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Pool the real steps and map them to the latent."""
        if self.kind == "last":
            pooled = last_step(outputs, lengths)
            if outputs.shape[-1] > self.hidden_size:  # the backward direction ends at step 0
                backward = outputs[:, 0, self.hidden_size :]
                pooled = torch.cat([pooled[:, : self.hidden_size], backward], dim=-1)
        elif self.kind == "mean":
            pooled = mean_step(outputs, lengths)
        elif self.kind == "max":
            pooled = max_step(outputs, lengths)
        elif self.kind == "mean_max":
            pooled = torch.cat([mean_step(outputs, lengths), max_step(outputs, lengths)], dim=-1)
        else:
            pooled = outputs
        return self.linear(pooled)


class LSTMDecoder(nn.Module):
    """Turns a latent into a sequence: an LSTM that reads it at every step, and a linear layer.

    An autoregressive decoder reads the previous step too: the true one, if it is given and teacher
    forcing is on, else its own prediction. Zeros precede the first step.

    Parameters
    ----------
    output_size : int
        Number of features of a time step.

    hidden_sizes : sequence of int
        Width of each layer, first to last.

    latent_size : int
        Width of the latent.

    bidirectional : bool, default=False
        Whether a second LSTM of each layer runs backward in time.

    dropout : float, default=0.0
        Probability of zeroing an output between layers, in training.

    autoregressive : bool, default=False
        Whether the previous step is read in addition to the latent.

    teacher_forcing : float, default=0.5
        Probability that the previous steps of a training batch are the true ones.

    skip_connection : bool, default=False
        Whether a linear map of the previous step is added to each prediction.

    output_activation : {None, "sigmoid", "tanh", "relu"}, default=None
        Function applied to the prediction.

    Shape
    -----
    - latent: ``(batch, latent_size)``, read at every step, or ``(batch, time, latent_size)``, read
      step by step.
    - lengths: ``(batch,)``.
    - target: ``(batch, time, output_size)``, the steps to decode. Teacher forcing and the skip
      connection read the step before each. With None, the decoder reads its own past predictions.
    - states: one :data:`State` for each layer, or None for zeros.
    - prediction: ``(batch, time, output_size)``, where time is the greatest length.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMDecoder
    >>> decoder = LSTMDecoder(output_size=3, hidden_sizes=(16,), latent_size=4)
    >>> decoder(torch.randn(2, 4), torch.tensor([7, 5])).shape
    torch.Size([2, 7, 3])
    """

    def __init__(
        self,
        output_size: int,
        hidden_sizes: Sequence[int],
        latent_size: int,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        autoregressive: bool = False,
        teacher_forcing: float = 0.5,
        skip_connection: bool = False,
        output_activation: str | None = None,
    ):
        super().__init__()
        if autoregressive and bidirectional:
            raise ValueError(
                "An autoregressive decoder only runs forward in time: "
                "use bidirectional='encoder' or decoder='repeat'."
            )
        self.output_size = output_size
        self.autoregressive = autoregressive
        self.teacher_forcing = teacher_forcing
        self.stack = LSTMStack(
            latent_size + autoregressive * output_size,
            hidden_sizes,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.head = RowLinear(self.stack.n_directions * hidden_sizes[-1], output_size)
        self.skip = RowLinear(output_size, output_size) if skip_connection else None
        self.activation = make_activation(output_activation)

    def forward(
        self,
        latent: Tensor,
        lengths: Tensor,
        target: Tensor | None = None,
        states: Sequence[State] | None = None,
        generator: Generator | None = None,
    ) -> Tensor:
        """Decode a batch of latents."""
        n_timesteps = int(lengths.max()) if target is None else target.shape[1]
        if latent.dim() == 2:
            latent = latent.unsqueeze(1).expand(-1, n_timesteps, -1)
        if self.autoregressive:
            if target is None or not self._is_forced(generator):
                return self._run_freely(latent, states, generator)
            latent = torch.cat([latent, previous_steps(target)], dim=-1)
        hidden, _ = self.stack(latent, lengths, states, generator=generator)
        if self.skip is None:
            return self._predict(hidden)
        if target is None:
            return self._skip_freely(hidden)
        return self._predict(hidden, previous_steps(target))

    def _predict(self, hidden: Tensor, previous: Tensor | None = None) -> Tensor:
        # As the LSTM's outputs lie in memory, time first, so that nothing is copied.
        prediction = self.head(hidden.transpose(0, 1)).transpose(0, 1)
        if self.skip is not None and previous is not None:
            prediction = prediction + self.skip(previous)
        return self.activation(prediction)

    def _is_forced(self, generator: Generator | None) -> bool:
        if not self.training:
            return False
        if generator is not None:
            generator = on_host(generator)
        draw = torch.rand((), generator=generator, device="cpu", dtype=torch.float32)
        return bool(draw < self.teacher_forcing)

    def _run_freely(
        self, latent: Tensor, states: Sequence[State] | None, generator: Generator | None
    ) -> Tensor:
        feedback_is_linear = self.skip is None and isinstance(self.activation, nn.Identity)
        if feedback_is_linear and len(self.stack.layers) == 1:
            return self._run_folded(latent, states)
        prediction = latent.new_zeros(latent.shape[0], 1, self.output_size)
        predictions = []
        for step in latent.split(1, dim=1):
            prediction, states = self._step(step, prediction, states, generator)
            predictions.append(prediction)
        return torch.cat(predictions, dim=1)

    def _run_folded(self, latent: Tensor, states: Sequence[State] | None) -> Tensor:
        """Run all steps in one kernel call, the feedback being a part of the recurrence.

        With the last prediction ``W_out h + b_out``, what a step adds up from its past is
        ``(W_hh + W_in W_out) h + W_in b_out``; but the first step's past are zeros.
        """
        lstm: Any = self.stack.layers[0].onward
        feedback = lstm.weight_ih_l0[:, latent.shape[-1] :]
        nothing = latent.new_zeros(latent.shape[0], 1, self.output_size)
        first, (state,) = self._step(latent[:, :1], nothing, states)
        if latent.shape[1] == 1:
            return first
        weights = [
            lstm.weight_ih_l0[:, : latent.shape[-1]],
            lstm.weight_hh_l0 + feedback @ self.head.weight,
            lstm.bias_ih_l0,
            lstm.bias_hh_l0 + feedback @ self.head.bias,
        ]
        hidden, _ = run_lstm(lstm, latent[:, 1:], state, weights)
        return torch.cat([first, self._predict(hidden)], dim=1)

    def _step(
        self,
        latent: Tensor,
        previous: Tensor,
        states: Sequence[State] | None,
        generator: Generator | None = None,
    ) -> tuple[Tensor, list[State]]:
        x, one_step = torch.cat([latent, previous], dim=-1), full_lengths(latent)
        hidden, ends = self.stack(x, one_step, states, final_states=True, generator=generator)
        return self._predict(hidden, previous), ends

    def _skip_freely(self, hidden: Tensor) -> Tensor:
        prediction = hidden.new_zeros(hidden.shape[0], 1, self.output_size)
        predictions = []
        for step in hidden.split(1, dim=1):
            prediction = self._predict(step, prediction)
            predictions.append(prediction)
        return torch.cat(predictions, dim=1)


class StateBridge(nn.Module):
    """Passes an encoder's final states to the mirrored decoder, from the last layer to the first.

    With ``merge_directions`` a linear layer merges the two states of a bidirectional encoder into
    one.

    Parameters
    ----------
    hidden_sizes : sequence of int
        Width of each encoder layer, first to last.

    merge_directions : bool, default=False
        Whether the encoder is bidirectional and the decoder is not.

    Shape
    -----
    - states: one :data:`State` for each encoder layer; returned: one for each decoder layer.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import StateBridge
    >>> bridge = StateBridge((8, 5), merge_directions=True)
    >>> states = [(torch.zeros(2, 3, 8),) * 2, (torch.zeros(2, 3, 5),) * 2]
    >>> [tuple(hidden.shape) for hidden, cell in bridge(states)]
    [(1, 3, 5), (1, 3, 8)]
    """

    def __init__(self, hidden_sizes: Sequence[int], *, merge_directions: bool = False):
        super().__init__()
        widths = hidden_sizes if merge_directions else ()
        self.merge_hidden = nn.ModuleList(RowLinear(2 * width, width) for width in widths)
        self.merge_cell = nn.ModuleList(RowLinear(2 * width, width) for width in widths)

    def forward(self, states: Sequence[State]) -> list[State]:
        """Return the decoder's first states."""
        if self.merge_hidden:
            states = [
                (merge_hidden(_join_directions(hidden)), merge_cell(_join_directions(cell)))
                for merge_hidden, merge_cell, (hidden, cell) in zip(
                    self.merge_hidden, self.merge_cell, states, strict=True
                )
            ]
        return list(states[::-1])


def _join_directions(part: Tensor) -> Tensor:
    """From (n_directions, batch, hidden_size) to (1, batch, n_directions * hidden_size)."""
    return part.transpose(0, 1).flatten(1).unsqueeze(0)
