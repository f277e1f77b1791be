"""A new experiment's folder: its configuration, and how Snakemake finds the workflow from there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import phenopipe
from phenopipe.config import Config, check_config
from phenopipe.config.render import commented_yaml
from phenopipe.errors import InputError
from phenopipe.files import write_text
from phenopipe.plan import make_roster, open_source, require_images
from phenopipe.plan.names import is_text, printable, set_key
from phenopipe.plan.roster import Roster

#: The checkout that holds the workflow beside this package.
CHECKOUT = Path(phenopipe.__file__).resolve().parents[1]

HEADER = """\
# Settings of this experiment. Run the pipeline in the folder above this one:
#
#     snakemake --cores all
#
# Look first at what is taken as an image and what its name says: phenopipe plan --dry-run
"""

SNAKEFILE = """\
# The workflow of phenopipe, run on the configuration beside this file: snakemake --cores all
# If that checkout moves, change its place here.
include: {place}


# Snakemake takes no default target from a file that is included.
rule experiment:
    default_target: True
    input:
        rules.all.input,
"""


def init_project(folder: Path, images: Path, pattern: str | None = None) -> list[Roster]:
    """Write a configuration, profiles and a Snakefile for an experiment.

    Snakemake looks for ``profiles/default`` only where it finds a Snakefile, so the folder has one
    that includes the checkout's.

    Parameters
    ----------
    folder : Path
        The experiment's folder; made if it is missing. Its name is the experiment's.
    images : Path
        Folder of pictures, or of one subfolder per image set. The configuration names an absolute
        path as it is, and a relative one relative to `folder`.
    pattern : str, optional
        How file names are read, see ``plan.pattern``.

    Returns
    -------
    list of Roster
        What the configuration finds, one roster per image set; files that are still being written
        count as whole.

    Raises
    ------
    ConfigError
        If the pattern is wrong.
    InputError
        If there are no images, something is in the way, or the workflow is not found.
    OSError
        If a file cannot be written.
    """
    files = _workflow_files()
    _check_places(folder, images, [*files, "config/config.yaml"])
    root = str(images) if images.is_absolute() else os.path.relpath(images, folder.resolve())
    config = _config(folder, pattern, root)
    rosters = _find_images(_config(folder, pattern, str(images), settle_seconds=0.0))
    # The configuration comes last: it stands for all of them.
    for name, text in {**files, "config/config.yaml": commented_yaml(config, HEADER)}.items():
        write_text(folder / name, text)
    return rosters


def _workflow_files() -> dict[str, str]:
    """Return name and text of the files through which Snakemake finds workflow and resources."""
    snakefile = CHECKOUT / "Snakefile"
    if not snakefile.is_file():
        raise InputError(
            f"{snakefile}: the workflow is not beside the package; install phenopipe from a "
            "checkout with pip install -e"
        )
    # That for SLURM is a cluster's and not an experiment's: phenopipe profile slurm
    profiles = [CHECKOUT / "profiles" / name / "config.yaml" for name in ("default", "local")]
    return {
        **{str(path.relative_to(CHECKOUT)): path.read_text(encoding="utf-8") for path in profiles},
        "Snakefile": SNAKEFILE.format(place=json.dumps(str(snakefile), ensure_ascii=False)),
    }


def _check_places(folder: Path, images: Path, files: list[str]) -> None:
    """Check that the pictures are there and that nothing of the experiment is yet."""
    problems = [
        f"{printable(ascii(str(path)))}: its name is no UTF-8; rename it"
        for path in (folder, images)
        if not is_text(str(path.absolute()))
    ]
    if folder.exists() and not folder.is_dir():
        problems.append(f"{folder}: is no folder")
    problems += [
        f"{folder / name}: is there already; remove it or choose another folder"
        for name in files
        if (folder / name).exists()
    ]
    if not images.is_dir():
        problems.append(f"{images}: is no folder of images")
    elif folder.resolve().is_relative_to(images.resolve()):
        problems.append(f"{folder}: lies in the folder of images; choose one beside {images}")
    if problems:
        raise InputError(*problems)


def _config(folder: Path, pattern: str | None, image_root: str, **plan: object) -> Config:
    return check_config(
        {
            "experiment": folder.resolve().name or "experiment",
            "plan": {"image_root": image_root, "pattern": pattern, **plan},
        },
        "init",
    )


def _find_images(config: Config) -> list[Roster]:
    source = open_source(config)
    rosters = [make_roster(config, set_key(name), source=source) for name in source.sets()]
    require_images(rosters)
    return rosters
