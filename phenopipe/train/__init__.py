"""Stage `train`: targets, losses, the training loop and the gate."""

from phenopipe.train.model import Verdict, judge, train_model

__all__ = ["Verdict", "judge", "train_model"]
