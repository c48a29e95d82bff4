"""Real data sets that ship with the package."""

from ._japanese_vowels import load_japanese_vowels
from ._nyc_taxi import load_nyc_taxi

__all__ = ["load_japanese_vowels", "load_nyc_taxi"]
