"""Decides which example goes to which split. Pure: no I/O, no clock, no randomness but the keyed hash."""
