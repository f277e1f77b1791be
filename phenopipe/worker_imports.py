"""What a worker of the stage `segment` imports: the fork server imports this, once for all."""

import gc

from phenopipe.garbage import importing

with importing():
    import distributed  # noqa: F401

    from phenopipe.segment.ready import import_loops

    import_loops()
gc.freeze()  # a fork that looked at these objects for garbage would get copies of their pages
