"""Images and runs in an object store give what they give on a disk."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines import api
from pipelines.ingest.folders import source_bases
from pipelines.ingest.locations import local_file, read_files
from pipelines.run_directory import RunDirectory
from tests.e2e.test_images import SPEC
from tests.pipelines.ingest.test_sources import write_tar
from tests.support.object_store import BUCKET, objects, upload
from tests.support.pictures import encoded, picture, write, write_pictures

pytestmark = pytest.mark.e2e


def test_images_in_a_store_give_what_they_give_on_a_disk(store: int, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_pictures(data / "photos/web", 40)
    write_pictures(data / "photos/app", 40, first=1000)
    write(data / "photos/web/cat/broken.jpg", b"\xff\xd8 nothing")
    write(data / "photos/web/a b#ä?.jpg", encoded(picture(5000)))
    write(data / "spec.yaml", SPEC.encode())
    upload(store, data, "images")
    api.run(data / "spec.yaml", tmp_path / "run")
    api.run(f"s3://{BUCKET}/images/spec.yaml", f"s3://{BUCKET}/run")
    stored = objects(store, "run")
    on_disk = {str(p.relative_to(tmp_path / "run")): p.read_bytes() for p in (tmp_path / "run").rglob("*.parquet")}
    alike = [
        name for name in on_disk if name.startswith(("data/dev", "data/test", "data/train_dev", "ingest", "rejected"))
    ]
    assert len(alike) >= 9
    for name in alike:
        if "stamps" not in name:
            assert stored[name] == on_disk[name], name
    assert stored["plan/plan.json"] == (tmp_path / "run/plan/plan.json").read_bytes()
    run = RunDirectory.at(f"s3://{BUCKET}/run")
    base = source_bases(run, ("web", "app"))["web"]
    rows = run.read_frame("ingest/web/table-00000.parquet")
    assert "a b#ä?.jpg" in rows["path"].to_list()
    read = read_files(rows.to_arrow(), base)
    assert read == [(data / "photos/web" / path).read_bytes() for path in rows["path"]]
    assert local_file(rows["image_uri"][0], base) is None
    api.plan(f"s3://{BUCKET}/images/spec.yaml", f"s3://{BUCKET}/run", overwrite=True)
    jobs = json.loads(run.read("metrics.json"))["plan"]["jobs"]
    assert jobs[0]["counters"]["members_reused"] == 81


def test_archives_in_a_store_are_read_in_pieces(store: int, tmp_path: Path) -> None:
    images = [(f"{i}.jpg", encoded(picture(i))) for i in range(30)]
    write_tar(tmp_path / "shards/app-000.tar", images[:20])
    write_tar(tmp_path / "shards/app-001.tar", images[20:])
    upload(store, tmp_path / "shards", "shards")
    spec = f"""
sources: {{app: {{path: "s3://{BUCKET}/shards/*.tar", format: images}}}}
target: {{source: app}}
splits: {{dev: 5}}
checks: {{probe: false}}
"""
    api.run(write(tmp_path / "spec.yaml", spec.encode()), tmp_path / "run")
    rows = pl.concat([pl.read_parquet(f) for f in sorted((tmp_path / "run/ingest/app").glob("table-*.parquet"))])
    assert rows["path"].to_list() == [f"app-00{int(i >= 20)}.tar/{i}.jpg" for i in range(30)]
    base = source_bases(RunDirectory.at(str(tmp_path / "run")), ("app",))["app"]
    assert base == f"s3://{BUCKET}/shards"
    assert read_files(rows.to_arrow(), base) == [data for _, data in images]
