"""Networks in training, and trained ones with all that it takes to run them."""

from skl_lstmae._files import name_by_package
from skl_lstmae.training.model import Model
from skl_lstmae.training.progress import History
from skl_lstmae.training.scaling import Scaling

name_by_package(__name__, History, Model, Scaling)
