"""How fast `predict` is, beside what the network and the machine allow; prints JSON.

    python benchmarks/predict.py [--crops 256] [--model default] [--device auto]

Three rates of one run: products of large matrices (what the hardware gives), the bare network over
crops that lie in memory, and the whole stage from a Zarr store to a Zarr store. Where the network
stays behind the matrices is told layer by layer.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from phenopipe.config import PlantSettings, PredictSettings
from phenopipe.crop_writer import CropWriter
from phenopipe.model.document import count_flops
from phenopipe.model.find import find_weights
from phenopipe.model.weights import load_model
from phenopipe.predict import Batch, Network, predict_shard
from phenopipe.predict.torch_threads import torch_threads
from phenopipe.store import create_store
from phenopipe.synth import draw_plant
from phenopipe.threads import use_all_threads

#: Sides of a crop as it is stored, px, and of matrices whose product keeps the hardware busy.
CROP, MATRIX = 512, 4096
#: Plants that are drawn; the shard repeats them.
PLANTS = 32
#: How often everything is measured; the best of each counts.
ROUNDS = 3


def write_crops(path: Path, count: int) -> np.ndarray:
    """Write a shard of drawn pots, most of them with a small plant, as they come at night."""
    plants = PlantSettings(close_share=0.3)
    drawn = np.stack([draw_plant((9, 0, n), plants, CROP).rgb for n in range(min(PLANTS, count))])
    with (
        create_store(path, "crops") as group,
        CropWriter(group, "rgb", (count, CROP, CROP, 3), np.uint8) as writer,
    ):
        for number in range(count):
            writer.append(drawn[number % len(drawn)])
    return drawn


def best_seconds(run: Callable[[], object], device: torch.device, repeats: int = 8) -> float:
    """Return the shortest time of some runs, after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[1:])


def matrix_rate(network: Network) -> float:
    """Return how many operations a second products of large matrices reach, GFLOP/s."""
    side = MATRIX if network.device.type == "cuda" else MATRIX // 2
    first, second = (torch.randn(side, side).to(network.device, network.dtype) for _ in range(2))
    return 2e-9 * side**3 / best_seconds(lambda: first @ second, network.device)


def bare_seconds(network: Network, batch: Batch, streams: int = 1) -> float:
    """Return the time that the network alone takes for a crop: both looks, nothing else.

    With several streams each has a core and batches of its own, else all cores share a batch.
    """
    images = torch.from_numpy(batch.whole).to(network.device).permute(0, 3, 1, 2)
    looks = network.settings.looks

    @torch.inference_mode()
    def run() -> None:
        with torch.autocast(network.device.type, network.dtype):
            if looks == 2:
                network.model.distance(images)
            network.model(images)

    def run_all() -> None:
        list(pool.map(lambda _: run(), range(streams)))

    with torch_threads(streams, single=streams > 1) as pool:
        return best_seconds(run_all, network.device) / len(images) / streams


def layers(network: Network, batch: Batch, peak: float) -> list[dict[str, object]]:
    """Return each convolution's share of the network's time, and its rate beside `peak`."""
    images = torch.from_numpy(batch.whole).to(network.device).permute(0, 3, 1, 2)
    found: list[dict[str, object]] = []

    def watch(name: str, layer: nn.Conv2d) -> Callable[..., None]:
        def hook(_layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
            if watching:
                watching.clear()
                seconds = best_seconds(lambda: layer(inputs[0]), network.device, repeats=3)
                watching.append(True)
                kernel = layer.kernel_size[0] * layer.kernel_size[1]
                flops = 2e-9 * output.numel() * layer.in_channels * kernel
                found.append(
                    {
                        "layer": name,
                        "ms_per_crop": round(1e3 * seconds / len(images), 3),
                        "share_of_matrix_rate": round(flops / seconds / peak, 2),
                    }
                )

        return hook

    watching = [True]
    hooks = [
        layer.register_forward_hook(watch(name, layer))
        for name, layer in network.model.named_modules()
        if isinstance(layer, nn.Conv2d)
    ]
    with torch.inference_mode(), torch.autocast(network.device.type, network.dtype):
        network.model(images)
    for hook in hooks:
        hook.remove()
    return found


def whole_stage(crops: Path, model: Path, settings: PredictSettings) -> float:
    """Return the time of the stage, s, its start included."""
    start = time.perf_counter()
    predict_shard(crops, model, crops.with_name("predictions.zarr"), settings)
    return time.perf_counter() - start


def measure(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Measure everything."""
    settings = PredictSettings(device=options.device)
    model = find_weights(options.model)
    drawn = write_crops(folder / "crops.zarr", options.crops)
    network = Network(model, settings)
    size = settings.network_size or CROP
    network.probe_batch_size(size, size)
    repeated = np.resize(drawn, (network.batch_size, *drawn.shape[1:]))
    batch = Batch.make(repeated, size)
    counted = count_flops(load_model(model), size)
    both = counted["total"]
    first = counted["distance_unet"] + counted["distance_head"]
    gflop = (both + (first if settings.looks == 2 else 0)) / 1e9
    streams = torch.get_num_threads() if network.device.type == "cpu" else 1
    few = streams * network.batch_size
    write_crops(folder / "few.zarr", few)
    peak, shared, apart, start_up, seconds = 0.0, *[float("inf")] * 4
    # In turns, so that a machine that others slow down for a while does so to each of them.
    for _ in range(ROUNDS):
        peak = max(peak, matrix_rate(network))
        shared = min(shared, bare_seconds(network, batch))
        apart = min(apart, bare_seconds(network, batch, streams))
        start_up = min(start_up, whole_stage(folder / "few.zarr", model, settings))
        seconds = min(seconds, whole_stage(folder / "crops.zarr", model, settings))
    bare = min(shared, apart)
    start_up -= few * bare
    each = (seconds - start_up) / options.crops
    device = network.device
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "precision": str(network.dtype).removeprefix("torch."),
        "batch_size": network.batch_size,
        "looks": settings.looks,
        "crops": options.crops,
        "crop_px": CROP,
        "network_px": size,
        "gflop_per_crop": round(gflop, 3),
        "matrix_gflops": round(peak, 1),
        "bare_gflops": round(gflop / bare, 1),
        "bare_share_of_matrix_rate": round(gflop / bare / peak, 3),
        "bare_ms_per_crop": round(1e3 * bare, 2),
        "bare_ms_per_crop_all_cores_on_a_batch": round(1e3 * shared, 2),
        "stage_ms_per_crop": round(1e3 * each, 2),
        "stage_share_of_bare_rate": round(bare / each, 3),
        "start_up_s": round(start_up, 2),
        "crops_per_hour": round(3600 / each),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "layers": layers(network, batch, peak),
    }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=int, default=256)
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    options = parser.parse_args()
    use_all_threads()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(options, Path(name)), indent=2))


if __name__ == "__main__":
    main()
