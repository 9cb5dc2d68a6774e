"""Holds what deploy/ describes against the schemas of who reads it: `python -m tests.manifests`.

Compose, Kubernetes, KEDA, Prometheus Operator, CloudFormation and nginx, all without a network. What has to be true
besides is in tests/deploy.
"""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from config.children import BASE_DIR

DEPLOY = BASE_DIR / "deploy"
K8S = DEPLOY / "k8s"
OVERLAYS = ("small", "large")
COMPONENTS = ("custom-metrics", "keda", "prometheus-operator", "sentry")
# The oldest and the newest that are promised (docs/operations/kubernetes.md).
KUBERNETES = ("1.30", "1.35")
_CUSTOM = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
KUBECTL = shutil.which("kubectl")
Document = dict[str, Any]


def main() -> int:
    """Print what is wrong; return the exit code."""
    faults = [*compose(), *kubernetes(), *cloudformation()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def compose() -> Iterator[str]:
    """Yield what Compose's schema says of compose.yaml, and of what may be named beside it."""
    files = [DEPLOY / "compose" / name for name in ("compose.yaml", "sentry.yaml")]
    yield from _said("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)


def cloudformation() -> Iterator[str]:
    """Yield what cfn-lint says of the templates."""
    templates = sorted((DEPLOY / "cloudfront").glob("*.yaml"))
    if templates:
        yield from _said("cfn-lint", "--non-zero-exit-code", "warning", "--", *templates)


def kubernetes() -> Iterator[str]:
    """Yield what the schemas say of each overlay, and of the base with each component."""
    if KUBECTL is None:
        print("kubectl is not installed: manifests are not looked at.", file=sys.stderr)
        return
    seen = set()
    built = {f"overlays/{name}": rendered(f"overlays/{name}") for name in OVERLAYS}
    built |= {f"components/{name}": with_component(name) for name in COMPONENTS}
    for name, documents in built.items():
        for document in documents:
            # Of the same object in another overlay there is nothing new to say.
            metadata = {key: value for key, value in document["metadata"].items() if key != "namespace"}
            said = json.dumps(document | {"metadata": metadata}, sort_keys=True)
            if said not in seen:
                seen.add(said)
                yield from (f"{name}: {fault}" for fault in _faults(document))


@cache
def rendered(folder: str) -> list[Document]:
    """Return the objects that a folder of deploy/k8s makes."""
    return _build(K8S / folder)


@cache
def with_component(name: str) -> list[Document]:
    """Return the objects of the base with a component."""
    folder = BASE_DIR / "var" / "manifests" / name
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * len(folder.relative_to(BASE_DIR).parts)
    parts = {"resources": [f"{up}deploy/k8s/base"], "components": [f"{up}deploy/k8s/components/{name}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    return _build(folder)


def _build(folder: Path) -> list[Document]:
    assert KUBECTL is not None
    built = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(built.stdout) if document]


def _faults(document: Document) -> Iterator[str]:
    named = f"{document['kind']} {document['metadata']['name']}"
    if module := _CUSTOM.get(document["apiVersion"]):
        model = getattr(importlib.import_module(module), document["kind"])
        read = model.model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
        if unknown := _lost(document, read):
            yield f"{named}: {', '.join(unknown)} is nothing that it knows"
        return
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{named}, Kubernetes {version}: {error.message}"


def _lost(written: Any, read: Any, place: str = "") -> list[str]:
    """Return which names a model did not take: it leaves out what it does not know."""
    if isinstance(written, dict):
        inner = (
            (name, value, read.get(name) if isinstance(read, dict) else None)
            for name, value in written.items()
        )
        return [
            lost
            for name, value, found in inner
            for lost in ([f"{place}.{name}"] if found is None else _lost(value, found, f"{place}.{name}"))
        ]
    if isinstance(written, list):
        pairs = zip(written, read, strict=True)
        return [lost for number, pair in enumerate(pairs) for lost in _lost(*pair, f"{place}[{number}]")]
    return []


def _said(program: str, *arguments: str | Path) -> list[str]:
    """Run a checker that came with Python packages; return what it printed if it found something."""
    path = Path(sys.executable).with_name(program)
    run = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    return [f"{program}: {run.stdout}{run.stderr}"] if run.returncode else []


if __name__ == "__main__":
    sys.exit(main())
