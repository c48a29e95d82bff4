import os

import torch

# Without it, scikit-learn skips its check of array API input; scipy reads it when imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Tests draw into files, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")

# The suite runs in several processes, and small networks lose to threads that crowd each other.
torch.set_num_threads(1)
