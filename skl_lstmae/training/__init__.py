"""Networks in training, and trained ones with all that it takes to run them."""

from skl_lstmae._files import name_by_package
from skl_lstmae.training.model import Model
from skl_lstmae.training.scaling import Scaling
from skl_lstmae.training.trainer import History

name_by_package(__name__, History, Model, Scaling)
