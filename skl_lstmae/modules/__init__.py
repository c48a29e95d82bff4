"""Networks of sequences as plain torch modules.

Every module takes *right-padded* batches ``(batch, time, feature)`` and the sequences' lengths, and
none lets padding reach a real step.
"""

from skl_lstmae._files import name_by_package
from skl_lstmae.modules.autoencoder import Bottleneck, LSTMAutoencoder, LSTMDecoder, StateBridge
from skl_lstmae.modules.ensemble import NetworkEnsemble
from skl_lstmae.modules.forecaster import LSTMForecaster, Past
from skl_lstmae.modules.layers import RowActivation, RowLinear
from skl_lstmae.modules.network import Output, SequenceNetwork, keeps_config
from skl_lstmae.modules.padding import (
    check_lengths,
    last_step,
    max_step,
    mean_step,
    previous_steps,
    real_steps,
)
from skl_lstmae.modules.predictor import LSTMPredictor
from skl_lstmae.modules.recurrent import LSTMLayer, LSTMStack, State

__all__ = [
    "Bottleneck",
    "LSTMAutoencoder",
    "LSTMDecoder",
    "LSTMForecaster",
    "LSTMLayer",
    "LSTMPredictor",
    "LSTMStack",
    "NetworkEnsemble",
    "Output",
    "Past",
    "RowActivation",
    "RowLinear",
    "SequenceNetwork",
    "State",
    "StateBridge",
    "check_lengths",
    "keeps_config",
    "last_step",
    "max_step",
    "mean_step",
    "previous_steps",
    "real_steps",
]

name_by_package(__name__, Bottleneck, LSTMAutoencoder, LSTMDecoder, StateBridge, LSTMForecaster)
name_by_package(__name__, LSTMPredictor, NetworkEnsemble)
name_by_package(__name__, LSTMLayer, LSTMStack, RowActivation, RowLinear, Output, SequenceNetwork)
