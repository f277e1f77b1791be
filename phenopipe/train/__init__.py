"""Stage `train`: targets, losses, the training loop and the gate."""

from phenopipe.train.gate import Verdict, judge
from phenopipe.train.run_training import train_model

__all__ = ["Verdict", "judge", "train_model"]
