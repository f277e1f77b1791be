"""Stage `predict`: the W-Net over crops."""

from phenopipe.predict.look import Batch, Prediction, look
from phenopipe.predict.network import Network
from phenopipe.predict.shard import predict_shard

__all__ = ["Batch", "Network", "Prediction", "look", "predict_shard"]
