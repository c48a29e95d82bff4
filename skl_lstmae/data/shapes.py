"""The shapes that `X` may have, as messages call them, and the refusals of others."""

from __future__ import annotations

FORMS = "a list of (n_timesteps, n_features) arrays, or one array or DataFrame of 2 to 4 dimensions"
SERIES_FORMS = "one series, an array or DataFrame (n_timesteps, n_features), or a list of series"
ROW_FORMS = "rows of a series, an array or DataFrame (n_timesteps, n_features) or (n_features,)"
MEMBER_FORMS = "an array of shape (n_timesteps,) or (n_timesteps, n_features)"
AXES = {
    2: ("sample", "feature"),
    3: ("sample", "time step", "feature"),
    4: ("sample", "time step", "variable", "feature"),
}


def refuse_shape(shape: tuple[int, ...]) -> None:
    """Refuse an array that is none of sequences."""
    if len(shape) == 0:
        raise ValueError(f"Expected 2D array, got scalar array instead: X should be {FORMS}.")
    if len(shape) == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X has shape {shape}; pass a single sequence "
            "as [X], and one long series as a single column to SlidingWindowDetector. Reshape your "
            "data with X.reshape(1, -1) if it is one row of a table."
        )
    if len(shape) > 4:
        raise ValueError(f"X has {len(shape)} dimensions, shape {shape}; expected {FORMS}.")
    for size, axis in zip(shape, AXES[len(shape)], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )


def refuse_series_shape(shape: tuple[int, ...], remedy: str) -> None:
    """Refuse an array that is no series."""
    if len(shape) < 2:
        raise ValueError(
            f"Expected 2D array, got {len(shape)}D array instead: X has shape {shape}; expected "
            f"{SERIES_FORMS}. Reshape your data with {remedy} if it has a single feature."
        )
    if len(shape) > 2:
        raise ValueError(
            f"X has {len(shape)} dimensions, shape {shape}; expected {SERIES_FORMS}: pass list(X) "
            "for several series."
        )
    for size, axis in zip(shape, AXES[2], strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {axis}(s) (shape={shape}) while a minimum of 1 is required."
            )
