"""
Training on several processes
=============================

Started by ``torchrun``, this program runs in several processes, on one machine or many:

.. code-block:: text

   torchrun --nproc-per-node 2 examples/train_on_several_processes.py

Each passes the same sequences to ``fit``, which shares the work out, and each ends with the same
detector, to the last bit. Started by ``python``, the same program runs in one process.
"""

import os

from skl_lstmae import LSTMAutoencoderDetector
from skl_lstmae.datasets import load_japanese_vowels

# %%
# Nothing here tells how many processes there are: ``fit`` sees it. Batches of 64 sequences have
# parts for two of them.

vowels = load_japanese_vowels(anomalous_speaker=1)
detector = LSTMAutoencoderDetector(hidden_size=32, batch_size=64, max_epochs=8, random_state=0)
detector.fit(vowels.X_train)

# %%
# Each process can go on to score sequences of its own. To keep the detector, one of them saves it,
# say if ``rank == 0``. Prints of several processes may mix unless each is a single write.

rank, n_ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
flagged = (detector.predict(vowels.X_test) == -1).sum()
loss, offset = detector.loss_curve_[-1], detector.offset_
print(f"rank {rank} of {n_ranks}: loss {loss!r}, offset {offset!r}, {flagged} flagged\n", end="")
