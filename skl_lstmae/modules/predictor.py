"""The LSTM predictor: a class or numbers from a sequence, or from each of its steps."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from skl_lstmae.modules.autoencoder import Bottleneck
from skl_lstmae.modules.layers import (
    RowLinear,
    add_noise,
    check_option,
    check_rates,
    check_sizes,
    dropout,
)
from skl_lstmae.modules.network import Output, SequenceNetwork, keeps_config
from skl_lstmae.modules.padding import check_batch
from skl_lstmae.modules.recurrent import LSTMStack, as_widths

SCALE_OF_CHANGES = 3.0
"""Factor that brings differences of neighbouring steps nearer to the spread of the steps."""


class LSTMPredictor(SequenceNetwork):
    """Predictor of a target of padded sequences: LSTM encoder, bottleneck, linear layer.

    Input weights start from Xavier's distribution, recurrent ones orthogonal, and the biases of
    forget gates at 1.

    Parameters
    ----------
    input_size : int
        Number of features of a time step.

    output_size : int
        Number of outputs: classes, or numbers to predict.

    hidden_size : int or sequence of int, default=64
        Width of each direction of the LSTM layers, first to last.

    latent_size : int, default=32
        Width of the latent, which the last layer reads.

    bottleneck : {"mean_max", "mean", "max", "last", "sequence"}, default="mean_max"
        Which of the encoder's outputs become the latent: the mean over the real steps, the maximum,
        or both; the last real step of each direction; or every step. "sequence" makes a prediction
        for each step.

    bidirectional : bool, default=True
        Whether a second LSTM of each layer runs backward in time.

    differences : bool, default=True
        Whether the encoder also reads the difference of each step from the one before it, which is
        zero for the first. It is multiplied by three, as steps differ less than sequences.

    dropout : float, default=0.3
        Probability of zeroing an output between stacked layers, or a feature of the latent, in
        training.

    noise : float, default=0.0
        Standard deviation of Gaussian noise that is added to x in training.

    Shape
    -----
    - x: ``(batch, time, input_size)``, float32; what stands beyond a sequence's length must be
      finite, and has no influence.
    - lengths: ``(batch,)``, int64, on any device; None means that nothing is padded.
    - output: :class:`Output`. Its prediction is ``(batch, output_size)``, its latent ``(batch,
      latent_size)``; with ``bottleneck="sequence"`` both have an axis of time in the middle. Its
      states are the encoder's outputs.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMPredictor
    >>> module = LSTMPredictor(input_size=3, output_size=2)
    >>> output = module(torch.randn(5, 20, 3), torch.tensor([20, 18, 11, 7, 1]))
    >>> output.prediction.shape, output.latent.shape
    (torch.Size([5, 2]), torch.Size([5, 32]))
    """

    takes_generator = True

    @keeps_config
    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden_size: int | Sequence[int] = 64,
        latent_size: int = 32,
        *,
        bottleneck: str = "mean_max",
        bidirectional: bool = True,
        differences: bool = True,
        dropout: float = 0.3,
        noise: float = 0.0,
    ):
        super().__init__()
        check_option("bottleneck", bottleneck, ("mean_max", "mean", "max", "last", "sequence"))
        check_sizes(input_size=input_size, output_size=output_size, latent_size=latent_size)
        check_rates(noise, dropout=dropout)
        widths = as_widths(hidden_size)
        self.input_size = input_size
        self.latent_size = latent_size
        self.differences = differences
        self.dropout = dropout
        self.noise = noise
        self.width = max(widths)
        n_read = input_size * (1 + differences)
        self.encoder = LSTMStack(n_read, widths, bidirectional=bidirectional, dropout=dropout)
        self.bottleneck = Bottleneck(widths[-1], latent_size, bottleneck, self.encoder.n_directions)
        self.head = RowLinear(latent_size, output_size)
        self.reset_parameters()

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> Output:
        """Predict the target.

        ``generator`` drives noise and dropout in training mode; None means torch's global one.
        """
        lengths = check_batch(x, lengths, self.input_size)
        if self.training:
            x = add_noise(x, self.noise, generator)
        if self.differences:
            changes = functional.pad(x[:, 1:] - x[:, :-1], (0, 0, 1, 0))
            x = torch.cat([x, SCALE_OF_CHANGES * changes], dim=-1)
        states, _ = self.encoder(x, lengths, generator=generator)
        latent = self.bottleneck(states, lengths)
        read = dropout(latent, self.dropout, generator) if self.training else latent
        return Output(self.head(read), latent, states)
