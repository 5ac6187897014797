"""Reads sources: file systems, listing, formats, schemas, fragments. Raw files to one table a source."""
