"""What is deployed: manifests against schemas, the Dockerfile against a linter, the lock in an empty environment."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.cluster import tools
from tests.support.command import ROOT
from tests.support.corpus import SPEC, web_and_app, write_parquet, write_spec

KUBERNETES = sorted((ROOT / "deploy").glob("*/*.yaml"))
_OF_EVERY_OBJECT = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
OPERATOR = "org.apache.flink:flink-kubernetes-operator-api:1.10.0"


def documents() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in KUBERNETES:
        for document in yaml.safe_load_all(path.read_text()):
            yield path, document


def flink_schema() -> Mapping[str, Any]:
    """The schema of a FlinkDeployment, from the operator's own definition, which refuses unknown fields here."""
    (jar,) = tools.maven_jar("flink-operator", OPERATOR).glob("*.jar")
    with zipfile.ZipFile(jar) as opened:
        definition = yaml.safe_load(opened.read("META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"))
    version = next(v for v in definition["spec"]["versions"] if v["name"] == "v1beta1")
    schema = _closed(version["schema"]["openAPIV3Schema"])
    # What every object of Kubernetes has, the definition need not say.
    return {**schema, "properties": {**_OF_EVERY_OBJECT, **schema["properties"]}}


def _closed(schema: Any) -> Any:
    """The schema, where objects that list their properties have no others; `metadata` is Kubernetes' own."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in closed and not closed.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
        if "kind" in closed["properties"]:
            closed["properties"] = {**closed["properties"], "metadata": {"type": "object"}}
    return closed


def test_kubernetes_takes_the_manifests(tmp_path: Path) -> None:
    plain = [(path, document) for path, document in documents() if document["kind"] != "FlinkDeployment"]
    assert len(plain) == 5
    for number, (_, document) in enumerate(plain):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(document))
    command = [tools.linters() / "kubernetes-validate", "--strict", *sorted(tmp_path.glob("*.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_flink_operator_takes_its_manifest() -> None:
    found = [document for _, document in documents() if document["kind"] == "FlinkDeployment"]
    assert found
    schema = flink_schema()
    for document in found:
        jsonschema.validate(document, schema)
        wrong = {**document, "spec": {**document["spec"], "taskManagers": {}}}
        with pytest.raises(jsonschema.ValidationError, match="taskManagers"):
            jsonschema.validate(wrong, schema)


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    command = [tools.linters() / "hadolint", ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_installs_and_splits(work: Path) -> None:
    """The steps of the Dockerfile, in an empty environment: the lock by its hashes, the project, a check, a run."""
    home = work / "image"
    tools.install_lock(home)
    write_parquet(work, web_and_app())
    spec = write_spec(work, SPEC)
    tools.run([home / "bin" / "targetsplit", "run", spec, "-o", work / "RUN", "-q"], work)
    assert (work / "RUN" / "_SUCCESS").is_file()
