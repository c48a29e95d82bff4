import os

import torch

# Tests draw into files, never on a screen.
os.environ.setdefault("MPLBACKEND", "Agg")

# The suite runs in several processes, and small networks lose to threads that crowd each other.
torch.set_num_threads(1)
