"""Turns sources of files, images or audio, into tables: lists members, reads, decodes and measures them."""
