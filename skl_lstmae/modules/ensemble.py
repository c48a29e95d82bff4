"""Several networks beside each other, of which no single one's luck decides."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Generator, Tensor, nn

from skl_lstmae.modules.network import Output, SequenceNetwork, check_kind


class NetworkEnsemble(SequenceNetwork):
    """Networks of one kind, each with weights of its own, whose predictions are averaged.

    In training mode each network predicts by itself, so each has a loss of its own [1]_. Latents
    and states are those of all networks side by side.

    Parameters
    ----------
    make : callable
        Makes a network: a class, or a function.

    n_networks : int
        Number of networks.

    **config : dict
        Arguments of `make`.

    Shape
    -----
    - x: ``(batch, time, input_size)``; lengths: ``(batch,)``.
    - output: :class:`Output`, whose latent and states are ``n_networks`` times as wide as those of
      one network, and whose prediction is ``(n_networks, batch, time, input_size)`` in training
      mode.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty
       estimation using deep ensembles", NeurIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMAutoencoder, NetworkEnsemble
    >>> network = NetworkEnsemble(LSTMAutoencoder, 3, input_size=2, latent_size=4).eval()
    >>> output = network(torch.randn(5, 20, 2))
    >>> output.prediction.shape, output.latent.shape
    (torch.Size([5, 20, 2]), torch.Size([5, 12]))
    """

    networks: Any  # a ModuleList, whose members torch's types do not know

    def __init__(self, make: Callable[..., SequenceNetwork], n_networks: int, **config: Any):
        super().__init__()
        networks = [make(**config) for _ in range(n_networks)]
        for network in networks:
            check_kind(network)
        first = networks[0]
        self.networks = nn.ModuleList(map(deepcopy, networks))  # as they may be one and the same
        self.n_networks = n_networks
        self.input_size = first.input_size
        self.latent_size = n_networks * first.latent_size
        self.width = first.width
        self.is_causal = first.is_causal
        self.takes_generator = first.takes_generator
        self.config = None
        if isinstance(make, type):
            self.config = {"make": make, "n_networks": n_networks, **config}

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> Output:
        """Have each network predict, one after the other from the same ``generator``."""
        return self._join([network(x, lengths, generator) for network in self.networks])

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the latents of the networks side by side."""
        return torch.cat([network.encode(x, lengths) for network in self.networks], dim=-1)

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Return the mean of what the networks decode of their own latents."""
        parts = latent.chunk(len(self.networks), dim=-1)
        decoded = [
            network.decode(part, lengths)
            for network, part in zip(self.networks, parts, strict=True)
        ]
        return torch.stack(decoded).mean(dim=0)

    def resume(
        self, x: Tensor, lengths: Tensor | None = None, past: Any = None
    ) -> tuple[Output, Any]:
        """Predict further steps; ``past`` is that of each network."""
        pasts = past or [None] * len(self.networks)
        outputs, pasts = zip(
            *(
                network.resume(x, lengths, own)
                for network, own in zip(self.networks, pasts, strict=True)
            ),
            strict=True,
        )
        return self._join(outputs), pasts

    def forecast(self, past: Any, n_steps: int = 1) -> Tensor:
        """Return the mean of the networks' forecasts, each of which feeds on its own."""
        forecasts = [
            network.forecast(own, n_steps) for network, own in zip(self.networks, past, strict=True)
        ]
        return torch.stack(forecasts).mean(dim=0)

    def _join(self, outputs: Sequence[Output]) -> Output:
        predictions, latents, states = zip(*outputs, strict=True)
        prediction = torch.stack(predictions)
        return Output(
            prediction if self.training else prediction.mean(dim=0),
            torch.cat(latents, dim=-1),
            torch.cat(states, dim=-1),
        )

    @property
    def keeps_state(self) -> bool:
        """Whether each of the networks does."""
        return all(network.keeps_state for network in self.networks)
