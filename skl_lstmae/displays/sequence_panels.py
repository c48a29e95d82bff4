"""What displays of one sequence share: panels of its features, of its steps, and of its cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstmae.displays.drawing import (
    draw_line,
    draw_steps_and_cells,
    label_panel,
    line_width,
    make_ax,
    stack_panels,
    strip_height,
)

Look = tuple[NDArray[Any], dict[str, Any]]
"""Values of a sequence's cells, and how their lines look."""


class SequencePanels:
    """Draws the features that matter most, above what steps and cells are told by."""

    sequence: NDArray[Any]
    feature_names: Sequence[str]

    def _draw(
        self,
        ax: Any,
        sizes: NDArray[Any],
        max_features: int,
        looks: list[Look],
        values: tuple[NDArray[Any], NDArray[Any]],
        labels: tuple[str, str],
        **style: Any,
    ) -> None:
        """Draw lines of the features of the largest sizes, and then values of steps and cells."""
        caller = f"{type(self).__name__}.plot"
        self.features_ = np.argsort(-sizes, kind="stable")[:max_features]
        n_lines = len(self.features_)
        heights = [1.0] * (n_lines + 1) + [strip_height(len(self.feature_names))]
        self.ax_ = make_ax(ax, caller, figsize=(8, 1 + 0.95 * sum(heights)))
        self.figure_ = self.ax_.figure
        self.axes_, bar = stack_panels(self.ax_, heights, n_lines + 1, caller)
        x = np.arange(len(self.sequence))
        self.lines_: list[Any] = []
        for panel, j in zip(self.axes_, self.features_, strict=False):
            lines = (
                draw_line(panel, x, cells[:, j], linewidth=line_width(len(x)), **look)
                for cells, look in looks
            )
            self.lines_.append(tuple(lines))
            label_panel(panel, self.feature_names[j])
        self.steps_, self.strip_ = draw_steps_and_cells(
            self.axes_, bar, values, self.feature_names, labels, **style
        )
