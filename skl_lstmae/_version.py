"""The package's version, which saved detectors carry."""

__version__ = "0.1.0.dev0"
