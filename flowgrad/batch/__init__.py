"""Batch of files: each analysed in a supervised process and written on its own; a file that fails costs only itself."""

from flowgrad.batch.files import expand
from flowgrad.batch.progress import say
from flowgrad.batch.run import run
from flowgrad.batch.settings import Cases, Limits, Settings, config_text, read_config

__all__ = ["Cases", "Limits", "Settings", "config_text", "expand", "read_config", "run", "say"]
