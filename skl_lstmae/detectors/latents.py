"""Latents of sequences as features, for whatever comes next in a pipeline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from skl_lstmae._sklearn import wrap_data_with_container
from skl_lstmae.modules import SequenceNetwork


class LatentTransformerMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Lets what trains a network transform sequences into its latents."""

    module_: SequenceNetwork
    _read: Any

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode each sequence as one latent vector.

        Parameters
        ----------
        X : sequences
            In any of the forms above.

        Returns
        -------
        Z : ndarray of shape (n_sequences, latent_size), float32
            The latents. If the network has one for each step, their mean over the sequence.
        """
        fitted, sequences, form = self._read(X)
        latents = fitted.model.latents(sequences)
        # Left to itself, scikit-learn would give pandas output the index of X, which for a panel
        # has a row per time step; the index of a frame that is returned it keeps.
        return wrap_data_with_container("transform", latents, form.one_row_each(), self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # the network computes in float32
        return tags

    @property
    def _n_features_out(self) -> int:
        return self.module_.latent_size
