"""Sequences as plain arrays: whatever a user calls `X` or `y`, read, checked, cut and put back."""

from skl_lstmae._files import name_by_package
from skl_lstmae.data.classes import Classes
from skl_lstmae.data.numeric_targets import Numbers

name_by_package(__name__, Classes, Numbers)
