"""Write the mean of the weights of several models of one shape.

    python config/examples/mean_weights.py OUT.safetensors MODEL.safetensors MODEL.safetensors ...

The means of sittings that went on from one another are often better on pictures of another kind
than the last of them (Wortsman et al. 2022, Model soups, arXiv 2203.05482).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import phenopipe
from phenopipe.model.weights import copy_weights, load_model, read_header, save_model
from phenopipe.model.wnet import WNet


def write_mean(out: Path, models: list[Path]) -> None:
    """Read the models, all of the first one's shape, and write their mean."""
    mean = load_model(models[0])
    states = []
    for path in models:
        features = mean.use_distance_features
        one = WNet(mean.preset, mean.embedding_dim, use_distance_features=features)
        copy_weights(one, path)
        states.append(one.state_dict())
    with torch.no_grad():
        for name, value in mean.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.stack([state[name] for state in states]).mean(dim=0))
    facts = {"steps": read_header(models[-1])["steps"], "phenopipe_version": phenopipe.__version__}
    save_model(out, mean, facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    write_mean(**vars(parser.parse_args()))
