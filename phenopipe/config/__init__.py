"""The configuration: one small file per block is the only place where a setting is defined.

The commented ``config/config.yaml``, the JSON Schema and ``docs/configuration.md`` are made from
these classes by :mod:`phenopipe.config.render`.

The names are listed in `__init__.pyi`. Each is imported when it is first used, since pydantic takes
its time for each block and a worker needs one.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
