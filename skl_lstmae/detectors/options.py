"""Words that parameters may be, as the types of users' programs see them."""

from typing import Literal

Bottleneck = Literal["mean", "max", "last", "sequence"]
Decoder = Literal["repeat", "autoregressive"]
Directions = Literal[False, "encoder", "both"]
Activation = Literal["sigmoid", "tanh", "relu"]
LossName = Literal["squared_error", "absolute_error", "huber", "binary_cross_entropy"]
ScorerName = Literal["joint", "neighbors", "mahalanobis", "error", "error_max"]
Aggregation = Literal["mean_min", "mean", "min", "max"]
View = Literal["sequence", "timestep", "feature"]
Pooling = Literal["mean_max", "mean", "max", "last"]
TargetLoss = Literal["squared_error", "absolute_error", "huber", "pinball"]
EmptyFeatures = Literal["leave_out", "refuse"]
Precision = Literal["float32", "bfloat16", "auto"]
