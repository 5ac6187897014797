"""Judges data: checks of what was written, stated and reported through Great Expectations."""
