"""Small neural networks by federated averaging: owners train, only the sum of updates is opened.

Rule: updates are clipped to a length that the job declares, so that their sum can't overflow.
"""

from cleanroom.learning.networks.model import NetworkModel
from cleanroom.learning.networks.owner import NetworkOwner, owner
from cleanroom.learning.networks.spec import Spec
from cleanroom.learning.networks.train import train

__all__ = ["NetworkModel", "NetworkOwner", "Spec", "owner", "train"]
