"""Tables whose rows are linked by users, products and near hashes; and what is linked, found row by row."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from tests.support.corpus import read_split
from tests.support.graphs import partition

LINKED_SPEC = """
name: linked
salt: linked-2026
sources:
  web: {{path: {web}}}
  app: {{path: {app}}}
key: image_id
linked_by: [user_id, product_id, {{near_duplicates: phash, distance: 4, verify: dhash, verify_distance: 6}}]
target: {{source: app}}
splits: {{test: {test}, dev: {dev}, train_dev: {train_dev}, train: rest}}
on_shortfall: allow
checks: {{profile: false}}
"""
EVERY = ("train", "train_dev", "dev", "test")


def linked_tables(web: int = 900, app: int = 400, seed: int = 7) -> dict[str, pl.DataFrame]:
    """Rows with users of two, products of a few, hashes of which some are near, and nulls in all of them."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, (2, web + app), dtype=np.uint64)
    copies = rng.choice(web, app // 4, replace=False)
    for i, at in enumerate(copies):
        original = web + i
        bits = rng.choice(64, 4, replace=False)
        hashes[0, at] = hashes[0, original] ^ np.uint64(sum(1 << int(bit) for bit in bits))
        hashes[1, at] = hashes[1, original] ^ np.uint64(0b111)
    number = np.arange(web + app)
    every = pl.DataFrame({"number": number, "phash": hashes[0], "dhash": hashes[1]}).select(
        image_id=pl.format("i{}", "number"),
        user_id=pl.when(pl.col("number") % 5 < 2).then(pl.col("number") // 5),
        product_id=pl.when(pl.col("number") % 11 == 0).then(pl.format("p{}", (pl.col("number") * 7919) % 83)),
        phash=pl.when(pl.col("number") % 13 != 0).then("phash"),
        dhash="dhash",
    )
    return {"web": every[:web], "app": every[web:]}


def linked_parts(tables: dict[str, pl.DataFrame]) -> set[frozenset[str]]:
    """Which images are linked, each pair compared."""
    rows = pl.concat([*tables.values()])
    pairs = [(key, key) for key in rows["image_id"]]
    for name in ("user_id", "product_id"):
        for _, part in rows.drop_nulls(name).group_by(name):
            pairs += pairwise(part["image_id"].to_list())
    hashed = rows.drop_nulls(["phash", "dhash"])
    keys, first, second = hashed["image_id"].to_list(), hashed["phash"].to_numpy(), hashed["dhash"].to_numpy()
    for i in range(len(keys)):
        near = (np.bitwise_count(first[i] ^ first) <= 4) & (np.bitwise_count(second[i] ^ second) <= 6)
        pairs += [(keys[i], keys[j]) for j in np.flatnonzero(near)]
    return partition(pairs)


def splits_of_parts(run: Path, tables: dict[str, pl.DataFrame]) -> dict[frozenset[str], set[str]]:
    """By linked images, the splits that hold them; those held out are in none."""
    there = {split: read_split(run, split)["image_id"].to_list() for split in EVERY if _has(run, split)}
    place = {key: split for split, keys in there.items() for key in keys}
    return {part: {place[key] for key in part if key in place} for part in linked_parts(tables)}


def _has(run: Path, split: str) -> bool:
    return bool([*(run / "data").glob(f"{split}-[0-9]*")])
