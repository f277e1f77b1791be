"""Results of two analyses of small sets, as the pipeline lays them out."""

from __future__ import annotations

import shutil
from pathlib import Path

from report_scenes import write_set

from phenopipe.plan import set_key


def write_results(results: Path, names: list[str], **scene: object) -> None:
    """Write sets in the analyses "a" and "b"; in "b" plants are two nights older."""
    for name in names:
        for analysis, day in (("a", 1), ("b", 3)):
            folder = results / "analyses" / analysis / "sets" / set_key(name)
            write_set(folder, name, day=day, **scene)
            crops = results / "crops" / set_key(name)
            crops.mkdir(parents=True, exist_ok=True)
            for path in [*folder.glob("00?.zarr"), *folder.glob("00?.tsv")]:
                target = crops / path.name
                if target.exists():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                else:
                    shutil.move(path, target)
