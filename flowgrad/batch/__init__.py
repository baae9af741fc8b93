"""Batch of files: each analysed in a supervised process and written on its own; a file that fails costs only itself."""
