"""Statistics of a series: one pass over its steps, in parts that merge."""

from flowgrad.statistics.moments import Moments
from flowgrad.statistics.one_pass import series_statistics
from flowgrad.statistics.result import SeriesStatistics

__all__ = ["Moments", "SeriesStatistics", "series_statistics"]
