"""From predictions to leaves and their measurements.

The names are listed in `__init__.pyi`. Each is imported when it is first used, since the process
that hands out the tasks of a set needs none of the compiled loops.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
