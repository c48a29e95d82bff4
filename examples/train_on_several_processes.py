"""
Training on several processes
=============================

``torchrun`` starts this program in several processes, on one machine or many:

.. code-block:: text

   torchrun --nproc-per-node 2 examples/train_on_several_processes.py

Each passes the same sequences to ``fit``, which shares the work, and each ends with the same
detector, to the last bit. Started by ``python``, the same program runs in one process.
"""

import os

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

# %%
# The program need not know how many processes there are: ``fit`` does. Batches of 64 sequences have
# parts for two of them.

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(hidden_size=32, batch_size=64, max_epochs=8, random_state=0)
detector.fit(vowels.X_train)

# %%
# Each process can then score sequences of its own. To keep the detector, let one of them save it,
# say if ``rank == 0``. Lines of several processes may mix unless each is a single write.

rank, n_ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
flagged = (detector.predict(vowels.X_test) == -1).sum()
loss, offset = detector.loss_curve_[-1], detector.offset_
print(f"rank {rank} of {n_ranks}: loss {loss!r}, offset {offset!r}, {flagged} flagged\n", end="")
