"""HTML reports: an index of all files of a run and a self-contained page for each, or one page on all curves."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
