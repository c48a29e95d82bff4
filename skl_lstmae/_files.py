"""How files name what they hold: by packages, inside which modules may move."""

import sys
from types import ModuleType
from typing import Any

EARLIER_MODULES = ("_base", "_detector", "_forecast", "_scaling", "_scoring", "_sliding", "_stream")
"""Modules that the files of versions before 0.1 begin with, which are gone."""

EARLIER_CLASSES = {
    *("LSTMAutoencoderDetector", "LSTMForecastDetector", "SlidingWindowDetector", "Stream"),
    *("Scaling", "ErrorScorer", "MaxErrorScorer", "MahalanobisScorer", "NeighborsScorer"),
    *("JointScorer", "CallableScorer", "View"),
}
"""What those files ask these modules for."""


def name_by_package(package: str, *classes: type) -> None:
    """Let files name classes by the package that holds them."""
    for cls in classes:
        cls.__module__ = package


class _EarlierModule(ModuleType):
    """Stands where a module was, and says what to do with a file that asks for it."""

    def __getattr__(self, name: str) -> Any:
        if name not in EARLIER_CLASSES:  # asked for by whoever looks through all modules
            raise AttributeError(name)
        raise ImportError(
            f"This file was written before version 0.1 of skl_lstmae, when its {name} was another "
            "one; fit the detector again and save it anew."
        )


def refuse_earlier_files() -> None:
    """Refuse files of versions before 0.1, by one sentence."""
    for name in EARLIER_MODULES:
        sys.modules[f"skl_lstmae.{name}"] = _EarlierModule(f"skl_lstmae.{name}")
