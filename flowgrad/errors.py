"""The one family of errors a user may see; each message ends with what to do next."""


class FlowgradError(Exception):
    """Anything flowgrad refuses to do, with the file, the array and the numbers in its message."""


class ReadError(FlowgradError):
    """A file cannot be read, or not without losing data."""


class WriteError(FlowgradError):
    """A result cannot be written: the folder or the disk refuses."""


class MeshError(FlowgradError):
    """A mesh contradicts itself, or a cell of it has no gradient."""


class OptionError(FlowgradError):
    """What was asked for does not fit the data: an unknown name, a missing array, a wrong shape."""


class MissingDependencyError(FlowgradError):
    """An optional package is needed and is not installed."""


class DerivativeError(FlowgradError):
    """A function cannot be differentiated: the call that has no derivative, its line, and the way out."""
