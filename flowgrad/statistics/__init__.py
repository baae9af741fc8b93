"""Statistics of a series: means, fluctuations and their sampling error, and what they tell of turbulence."""

from flowgrad.statistics.dissipation import turbulent_dissipation
from flowgrad.statistics.steps import Moments, SeriesStatistics, series_statistics

__all__ = ["Moments", "SeriesStatistics", "series_statistics", "turbulent_dissipation"]
