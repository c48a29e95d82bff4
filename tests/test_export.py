"""Networks exported, and compiled, for batches of any size."""

import pytest
import torch
from torch import nn

from skl_lstmae.modules import LSTMAutoencoder, LSTMForecaster, LSTMPredictor

LENGTHS = torch.tensor([12, 3, 4, 7, 9])
OTHER_LENGTHS = torch.tensor([1, 2, 12, 5, 9, 6, 3])
X, OTHER = (torch.randn(n, 12, 3, generator=torch.Generator().manual_seed(n)) for n in (5, 7))
NETWORKS = {
    "mean": LSTMAutoencoder(3, 8, 4),
    "max": LSTMAutoencoder(3, 8, 4, bottleneck="max", skip_connection=True),
    "last, both directions": LSTMAutoencoder(3, 8, 4, bottleneck="last", bidirectional="both"),
    "sequence": LSTMAutoencoder(3, (8, 6), 4, bottleneck="sequence", bidirectional="encoder"),
    "autoregressive": LSTMAutoencoder(3, 8, 4, decoder="autoregressive"),
    "predictor": LSTMPredictor(3, 2, (8, 6), 4),
    "forecaster": LSTMForecaster(3, (8, 6), output_activation="sigmoid"),
}
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)

# Export warns of the list of its weights that torch's own LSTM keeps.
pytestmark = pytest.mark.filterwarnings("ignore:The tensor attributes.*_flat_weights:UserWarning")


class Plain(nn.Module):
    """Returns a plain tuple, for those who do without the package."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x, lengths=None):
        return tuple(self.network(x, lengths))


def assert_same_output(actual, expected, lengths):
    is_real = torch.arange(12) < lengths.unsqueeze(1)
    for one, other in zip(actual, expected, strict=True):
        if one.dim() == 3:
            one, other = one[is_real], other[is_real]
        torch.testing.assert_close(one, other)


@every_network
def test_an_exported_network_takes_batches_of_any_size(network):
    plain = Plain(network.eval())
    batch = {0: torch.export.Dim("batch", max=4096)}
    shapes = {"x": batch, "lengths": batch}
    exported = torch.export.export(plain, (X, LENGTHS), dynamic_shapes=shapes).module()
    for n in (1, 7):
        x, lengths = OTHER[:n], OTHER_LENGTHS[:n]
        assert_same_output(exported(x, lengths), plain(x, lengths), lengths)


def test_a_network_may_be_exported_without_lengths():
    plain = Plain(NETWORKS["mean"].eval())
    batch = torch.export.Dim("batch", max=4096)
    exported = torch.export.export(plain, (X,), dynamic_shapes={"x": {0: batch}}).module()
    assert_same_output(exported(OTHER), plain(OTHER), torch.full((7,), 12))


@every_network
def test_a_compiled_network_returns_what_it_returns_by_itself(network):
    network.eval()
    torch.compiler.reset()
    compiled = torch.compile(network, dynamic=True, backend="eager")
    with torch.no_grad():
        for x, lengths in ((X, LENGTHS), (OTHER, OTHER_LENGTHS)):
            assert_same_output(compiled(x, lengths), network(x, lengths), lengths)
