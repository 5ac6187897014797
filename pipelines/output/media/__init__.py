"""Writes rows together with the files that they stand for: images or sounds, byte for byte."""
