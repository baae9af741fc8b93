"""One flow through the whole chain, in memory or in parts: options, analysis, files of results."""
