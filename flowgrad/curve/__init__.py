"""The command ``curve``: rheometer tables to verdicts, laws, figures and a page."""
