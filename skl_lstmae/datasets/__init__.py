"""Real data sets that ship with the package."""

from ._japanese_vowels import load_japanese_vowels

__all__ = ["load_japanese_vowels"]
