"""Sequences to fit and score: sines of random phase with noise, float32."""

import numpy as np

PERIOD = 50
"""Time steps of the slowest sine; feature k has k periods in them."""

NOISE = 0.1


def waves(n_sequences: int, n_timesteps: int, n_features: int, seed: int = 0) -> np.ndarray:
    """Return sequences of one length, (n_sequences, n_timesteps, n_features)."""
    return _draw(np.random.default_rng(seed), (n_sequences, n_timesteps, n_features))


def ragged_waves(
    n_sequences: int, lengths: tuple[int, int], n_features: int, seed: int = 0
) -> list[np.ndarray]:
    """Return sequences of lengths drawn evenly between two, both included."""
    rng = np.random.default_rng(seed)
    shortest, longest = lengths
    return [
        _draw(rng, (1, length, n_features))[0]
        for length in rng.integers(shortest, longest + 1, n_sequences)
    ]


def _draw(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    n_sequences, n_timesteps, n_features = shape
    phases = rng.uniform(0, 2 * np.pi, (n_sequences, 1, n_features))
    noise = NOISE * rng.standard_normal(shape)
    steps = np.arange(n_timesteps)[:, np.newaxis]
    frequencies = 1 + np.arange(n_features)
    clean = np.sin(2 * np.pi * frequencies * steps / PERIOD + phases)
    return (clean + noise).astype(np.float32)
