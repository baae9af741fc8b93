"""Many files: each analysed in a supervised process and written on its own; a file that fails costs only itself."""

from flowgrad.batch import config
from flowgrad.batch.cases import Cases
from flowgrad.batch.names import expand
from flowgrad.batch.progress import say
from flowgrad.batch.run import run
from flowgrad.batch.settings import Limits, Settings

__all__ = ["Cases", "Limits", "Settings", "config", "expand", "run", "say"]
