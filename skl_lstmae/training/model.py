"""A trained network with all that it takes to run it over sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import numpy as np
import sklearn  # whose modules are imported when they are first used
import torch
from numpy.typing import NDArray
from torch import Tensor

from skl_lstmae.data.sequences import Sequences
from skl_lstmae.modules import SequenceNetwork, max_step, mean_step, real_steps
from skl_lstmae.modules.network import make_network
from skl_lstmae.scoring.outcome import Outcome
from skl_lstmae.training.batches import Batch, BatchBuilder
from skl_lstmae.training.devices import usable_device
from skl_lstmae.training.objectives import Loss, find_loss
from skl_lstmae.training.scaling import Scaling, take_in
from skl_lstmae.training.threads import is_large
from skl_lstmae.training.torch_state import settled, without_rounding

Method = TypeVar("Method", bound=Callable[..., Any])

WEIGHTLESS = {"dropout", "noise", "teacher_forcing"}
"""Arguments of a network that no weight depends on."""


def _settled(method: Method) -> Method:
    """Decorate a method that runs the network."""

    @wraps(method)
    def run(model: Model, *args: Any, **kwargs: Any) -> Any:
        with settled(is_large(model.network)), without_rounding(model.device):
            return method(model, *args, **kwargs)

    return cast(Method, run)


@dataclass(frozen=True, eq=False)
class Model:
    """Runs a network batch by batch; nothing it returns depends on the batches.

    Results are in the sequences' order. A model is never changed once a detector has it: learning
    goes on in a copy.

    Parameters
    ----------
    network : SequenceNetwork
        On `device`, in evaluation mode.
    scaling : Scaling
        Between the user's units and the network's.
    loss : str or callable
        Of a cell.
    device : torch.device
        Where the network runs.
    """

    network: SequenceNetwork
    scaling: Scaling
    loss: str | Loss
    device: torch.device

    @property
    def n_features(self) -> int:
        """Number of features of a time step."""
        return self.network.input_size

    @cached_property
    def batches(self) -> BatchBuilder:
        """Makes the batches of the network."""
        network = self.network
        return BatchBuilder(self.scaling, network.width, self.device, network.is_causal)

    @_settled
    def latents(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return one latent vector a sequence, (n_sequences, latent_size)."""
        latents = np.empty((len(sequences), self.network.latent_size), dtype=np.float32)
        for batch in self.batches.holding(sequences).scoring_batches(sequences):
            with torch.inference_mode():
                latent = self.network.encode(batch.x, batch.lengths)
                latents[batch.indices] = _one_vector(latent, batch.lengths).cpu().numpy()
        return latents

    @_settled
    def targets(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the outputs of a network that predicts a target.

        Their shape is (n_sequences, n_outputs), or (total_timesteps, n_outputs) if the network
        predicts one a step.
        """
        blocks, places = [], []
        for batch in self.batches.holding(sequences).scoring_batches(sequences):
            with torch.inference_mode():
                prediction = self.network(batch.x, batch.lengths).prediction
            if prediction.dim() == 3:
                prediction = prediction[real_steps(batch.x, batch.lengths)]
                places.append(sequences.positions(batch.indices))
            else:
                places.append(batch.indices)
            blocks.append(prediction.cpu().numpy())
        return np.concatenate(blocks)[np.concatenate(places).argsort()]

    @_settled
    def decode(
        self, latents: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> list[NDArray[np.float64]]:
        """Return the sequences that latent vectors stand for, in the user's units."""
        sequences = []
        n_rows = self.batches.calls.max_rows
        for start in range(0, len(latents), n_rows):
            block = slice(start, start + n_rows)
            with torch.inference_mode():
                decoded = self.network.decode(
                    torch.from_numpy(latents[block]).to(self.device),
                    torch.from_numpy(lengths[block]).to(self.device),
                )
            sequences += [
                self.scaling.inverse_transform(rows[:length].cpu().numpy())
                for rows, length in zip(decoded, lengths[block], strict=True)
            ]
        return sequences

    @_settled
    def forecasts(self, sequences: Sequences, n_steps: int) -> NDArray[Any]:
        """Return what follows sequences, in the user's units, (n_sequences, n_steps, n_features).

        The network must be causal.
        """
        shape = len(sequences), n_steps, sequences.n_features
        forecasts = np.empty(shape, dtype=sequences.values.dtype)
        batches = self.batches.holding(sequences)
        for indices in batches.scoring_groups(sequences):
            past = None
            with torch.inference_mode():
                for batch in self._parts(batches, sequences, indices):
                    _, past = self.network.resume(batch.x, batch.lengths, past)
                steps = self.network.forecast(past, n_steps).cpu().numpy()
            rows = self.scaling.inverse_transform(steps.reshape(-1, shape[-1]))
            forecasts[indices] = rows.reshape(steps.shape)
        return forecasts

    @_settled
    def predictions(self, sequences: Sequences) -> NDArray[Any]:
        """Return the predictions in the user's units, (total_timesteps, n_features)."""
        predictions = np.empty(
            (sequences.lengths.sum(), sequences.n_features), dtype=sequences.values.dtype
        )
        for indices, outcome in self.outcomes(sequences):
            rows = self.scaling.inverse_transform(outcome.predictions)
            predictions[sequences.positions(indices)] = rows
        return predictions

    @_settled
    def errors(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return the loss of each cell, NaN if it is missing, (total_timesteps, n_features)."""
        errors = np.empty((sequences.lengths.sum(), sequences.n_features))
        for indices, outcome in self.outcomes(sequences):
            errors[sequences.positions(indices)] = outcome.errors
        return errors

    @_settled
    def timestep_shares(self, sequences: Sequences) -> NDArray[np.float64]:
        """Return each time step's share of its sequence's error, (total_timesteps,)."""
        shares = np.empty(sequences.lengths.sum())
        for indices, outcome in self.outcomes(sequences):
            shares[sequences.positions(indices)] = outcome.timestep_shares()
        return shares

    @_settled
    def summaries(
        self, sequences: Sequences, *summarize: Callable[[Outcome], NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """Return what each function makes of the outcomes, one row a sequence."""
        found: list[Any] = [None] * len(summarize)
        for indices, outcome in self.outcomes(sequences):
            for i, function in enumerate(summarize):
                found[i] = _filled(found[i], len(sequences), indices, function(outcome))
        return found

    @_settled
    def explained_variance(self, sequences: Sequences) -> float:
        """Return the share of the variance that predictions explain, a mean over the features."""
        actual, unexplained = (sklearn.preprocessing.StandardScaler() for _ in range(2))
        for indices, outcome in self.outcomes(sequences):
            rows = sequences.values[sequences.take(indices).rows()].astype(np.float64)
            left = rows - self.scaling.inverse_transform(outcome.predictions)
            take_in(unexplained, left)
            take_in(actual, np.where(np.isnan(left), np.nan, rows))
        return _explained_share(unexplained.var_, actual.var_)

    @_settled
    def outcome(self, sequence: Sequences) -> Outcome:
        """Return the network's outcome of a single sequence."""
        ((_, outcome),) = self.outcomes(sequence)
        return outcome

    def outcomes(self, sequences: Sequences) -> Iterator[tuple[NDArray[np.intp], Outcome]]:
        """Yield sequences' numbers and the network's outcome of them, some at a time."""
        batches = self.batches.holding(sequences)
        for indices in batches.scoring_groups(sequences):
            if self.network.keeps_state and batches.is_long(sequences, indices):
                with torch.inference_mode():
                    results = self._run_in_chunks(batches.chunks(sequences, indices))
                yield indices, _outcome(results, sequences.lengths[indices])
                continue
            with torch.inference_mode():
                batch = batches.build(sequences, indices)
                output = self.network(batch.x, batch.lengths)
                latents = _one_vector(output.latent, batch.lengths)
                peaks = max_step(output.states, batch.lengths)
            for rows in batch.slices(batches.calls.max_outcome_cells):
                with torch.inference_mode():
                    compared = self._compare(output.prediction[rows], batch.take(rows))
                results = *compared, latents[rows], peaks[rows]
                yield indices[rows], _outcome(results, sequences.lengths[indices[rows]])

    def _parts(
        self, batches: BatchBuilder, sequences: Sequences, indices: NDArray[np.intp]
    ) -> Iterable[Batch]:
        """Return a group's batch, or the chunks of a long sequence if the network reads on."""
        if self.network.keeps_state:
            return batches.chunks(sequences, indices)
        return [batches.build(sequences, indices)]

    def _run_in_chunks(self, chunks: Iterable[Batch]) -> tuple[Tensor, ...]:
        """Return the same of a long sequence, which a causal network reads chunk by chunk."""
        totals, peaks, past, steps = [], [], None, []
        for chunk in chunks:
            output, past = self.network.resume(chunk.x, past=past)
            steps.append(self._compare(output.prediction, chunk))
            peaks.append(output.states.cpu().amax(dim=1))
            totals.append(output.latent.cpu().sum(dim=1, dtype=torch.float64))
        prediction, target, errors = (torch.cat(column) for column in zip(*steps, strict=True))
        mean = (torch.stack(totals).sum(dim=0) / len(errors)).float()  # as mean_step's
        return prediction, target, errors, mean, torch.stack(peaks).amax(dim=0)

    def _compare(self, prediction: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the real steps' predictions, and targets and errors, NaN if not observed."""
        sequence, step = real_steps(batch.x, batch.lengths).nonzero(as_tuple=True)
        row = step * len(batch.x) + sequence  # time comes first in memory

        def of_real_steps(cells: Tensor) -> Tensor:
            return cells.transpose(0, 1).flatten(0, 1).index_select(0, row).cpu()

        prediction, target = of_real_steps(prediction), of_real_steps(batch.x)
        errors = find_loss(self.loss)(prediction.double(), target.double())
        if batch.may_miss:
            is_missing = ~of_real_steps(batch.observed)
            target[is_missing] = errors[is_missing] = torch.nan
        return prediction, target, errors

    def __getstate__(self) -> dict[str, Any]:
        """Return weights as arrays, which any machine can load, if the network can be made anew."""
        network = self.network
        saved: Any = None
        if network.config is None:
            saved = deepcopy(network).cpu()
        else:
            weights = {
                name: weight.cpu().numpy().copy() for name, weight in network.state_dict().items()
            }
            saved = {
                "class": type(network),
                "config": network.config,
                "weights": weights,
                "frozen": _frozen(network),
            }
        return {
            "network": saved,
            "scaling": self.scaling,
            "loss": self.loss,
            "device": str(self.device),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        with settled():  # else weights made under inference_mode could never learn again
            device = usable_device(state["device"])
            network = _restored(state["network"]).to(device).eval()
        vars(self).update(state, network=network, device=device)


def _restored(saved: Any) -> SequenceNetwork:
    """Return a network that can learn, of what has been saved of it."""
    if not isinstance(saved, dict):
        was_made_for_inference = any(weight.is_inference() for weight in saved.parameters())
        return cast(SequenceNetwork, deepcopy(saved) if was_made_for_inference else saved)
    kind, config, weights = saved["class"], saved["config"], saved["weights"]
    network = make_network(lambda: kind(**config))
    # Memory-mapped arrays cannot be written to, which torch wants of memory it shares.
    tensors = {name: torch.tensor(w, device="cpu") for name, w in weights.items()}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f"The weights in this file are not those of its {kind.__name__}: the file is "
            "damaged; save the detector again."
        ) from error
    _freeze(network, saved["frozen"])
    return network


def _filled(rows: Any, n_rows: int, indices: NDArray[np.intp], block: NDArray[Any]) -> NDArray[Any]:
    """Return rows, if there are any yet, with a block of them in its place."""
    if rows is None:
        rows = np.empty((n_rows, *block.shape[1:]), dtype=block.dtype)
    elif block.dtype != rows.dtype:
        rows = rows.astype(np.result_type(rows, block))
    rows[indices] = block
    return rows


def _outcome(results: tuple[Tensor, ...], lengths: NDArray[np.intp]) -> Outcome:
    """Return the outcome of predictions, targets, errors, latents and peaks."""
    prediction, target, errors, latents, peaks = (result.cpu().numpy() for result in results)
    return Outcome(errors, lengths, latents, peaks, target, prediction)


def _explained_share(unexplained: NDArray[np.float64], total: NDArray[np.float64]) -> float:
    """Return the share of variances that is explained, a mean over the features that have one.

    That of a constant is 1 if nothing of it is left unexplained, else 0, as in scikit-learn.
    """
    left = np.divide(unexplained, total, out=np.sign(unexplained), where=total != 0)
    return float(np.nanmean(1 - left))


def copy_network(
    network: SequenceNetwork, sizes: dict[str, int], arguments: dict[str, Any] | None
) -> SequenceNetwork:
    """Return a copy to go on with, whose arguments may differ if no weight depends on them.

    Parameters
    ----------
    network : SequenceNetwork
        To copy.
    sizes : dict
        Its ``input_size`` and ``n_networks``, as they are asked for.
    arguments : dict or None
        The same of the arguments of each network; None if it is the user's.

    Raises
    ------
    ValueError
        If a size, or another argument, is not that of the network.
    """
    known = {name: getattr(network, name) for name in sizes}
    if arguments is not None:
        known |= network.config or {}
    asked = sizes | (arguments or {})
    for name, before in known.items():
        if asked.get(name, before) != before and name not in WEIGHTLESS:
            raise ValueError(
                f"Learning would go on with a network of {name}={before!r}, but "
                f"{name}={asked[name]!r} is asked for; fit with warm_start=False to start with a "
                "new one."
            )
    if arguments is None:
        return deepcopy(network)
    config = (network.config or {}) | arguments
    copy = make_network(lambda: type(network)(**config))
    copy.load_state_dict(network.state_dict())
    _freeze(copy, _frozen(network))
    return copy


def _frozen(network: SequenceNetwork) -> list[str]:
    """Return the names of the parameters that training leaves as they are."""
    return [name for name, weight in network.named_parameters() if not weight.requires_grad]


def _freeze(network: SequenceNetwork, names: list[str]) -> None:
    for name in names:
        network.get_parameter(name).requires_grad_(False)


def _one_vector(latent: Tensor, lengths: Tensor) -> Tensor:
    """Average a latent that is a sequence."""
    return latent if latent.dim() == 2 else mean_step(latent, lengths)
