"""What a worker of the stage `segment` imports: the fork server imports this, once for all."""

from importlib import import_module

from phenopipe.garbage import importing

#: What is imported late, within functions, is here, too: `numpy.ma` by `numpy.unique`.
MODULES = (
    "distributed",
    "phenopipe.segment.blocks",
    "phenopipe.segment.crop",
    "phenopipe.segment.angular",
    "numpy.ma",
)

with importing():
    for module in MODULES:
        import_module(module)
    # As when Numba loads the first function that it has compiled: a hundred modules and their
    # registries, which take longer than all functions.
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
