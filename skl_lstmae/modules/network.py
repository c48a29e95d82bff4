"""The contract between a detector and its network."""

import copyreg
import inspect
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from skl_lstmae.modules.padding import check_lengths, last_step
from skl_lstmae.modules.randomness import DrawsFrom

TOLERANCE = 1e-4
"""By how much a prediction may change with what it is not to depend on, by rounding."""


class Output(NamedTuple):
    """What a network returns for a padded batch.

    Attributes
    ----------
    prediction : Tensor of shape (batch, time, input_size)
        Prediction of the steps; arbitrary beyond a sequence's length. A network with another kind
        of target, such as :class:`LSTMPredictor`, predicts that: ``(batch, output_size)``, or
        ``(batch, time, output_size)``.
    latent : Tensor of shape (batch, latent_size) or (batch, time, latent_size)
        One vector for each sequence, or for each step.
    states : Tensor of shape (batch, time, n_states)
        Numbers that describe, at each step, what the network has read so far. Scores use the
        maximum of each over a sequence. The networks here return the outputs of the LSTM that reads
        x.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import LSTMAutoencoder
    >>> output = LSTMAutoencoder(input_size=3)(torch.randn(5, 20, 3))
    >>> output.prediction.shape, output.latent.shape, output.states.shape
    (torch.Size([5, 20, 3]), torch.Size([5, 32]), torch.Size([5, 20, 64]))
    """

    prediction: Tensor
    latent: Tensor
    states: Tensor


def keeps_config(init: Callable[..., None]) -> Callable[..., None]:
    """Decorate a network's constructor so that ``config`` holds its arguments.

    Parameters
    ----------
    init : callable
        The constructor.

    Returns
    -------
    init : callable
        The same constructor, which also sets ``config``.

    Examples
    --------
    >>> from skl_lstmae.modules import LSTMForecaster
    >>> LSTMForecaster(3, hidden_size=8).config["hidden_size"]
    8
    """

    @wraps(init)
    def init_and_keep(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if type(self).__init__ is not init_and_keep:
            return  # a subclass with other arguments of its own
        bound = inspect.signature(init).bind(self, *args, **kwargs)
        bound.apply_defaults()
        _, *arguments = bound.arguments.items()
        self.config = dict(arguments)
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                self.config |= self.config.pop(name)

    return init_and_keep


class SequenceNetwork(nn.Module):
    """Predicts the steps of padded sequences: all that a detector asks of its network.

    A network of your own inherits from this class, sets `input_size` and `latent_size`, and defines
    :meth:`forward`. Pass it as ``network`` to :class:`skl_lstmae.LSTMAutoencoderDetector` or, if it
    is causal, to :class:`skl_lstmae.LSTMForecastDetector`: either a function that makes one from
    the number of features, or a trained one.

    - Batches are right-padded. No real step may depend on padding; :func:`real_steps` tells the two
      apart.
    - Make tensors on the device of x, as in ``torch.arange(n, device=x.device)``: it may be a GPU.
    - Random numbers in training come from the generator passed to :meth:`forward`. As torch's own
      dropout takes none, a detector seeds torch's global generator for the call, unless
      `takes_generator`, and leaves it as it was.
    - :meth:`reset_parameters` draws the weights of all layers anew. Those of torch can do so; a
      layer of your own needs a method ``reset_parameters(generator)``, or one without arguments.
    - A sequence gets the same score in any batch, bit for bit, if your layers allow it. Those of
      this package do (:class:`RowLinear`); the rounding of most of torch's depends on the batch.

    Attributes
    ----------
    is_causal : bool, default=False
        Whether each step is predicted only from those before it: ``prediction[:, t]`` from
        ``x[:, :t]``. A network that reads forward then has to read x delayed by one step, as
        :func:`previous_steps` returns it, and `latent` has a vector for each step.
    takes_generator : bool, default=False
        Whether all random numbers in training are drawn from the generator.
    input_size : int
        Number of features of a time step.
    latent_size : int
        Width of the latent.
    n_networks : int, default=1
        How many networks it is made of: see :class:`NetworkEnsemble`.
    width : int, default=64
        Features of the widest layer. A detector sizes its batches by it: width times rows times
        steps is what a call computes at once. ``max_epochs="auto"`` makes more steps if it is less
        than 64.
    config : dict, default=None
        Arguments that make such a network anew, so that a saved detector holds only these and plain
        arrays; :func:`keeps_config` sets it. None means that the module is saved as it is.

    Examples
    --------
    >>> import torch
    >>> from skl_lstmae.modules import Output, SequenceNetwork, check_lengths, mean_step
    >>> class GRUAutoencoder(SequenceNetwork):
    ...     def __init__(self, input_size, latent_size=8):
    ...         super().__init__()
    ...         self.input_size, self.latent_size = input_size, latent_size
    ...         self.encoder = torch.nn.GRU(input_size, 32, batch_first=True)
    ...         self.bottleneck = torch.nn.Linear(32, latent_size)
    ...         self.decoder = torch.nn.GRU(latent_size, 32, batch_first=True)
    ...         self.head = torch.nn.Linear(32, input_size)
    ...
    ...     def forward(self, x, lengths=None, generator=None):
    ...         states, _ = self.encoder(x)
    ...         latent = self.bottleneck(mean_step(states, check_lengths(x, lengths)))
    ...         repeated = latent.unsqueeze(1).expand(-1, x.shape[1], -1)
    ...         return Output(self.head(self.decoder(repeated)[0]), latent, states)
    >>> network = GRUAutoencoder(3)
    >>> network(torch.randn(2, 7, 3), torch.tensor([7, 4])).latent.shape
    torch.Size([2, 8])
    """

    is_causal: bool = False
    takes_generator: bool = False

    input_size: int
    latent_size: int
    n_networks: int = 1
    width: int = 64
    config: dict[str, Any] | None = None

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Return what pickle and copy make of any object, which have no use for ``__reduce__``."""
        return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse skops, which asks here."""
        raise TypeError(
            f"skops keeps no torch modules, such as this {type(self).__name__}; save the detector "
            "by joblib, or give it a function or class as network, whose networks have a config."
        )

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> Output:
        """Predict the steps of a padded batch.

        Parameters
        ----------
        x : Tensor of shape (batch, time, input_size), float32
            Right-padded. What stands beyond a sequence's length is finite.
        lengths : Tensor of shape (batch,), int64, default=None
            Numbers of real steps; None means that nothing is padded.
        generator : torch.Generator, default=None
            Drives what is random in training mode; None means torch's global one.

        Returns
        -------
        output : Output
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward.")

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the latent of a padded batch, shaped as :meth:`forward` does."""
        return self(x, lengths).latent

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Decode latents to ``(batch, max(lengths), input_size)``, for ``inverse_transform``."""
        raise NotImplementedError(f"{type(self).__name__} must define decode to decode latents.")

    def resume(
        self, x: Tensor, lengths: Tensor | None = None, past: Any = None
    ) -> tuple[Output, Any]:
        """Predict further steps of sequences whose earlier ones are ``past``; of causal networks.

        A network without a ``resume`` of its own keeps no state and reads all of the past again, so
        a detector makes it read long sequences at once. With one, it reads them chunk by chunk, in
        bounded memory.

        Parameters
        ----------
        x : Tensor of shape (batch, time, input_size), float32
            The further steps, right-padded.
        lengths : Tensor of shape (batch,), int64, default=None
            Numbers of real steps; None means that nothing is padded.
        past : object, default=None
            What an earlier call returned; None for the beginnings of sequences.

        Returns
        -------
        output : Output
            Of the further steps.
        past : object
            All steps so far.
        """
        lengths = check_lengths(x, lengths)
        past = [] if past is None else past
        steps = [step[:n] for step, n in zip(x, lengths.tolist(), strict=True)]
        starts = [len(before) for before in past] or [0] * len(x)
        if past:
            steps = [torch.cat(pair) for pair in zip(past, steps, strict=True)]
        so_far = torch.tensor([len(sequence) for sequence in steps], device=x.device)
        read = self(pad_sequence(steps, batch_first=True), so_far)
        news = [
            [sequence[start:n] for sequence, start, n in zip(part, starts, so_far, strict=True)]
            for part in read
        ]
        return Output(*(pad_sequence(part, batch_first=True) for part in news)), steps

    def forecast(self, past: Any, n_steps: int = 1) -> Tensor:
        """Continue sequences by ``(batch, n_steps, input_size)``, reading its own predictions.

        ``past`` is what :meth:`resume` returned; of causal networks.
        """
        ends = torch.tensor([len(sequence) + 1 for sequence in past])
        steps: list[Tensor] = []
        for _ in range(n_steps):
            # The prediction of a step does not depend on what is put in its place.
            padded = pad_sequence(
                [torch.cat([sequence, sequence[-1:]]) for sequence in past], batch_first=True
            )
            lengths = ends.to(padded.device) + len(steps)
            step = last_step(self(padded, lengths).prediction, lengths).unsqueeze(1)
            past = [torch.cat(pair) for pair in zip(past, step, strict=True)]
            steps.append(step)
        return torch.cat(steps, dim=1)

    @property
    def keeps_state(self) -> bool:
        """Whether a causal network reads on without the steps before, of which it has a state.

        Any other would read all of the past anew at every chunk of a long sequence.
        """
        return self.is_causal and type(self).resume is not SequenceNetwork.resume

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw all weights anew, from ``generator`` or else torch's global one.

        Linear layers and LSTMs start from Xavier's weights (recurrent ones orthogonal) and biases
        of 0 (forget gates 1). All other layers start as torch, or their own code, draws them.

        Raises
        ------
        TypeError
            If a layer has parameters but no ``reset_parameters``.

        Examples
        --------
        >>> import torch
        >>> from skl_lstmae.modules import LSTMForecaster
        >>> one, other = LSTMForecaster(input_size=3), LSTMForecaster(input_size=3)
        >>> for module in (one, other):
        ...     module.reset_parameters(torch.Generator().manual_seed(0))
        >>> torch.equal(one.head.weight, other.head.weight)
        True
        """
        for name, layer in self.named_modules():
            if isinstance(layer, nn.LSTM):
                _reset_lstm(layer, generator)
            elif isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            elif next(layer.parameters(recurse=False), None) is not None:
                _reset_other(name, layer, generator, network=self)


def make_network(
    factory: Callable[[], SequenceNetwork], generator: Generator | None = None
) -> SequenceNetwork:
    """Make a network, without a draw from torch's global generator.

    All its parameters are then drawn from a generator. If that is None, the caller sets them.
    """
    with DrawsFrom(torch.Generator().manual_seed(0)):
        network = factory()
    check_kind(network)
    network = deepcopy(network)  # as the factory may keep what it returns
    if generator is not None:
        draw_parameters(network, generator)
    return network


def call_factory(factory: Callable[..., Any], n_features: int, *n_outputs: int) -> Any:
    """Return what a user's function makes, or say whose error it raised."""
    try:
        return factory(n_features, *n_outputs)
    except Exception as error:
        sizes = f"{n_features}, the number of features,"
        if n_outputs:
            sizes = f"{n_features} and {n_outputs[0]}, the numbers of features and of outputs,"
        raise ValueError(
            f"network, called with {sizes} raised "
            f"{type(error).__name__}: {error}; expected it to return a "
            "skl_lstmae.modules.SequenceNetwork."
        ) from error


def draw_parameters(network: SequenceNetwork, generator: Generator) -> None:
    """Draw all parameters of a network from a generator, or refuse the network by name."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(torch.nan)
    with DrawsFrom(generator):
        network.reset_parameters(generator)
    for name, parameter in network.named_parameters():
        if not parameter.isfinite().all():
            raise TypeError(
                f"reset_parameters of {type(network).__name__} does not draw its parameter {name}; "
                "draw all of it from the generator."
            )


def check_kind(network: Any) -> None:
    """Refuse what is no network, or one whose numbers are of another kind than those it gets."""
    name = type(network).__name__
    if not isinstance(network, SequenceNetwork):
        raise TypeError(
            f"network is, or makes, a {name}; expected a subclass of "
            "skl_lstmae.modules.SequenceNetwork, whose forward(x, lengths, generator) returns an "
            'Output: see "A network of your own" on the page of architectures.'
        )
    for parameter_name, parameter in network.named_parameters():
        if parameter.is_meta:
            raise ValueError(
                f"{name} has its parameter {parameter_name} on the device 'meta', which keeps no "
                "numbers; make the network on the CPU."
            )
        if parameter.is_floating_point() and parameter.dtype != torch.float32:
            raise ValueError(
                f"{name} has a parameter {parameter_name} of {parameter.dtype}; expected "
                "torch.float32: call the network's method float()."
            )


def check_trainable(network: SequenceNetwork) -> None:
    """Refuse to train a network all of which is frozen."""
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ValueError(
            f"{type(network).__name__} has no parameter to train, of which requires_grad is True; "
            "expected one at least: set it, or fit with max_epochs=0 to leave the network as it is."
        )


def check_network(
    network: SequenceNetwork,
    n_features: int,
    *,
    is_causal: bool = False,
    target: tuple[int, ...] | None = None,
) -> None:
    """Refuse a network that does not keep the contract, by what it makes of a small batch.

    ``target`` is the shape of what is predicted of a sequence: outputs, or -1, for each step, and
    outputs; None stands for the steps themselves.
    """
    name = type(network).__name__
    if is_causal and not network.is_causal:
        raise ValueError(
            f"{name} is not causal, but a forecaster must predict each step from those before it "
            "alone; set is_causal = True if it does."
        )
    wanted = {"input_size": n_features, "latent_size": None, "width": None}
    for attribute, expected in wanted.items():
        found = getattr(network, attribute, None)
        if not isinstance(found, int) or found < 1 or expected not in (None, found):
            raise ValueError(
                f"{name} has {attribute}={found!r}; expected {expected or 'a positive int'}: "
                f"set self.{attribute} in its __init__."
            )
    if target is not None and network.n_networks > 1:
        raise ValueError(
            f"{name} averages {network.n_networks} networks that predict steps, which is for "
            "detectors; pass a function that makes a single network."
        )
    _check_signature(network)
    _check_output(network, n_features, target)


def _check_signature(network: SequenceNetwork) -> None:
    """Refuse a forward that cannot be called as a detector calls it."""
    signature = inspect.signature(network.forward)
    try:
        signature.bind("x", "lengths", "generator")
        signature.bind("x", "lengths")
    except TypeError as error:
        raise TypeError(
            f"forward of {type(network).__name__} takes {signature}; expected "
            "(x, lengths=None, generator=None)."
        ) from error


@torch.no_grad()
def _check_output(
    network: SequenceNetwork, n_features: int, target: tuple[int, ...] | None
) -> None:
    """Look at what a network makes of two sequences of four and three steps."""
    was_training, first = network.training, next(network.parameters(), None)
    device = "cpu" if first is None else first.device
    network.eval()
    x = torch.linspace(-1, 1, 2 * 4 * n_features, device=device).reshape(2, 4, n_features)
    lengths = torch.tensor([4, 3], device=device)
    output = network(x, lengths)
    expected = x.shape if target is None else [4 if size < 0 else size for size in (2, *target)]
    _check_shapes(network, x, output, tuple(expected))
    changed = x.clone()
    changed[0, 3] += 1.0  # a step that nothing comes after
    changed[1, 3] += 1.0  # padding
    again, alone = network(changed, lengths), network(x[1:, :3], lengths[1:])
    network.train(was_training)

    name = type(network).__name__
    for one, two, three in zip(output, again, alone, strict=True):
        real = [part[:3] if part.dim() == 2 else part for part in (one[1], two[1], three[0])]
        if not all(part.isfinite().all() for part in real):
            raise ValueError(
                f"{name} makes NaN or infinity of finite steps; look at its weights, and at what "
                "it divides by."
            )
        if max((part - real[2]).abs().max() for part in real) > TOLERANCE:
            raise ValueError(
                f"In {name} padding reaches real steps, their latent or their states; mask what "
                "stands beyond lengths."
            )
    is_forecaster = network.is_causal and target is None
    if is_forecaster and (output.prediction - again.prediction)[0].abs().max() > TOLERANCE:
        raise ValueError(
            f"{name} says that it is causal, but its prediction of a step depends on this step; "
            "have it read the steps delayed by one, so that it predicts each from those before it."
        )


def _check_shapes(
    network: SequenceNetwork, x: Tensor, output: Any, expected: tuple[int, ...]
) -> None:
    """Refuse an output that is none, or of other shapes than those that `Output` names."""
    name = type(network).__name__
    if not isinstance(output, Output):
        raise TypeError(
            f"forward of {name} returns a {type(output).__name__}; expected "
            "skl_lstmae.modules.Output(prediction, latent, states)."
        )
    every_step = (*x.shape[:2], network.latent_size)
    latents = [every_step] if network.is_causal else [(len(x), network.latent_size), every_step]
    if output.prediction.shape != expected or tuple(output.latent.shape) not in latents:
        raise ValueError(
            f"{name} makes a prediction of shape {tuple(output.prediction.shape)} and a latent of "
            f"shape {tuple(output.latent.shape)} of x of shape {tuple(x.shape)}; expected "
            f"{expected} and {latents[0]}."
        )
    if output.states.dim() != 3 or output.states.shape[:2] != x.shape[:2]:
        raise ValueError(
            f"{name} makes states of shape {tuple(output.states.shape)} of x of shape "
            f"{tuple(x.shape)}; expected some numbers a step, {tuple(x.shape[:2])} and a third "
            "axis."
        )


def _reset_lstm(lstm: nn.LSTM, generator: Generator | None) -> None:
    """Xavier input and orthogonal recurrent weights, gate by gate; forget-gate biases of 1."""
    for name, weight in lstm.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                # torch's order of gates: input, forget, cell, output.
                nn.init.ones_(weight[lstm.hidden_size : 2 * lstm.hidden_size])
        elif name.startswith("weight_hh"):
            for gate in weight.chunk(4):
                nn.init.orthogonal_(gate, generator=generator)
        else:
            for gate in weight.chunk(4 if name.startswith("weight_ih") else 1):
                nn.init.xavier_uniform_(gate, generator=generator)


def _reset_other(
    name: str, layer: nn.Module, generator: Generator | None, network: SequenceNetwork
) -> None:
    """Have a layer draw its parameters as it does by itself, but from the generator."""
    kind = type(network).__name__
    if layer is network:
        if type(network).reset_parameters is SequenceNetwork.reset_parameters:
            own = next(iter(dict(layer.named_parameters(recurse=False))))
            raise TypeError(
                f"{kind} has a parameter {own} of its own, which nothing draws; extend "
                "reset_parameters to draw it from the generator."
            )
        return
    reset = getattr(layer, "reset_parameters", getattr(layer, "_reset_parameters", None))
    if reset is None:
        raise TypeError(
            f"The layer {name} of {kind}, a {type(layer).__name__}, has parameters, but no method "
            "reset_parameters by which they could be drawn; give it one."
        )
    if "generator" in inspect.signature(reset).parameters:
        reset(generator=generator)
    elif generator is None:
        reset()
    else:
        with DrawsFrom(generator):
            reset()
