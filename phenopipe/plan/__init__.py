"""Find images, read what their names or a sheet say of them, and share them out to shards.

Everything here works on names, sizes and times of files; no picture is opened. The names are listed
in `__init__.pyi`. Each is imported when it is first used: every job asks for a name of a file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
