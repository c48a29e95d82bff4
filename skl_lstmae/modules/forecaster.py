"""The LSTM forecaster: each step from those before it."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from skl_lstmae.modules.layers import (
    RowLinear,
    add_noise,
    check_rates,
    check_sizes,
    make_activation,
)
from skl_lstmae.modules.network import Output, SequenceNetwork, keeps_config
from skl_lstmae.modules.padding import check_batch, full_lengths, last_step, previous_steps
from skl_lstmae.modules.recurrent import LSTMStack, State, as_widths

Past = tuple[Tensor, list[State]]
"""What a forecaster knows of a past: its last step ``(batch, 1, feature)``, not yet read by the
LSTM, and each layer's state before it."""


class LSTMForecaster(SequenceNetwork):
    """Forecaster of padded sequences: an LSTM predicts each step from the steps before it.

    Zeros, and zero states, precede the first step [1]_. Input weights start from Xavier's
    distribution, recurrent ones orthogonal, and the biases of forget gates at 1.

    Parameters
    ----------
    input_size : int
        Number of features of a time step.

    hidden_size : int or sequence of int, default=64
        Width of the LSTM layers, first to last.

    dropout : float, default=0.0
        Probability of zeroing an output between stacked layers, in training.

    noise : float, default=0.0
        Standard deviation of the Gaussian noise that is added to the past in training. The step to
        predict stays clean.

    output_activation : {None, "sigmoid", "tanh", "relu"}, default=None
        Function applied to the prediction.

    Shape
    -----
    - x: ``(batch, time, input_size)``, float32; what stands beyond a sequence's length must be
      finite, and has no influence.
    - lengths: ``(batch,)``, int64, on any device; None means that nothing is padded.
    - output: :class:`Output`. Its latent and its states are the LSTM's outputs, ``(batch, time,
      latent_size)``, each from the steps before its own; ``latent_size`` is the width of the last
      layer.

    References
    ----------
    .. [1] P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for anomaly
       detection in time series", ESANN 2015. (There several steps ahead are predicted at a time.)

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMForecaster
    >>> module = LSTMForecaster(input_size=3, hidden_size=(32, 16)).eval()
    >>> x, lengths = torch.randn(5, 20, 3), torch.tensor([20, 18, 11, 7, 1])
    >>> output = module(x, lengths)
    >>> output.prediction.shape, output.latent.shape
    (torch.Size([5, 20, 3]), torch.Size([5, 20, 16]))

    A long sequence may come chunk by chunk, and be continued:

    >>> first, past = module.resume(x[:1, :8])
    >>> second, past = module.resume(x[:1, 8:], past=past)
    >>> predicted = torch.cat([first.prediction, second.prediction], dim=1)
    >>> torch.equal(predicted, output.prediction[:1])
    True
    >>> module.forecast(past, n_steps=4).shape
    torch.Size([1, 4, 3])
    """

    is_causal = True
    takes_generator = True

    @keeps_config
    def __init__(
        self,
        input_size: int,
        hidden_size: int | Sequence[int] = 64,
        *,
        dropout: float = 0.0,
        noise: float = 0.0,
        output_activation: str | None = None,
    ):
        super().__init__()
        check_sizes(input_size=input_size)
        check_rates(noise, dropout=dropout)
        widths = as_widths(hidden_size)
        self.input_size = input_size
        self.latent_size = widths[-1]
        self.noise = noise
        self.width = max(widths)
        self.stack = LSTMStack(input_size, widths, dropout=dropout)
        self.head = RowLinear(widths[-1], input_size)
        self.activation = make_activation(output_activation)
        self.reset_parameters()

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> Output:
        """Predict each step from those before it.

        ``generator`` drives noise and dropout in training mode; None means torch's global one.
        """
        lengths = check_batch(x, lengths, self.input_size)
        if self.training:
            x = add_noise(x, self.noise, generator)
        outputs, _ = self.stack(previous_steps(x), lengths, generator=generator)
        return self._predict(outputs)

    def resume(
        self, x: Tensor, lengths: Tensor | None = None, past: Past | None = None
    ) -> tuple[Output, Past]:
        """Predict further steps of sequences whose earlier ones are ``past``.

        Parameters
        ----------
        x : Tensor of shape (batch, time, input_size), float32
            The further steps, right-padded.

        lengths : Tensor of shape (batch,), int64, default=None
            Numbers of real steps; None means that nothing is padded.

        past : :data:`Past`, default=None
            What an earlier call returned; None for the beginnings of sequences.

        Returns
        -------
        output : Output
            On a CPU in evaluation mode, bit for bit what the sequences give in one piece.
        past : :data:`Past`
            All steps so far.

        Examples
        --------
        >>> import torch
        >>> from skl_lstmae.modules import LSTMForecaster
        >>> module, x = LSTMForecaster(input_size=3).eval(), torch.randn(1, 20, 3)
        >>> first, past = module.resume(x[:, :8])
        >>> second, past = module.resume(x[:, 8:], past=past)
        >>> predicted = torch.cat([first.prediction, second.prediction], dim=1)
        >>> torch.equal(predicted, module(x).prediction)
        True
        """
        lengths = check_batch(x, lengths, self.input_size)
        before, states = (None, None) if past is None else past
        outputs, states = self.stack(previous_steps(x, before), lengths, states, final_states=True)
        return self._predict(outputs), (last_step(x, lengths).unsqueeze(1), states)

    def forecast(self, past: Past, n_steps: int = 1) -> Tensor:
        """Continue sequences by ``(batch, n_steps, input_size)``, reading its own predictions.

        Examples
        --------
        >>> import torch
        >>> from skl_lstmae.modules import LSTMForecaster
        >>> module = LSTMForecaster(input_size=3).eval()
        >>> _, past = module.resume(torch.randn(2, 20, 3))
        >>> module.forecast(past, n_steps=4).shape
        torch.Size([2, 4, 3])
        """
        step, states = past
        one_step = full_lengths(step)
        steps = []
        for _ in range(n_steps):
            outputs, states = self.stack(step, one_step, states, final_states=True)
            step = self._predict(outputs).prediction
            steps.append(step)
        return torch.cat(steps, dim=1)

    def _predict(self, outputs: Tensor) -> Output:
        return Output(self.activation(self.head(outputs)), outputs, outputs)
