"""Files: one module a format, a registry by suffix, and the way from a file's contents to a Flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
