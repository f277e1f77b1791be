"""The command `phenopipe profile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def profile(
    system: Annotated[Literal["slurm"], typer.Argument(help="What runs the cluster's jobs.")],
    account: Annotated[
        str | None, typer.Option(help="Account to submit with; your default one.")
    ] = None,
    partition: Annotated[
        list[str] | None,
        typer.Option(
            help="Partition for jobs, once for each; the default one and those with GPUs."
        ),
    ] = None,
    scratch: Annotated[
        str | None,
        typer.Option(help="Folder for temporary files on the nodes, such as '/scratch/$USER'."),
    ] = None,
    status: Annotated[
        Literal["sacct", "squeue"] | None,
        typer.Option(help="What tells of ended jobs; sacct if it answers."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="SLURM jobs at a time.")] = 100,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the profile; ~/.config/snakemake/slurm."),
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace a profile that is there.")] = False,
) -> None:
    """Write a Snakemake profile for this cluster, so that `snakemake --profile slurm` runs there.

    Run it where jobs are submitted from. What is not said is asked of SLURM.

    Example: phenopipe profile slurm --account plants --partition cpu --partition gpu
    """
    import phenopipe
    from phenopipe.cluster.profile import detect_site, user_profiles, write_profile
    from phenopipe.plan.names import printable

    site = detect_site(
        account=account,
        partitions=partition or [],
        scratch=scratch,
        status_command=status,
        jobs=jobs,
    )
    folder = out or user_profiles() / system
    about = (
        f"This cluster, as phenopipe {phenopipe.__version__} found it: phenopipe profile {system}"
    )
    write_profile(folder, site, about, replace=replace)
    for one in site.partitions:
        limit = f"{one.max_runtime} min" if one.max_runtime else "no limit"
        print(
            f"partition {printable(one.name)}: {one.threads} CPUs, {one.mem_mb} MB and {one.gpus} "
            f"GPUs a node, {limit}"
        )
    if not any(one.gpus for one in site.partitions):
        print("no GPU: set device: cpu for predict and train, or jobs ask for one in vain")
    print(f"account: {site.account or 'none'}; ended jobs by {site.status_command}")
    # A folder of that name here, as in a clone, would go first.
    name = system if out is None and not Path(system).exists() else folder
    print(f"\nwrote {printable(str(folder))}; next:\n  snakemake --profile {printable(str(name))}")
