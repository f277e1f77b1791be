"""Settings of the command `nightly`, and of what `clean` may remove."""

from __future__ import annotations

from pydantic import field_validator

from phenopipe.config.block import Block, setting


class NightlySettings(Block):
    """An unattended run: when it may begin, how Snakemake is called, and who is told."""

    settle_minutes: float = setting(
        10.0,
        "An image set of which a picture was changed more recently is still being copied: it stays "
        "as it was and waits for the next night. 0 leaves that to plan.settle_seconds, picture by "
        "picture.",
        unit="min",
        ge=0,
    )
    wait_minutes: float = setting(
        0.0, "Longest wait for such sets before the run begins without them.", unit="min", ge=0
    )
    min_free_gb: float = setting(
        20.0, "Least free space on the disk of the results; 0 does not ask.", unit="GB", ge=0
    )
    snakemake: list[str] = setting(
        ["--cores", "all"],
        "Options of Snakemake, such as [--profile, slurm]; those after -- follow them.",
    )
    hook: list[str] = setting(
        [],
        "Command that is told how the night went, such as [mail, -s, 'phenopipe: {status}', "
        "me@example.org]; no shell reads it. The summary is its standard input; {status}, {code}, "
        "{text} and {json} (paths of the summaries) are filled in.",
    )
    hook_seconds: float = setting(120.0, "The hook is ended after this.", unit="s", gt=0)
    clean: bool = setting(
        False, "Whether a night that went well ends with phenopipe clean --delete."
    )

    @field_validator("hook")
    @classmethod
    def _names_a_command(cls, value: list[str]) -> list[str]:
        if value and (not value[0] or "{" in value[0]):
            raise ValueError("its first entry is the command itself")
        return value


class RetentionSettings(Block):
    """What `phenopipe clean` may remove; predictions, labels and tables always stay."""

    crops_days: float | None = setting(
        None,
        "Crops of a finished set go this long after they were made, if its pictures are still "
        "there and give the very same crops; null keeps all.",
        unit="d",
        ge=0,
    )
