"""Classes and numbers from sequences of any lengths, beside simple ways to predict them."""
