"""Writes shards: what a unit of work does with its rows, and how an evaluation shard is made."""
