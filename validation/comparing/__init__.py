"""Comparisons of splits: how far apart two are, whether chance explains it, and what could have been seen."""
