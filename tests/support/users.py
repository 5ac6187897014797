"""Another user than root, for what root may do anyway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Root may read everything, so it is somebody else for a while, who owns the folder and may reach it."""
    nobody = 65_534
    if os.geteuid() != 0:
        yield
        return
    above = {place: place.stat().st_mode for place in folder.parents if not place.stat().st_mode & 0o001}
    for place, mode in above.items():
        place.chmod(mode | 0o011)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, nobody, nobody)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)
        for place, mode in above.items():
            place.chmod(mode)
