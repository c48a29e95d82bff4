"""How well the package detects, beside simple baselines, on labelled real data."""
