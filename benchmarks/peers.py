"""Time phenopipe beside other tools on this machine, in one run, and print the figures as JSON.

    pip install -c constraints.txt -e . stardist tensorflow-cpu 'cellpose<4' plantcv 'altair<6'
    python benchmarks/peers.py [--only stardist cellpose plantcv]

Two comparisons. One crop of 512x512 px with 18 leaves: network and post-processing, two threads,
against StarDist 2D and Cellpose 3. Their networks have random weights, which cost the same time;
their post-processing gets what a good network would say of the drawn plant. And the 95 pictures of
is1_rep38 (docs/real-pictures.md): the workflow from pictures to tables, and all of it, with growth
curves and pages, against PlantCV's parallel runner with two workers, which ends with a table. Every
tool runs in processes of its own, start included in the second comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from segment_scene import predict, rosette
from snakemake_runs import NO_CLUSTER

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("PHENOPIPE_DATA", ROOT.parent / "shared/data"))
SIZE, LEAVES, DIMENSIONS, THREADS, REPEATS = 512, 18, 8, 2, 11
PICTURES = DATA / "is1_rep38"
TABLES = f"results/analyses/default/sets/{PICTURES.name}"
PATTERN = (
    "{shot}_{timestamp:%Y_%m_%d_%H_%M_%S}-{cycle}-{tray}-{camera}_pot_{pot}_{genotype}-"
    "{replicate:digits}_rgb.png"
)


def median_ms(call: Callable[[], object]) -> float:
    """Return the median time of some calls after two that do not count."""
    times = []
    for _ in range(REPEATS + 2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return round(1e3 * statistics.median(times[2:]), 1)


def picture() -> np.ndarray:
    """Return a crop; what it shows makes no difference to a network's time."""
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def run_phenopipe() -> dict[str, float]:
    """Time the preset `small`: all of W-Net with its encoding, then `find_leaves`."""
    import cv2
    import torch

    from phenopipe.config import PredictSettings
    from phenopipe.encoding import encode_distance, encode_embedding
    from phenopipe.model.wnet import WNet
    from phenopipe.predict import Network
    from phenopipe.segment import find_leaves

    torch.set_num_threads(THREADS)
    cv2.setNumThreads(THREADS)
    network = Network(WNet("small", DIMENSIONS), PredictSettings(device="cpu"))
    crop = picture()[None]
    distance, embedding = predict(rosette(SIZE, LEAVES), DIMENSIONS, noise=0.1)
    stored = encode_distance(distance), encode_embedding(embedding, distance)
    return {
        "network_ms": median_ms(lambda: network.encode(crop)),
        "post_processing_ms": median_ms(lambda: find_leaves(*stored)),
        "leaves": len(find_leaves(*stored).confidence),
    }


def run_stardist() -> dict[str, float]:
    """Time StarDist 2D: 32 rays on every second pixel, as its pretrained models have."""
    import tensorflow as tf
    from stardist.geometry import star_dist
    from stardist.models import Config2D, StarDist2D
    from stardist.utils import edt_prob

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    model = StarDist2D(Config2D(n_rays=32, grid=(2, 2), n_channel_in=3), name=None, basedir=None)
    crop = picture().astype(np.float32) / 255
    truth = rosette(SIZE, LEAVES).astype(np.uint16)
    grid = np.s_[::2, ::2]
    probability, rays = edt_prob(truth)[grid], star_dist(truth, 32)[grid]
    limits = {"prob_thresh": 0.5, "nms_thresh": 0.4}

    def post_process() -> int:
        found = model._instances_from_prediction((SIZE, SIZE), probability, rays, **limits)
        return len(found[1]["prob"])

    return {
        "network_ms": median_ms(lambda: model.predict(crop, show_tile_progress=False)),
        "post_processing_ms": median_ms(post_process),
        "leaves": post_process(),
    }


def run_cellpose() -> dict[str, float]:
    """Time Cellpose 3: its network as it enlarges and tiles a picture, then its dynamics."""
    import torch
    from cellpose import dynamics, models

    torch.set_num_threads(THREADS)
    model = models.CellposeModel(gpu=False, pretrained_model=False)
    crop = picture()
    truth = rosette(SIZE, LEAVES).astype(np.int32)
    flows = dynamics.labels_to_flows([truth], device=model.device)[0]
    inside, flow = np.where(flows[1] > 0, 6.0, -6.0).astype(np.float32), 5 * flows[2:4]

    def post_process() -> int:
        found = dynamics.compute_masks(
            flow, inside, niter=200, flow_threshold=0.4, device=model.device
        )
        return int((found[0] if isinstance(found, tuple) else found).max())

    def run_network() -> object:
        return model.eval(crop, channels=[2, 1], diameter=30.0, compute_masks=False)

    return {
        "network_ms": median_ms(run_network),
        "post_processing_ms": median_ms(post_process),
        "leaves": post_process(),
    }


def run_to_tables(folder: Path) -> dict[str, float]:
    """Run the workflow over the series as far as PlantCV goes: from pictures to tables."""
    return run_workflow(folder, *(f"{TABLES}/{name}.csv" for name in ("plants", "leaves")))


def run_workflow(folder: Path, *targets: str) -> dict[str, float]:
    """Run the workflow over the series, by default with growth curves and pages."""
    config = {
        "experiment": "peers",
        "plan": {
            "image_root": str(PICTURES),
            "pattern": PATTERN,
            "ignore": ["*_fg.png"],
            "settle_seconds": 0,
        },
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    command = [
        *(sys.executable, "-m", "snakemake", *targets, "--snakefile", str(ROOT / "Snakefile")),
        *("--workflow-profile", str(ROOT / "profiles/default"), "--cores", str(THREADS)),
        *("--directory", str(folder), "--configfile", str(folder / "config.yaml")),
    ]
    seconds = run_command(command, folder)
    plants = (folder / TABLES / "plants.csv").read_text().splitlines()
    return rate(seconds, len(plants) - 1)


def run_plantcv(folder: Path) -> dict[str, float]:
    """Run PlantCV's parallel runner over the same pictures."""
    from plantcv.parallel import WorkflowConfig

    pictures = folder / "pictures"
    pictures.mkdir()
    for path in PICTURES.glob("*_rgb.png"):
        (pictures / path.name).symlink_to(path)
    config = WorkflowConfig()
    config.input_dir, config.json = str(pictures), str(folder / "results.json")
    config.workflow = str(ROOT / "benchmarks/plantcv_leaves.py")
    config.filename_metadata = ["id", "timestamp", "camera"]
    config.delimiter = r"^(\d+)_(\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d)-(.+)_rgb"
    config.timestampformat = "%Y_%m_%d_%H_%M_%S"
    config.img_outdir, config.tmp_dir = str(folder / "out"), str(folder / "tmp")
    config.cluster_config |= {"n_workers": THREADS, "cores": THREADS, "memory": "4GB"}
    config.save_config(str(folder / "config.json"))
    runner = Path(sys.executable).with_name("plantcv-run-workflow")
    seconds = run_command([str(runner), "--config", str(folder / "config.json")], folder)
    counted = (folder / "results.json-single-value-traits.csv").read_text().splitlines()
    return rate(seconds, len(counted) - 1)


def run_command(command: list[str], folder: Path) -> float:
    """Run a command; return its wall time, or end with what it printed."""
    start = time.perf_counter()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path} | NO_CLUSTER
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - start


def rate(seconds: float, pictures: int) -> dict[str, float]:
    """Return the figures of a run over pictures."""
    return {
        "pictures": pictures,
        "wall_s": round(seconds, 1),
        "pictures_per_s": round(pictures / seconds, 2),
    }


ONE_CROP = {"phenopipe": run_phenopipe, "stardist": run_stardist, "cellpose": run_cellpose}
SERIES = {
    "tables": run_to_tables,
    "tables_growth_and_pages": run_workflow,
    "plantcv": run_plantcv,
}


def in_own_process(name: str) -> dict[str, float]:
    """Run one tool's part of this file in a process of its own."""
    threads = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")}
    done = subprocess.run(
        [sys.executable, __file__, "--run", name],
        env=os.environ | threads | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTEROP_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run all comparisons that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    peers = ("stardist", "cellpose", "plantcv")
    parser.add_argument("--only", nargs="*", choices=peers, default=peers)
    parser.add_argument("--run", choices=[*ONE_CROP, *SERIES], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run in ONE_CROP:
        print(json.dumps(ONE_CROP[options.run]()))
    elif options.run:
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(SERIES[options.run](Path(name))))
    else:
        print(json.dumps(compare(options.only), indent=2))


def compare(peers: list[str]) -> dict[str, object]:
    """Return all figures, and the ratios to each peer."""
    results: dict[str, object] = {"threads": THREADS}
    crop_peers = [peer for peer in peers if peer in ONE_CROP]
    if crop_peers:
        results["one_crop"] = times = {n: in_own_process(n) for n in ("phenopipe", *crop_peers)}
        total = {n: t["network_ms"] + t["post_processing_ms"] for n, t in times.items()}
        results["time_over_that_of"] = {
            peer: round(total["phenopipe"] / total[peer], 2) for peer in crop_peers
        }
    if "plantcv" in peers:
        results["series"] = rates = {name: in_own_process(name) for name in SERIES}
        took = {name: rates[name]["wall_s"] / rates[name]["pictures"] for name in SERIES}
        results["times_as_many_pictures_as_plantcv"] = {
            name: round(took["plantcv"] / took[name], 1) for name in SERIES if name != "plantcv"
        }
    return results


if __name__ == "__main__":
    main()
