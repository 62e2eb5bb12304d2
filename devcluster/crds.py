"""The operators' CustomResourceDefinitions: where they come from and how they reach the API server."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from devcluster import DevclusterError, Report, golang
from devcluster.api import Api, ApiError

MODULE = Path(__file__).parent / "tools" / "crds"

# Module (pinned in tools/crds/go.mod) -> the files in it. Only these: some modules also carry bundles that run images.
SOURCES = {
    "github.com/cert-manager/cert-manager": "deploy/crds/*.yaml",
    "github.com/cloudnative-pg/cloudnative-pg": "config/crd/bases/*.yaml",
    "github.com/cloudnative-pg/plugin-barman-cloud": "config/crd/bases/*.yaml",
    "github.com/envoyproxy/gateway": "charts/gateway-helm/crds/generated/*.yaml",
    "github.com/fluxcd/flagger": "artifacts/flagger/crd.yaml",
    "github.com/kedacore/keda/v2": "config/crd/bases/*.yaml",
    "github.com/prometheus-operator/prometheus-operator": "example/prometheus-operator-crd/*.yaml",
    "sigs.k8s.io/gateway-api": "config/crd/standard/*.yaml",
}


def collect(go: Path, destination: Path) -> None:
    """Download the pinned modules and write each CRD in them to `destination`/<name>.json.

    What was downloaded is compared with go.sum. Raises DevclusterError when a module cannot be had or differs.
    """
    import yaml  # only here: a start with a finished toolchain reads JSON

    class Loader(yaml.CSafeLoader):
        """Leaves "=" and dates the plain text they are to Kubernetes."""

    def text(_: yaml.CSafeLoader, node: yaml.ScalarNode) -> str:
        return str(node.value)

    for tag in ("value", "timestamp"):
        Loader.add_constructor(f"tag:yaml.org,2002:{tag}", text)

    destination.mkdir(parents=True)
    for module, directory in _download(go).items():
        files = sorted(directory.glob(SOURCES[module]))
        if not files:
            raise DevclusterError(f"the module {module} holds no CRD at {SOURCES[module]}: mend SOURCES in {__file__}")
        for file in files:
            for document in yaml.load_all(file.read_bytes(), Loader=Loader):
                if document:
                    _write(cast("dict[str, Any]", document), destination)


def install(api: Api, directory: Path, report: Report) -> None:
    """Apply every CRD of `directory`; the API server serves them a moment later (see `missing`)."""
    files = sorted(directory.glob("*.json"))
    report(f"installing {len(files)} CRDs of the operators")

    def apply(file: Path) -> None:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{file.stem}"
        api.apply(path, json.loads(file.read_bytes()))

    try:
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(apply, files))
    except ApiError as error:
        raise DevclusterError(f"the API server refused a CRD of {directory}: {error}") from error


def missing(api: Api, directory: Path) -> set[str]:
    """The CRDs of `directory` that the API server does not serve (yet), by name."""
    # Discovery, in one answer, rather than the CRDs themselves: these are several megabytes, and what discovery lists
    # is established.
    discovery = api.get("/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    served = {
        f"{resource['resource']}.{group['metadata']['name']}"
        for group in discovery["items"]
        for version in group["versions"]
        for resource in version.get("resources", [])
    }
    return {file.stem for file in directory.glob("*.json")} - served


def _download(go: Path) -> dict[str, Path]:
    """Module -> its directory in Go's module cache."""
    pinned = dict(
        cast("tuple[str, str]", tuple(line.split()))
        for line in (MODULE / "go.mod").read_text().splitlines()
        if line.startswith("\t")
    )
    sums = set((MODULE / "go.sum").read_text().splitlines())
    queries = [f"{module}@{version}" for module, version in pinned.items()]
    done = subprocess.run(
        [go, "mod", "download", "-json", *queries],
        cwd=MODULE,
        env=golang.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    directories: dict[str, Path] = {}
    decoder = json.JSONDecoder()
    rest = done.stdout.strip()
    while rest:
        answer, end = decoder.raw_decode(rest)
        rest = rest[end:].lstrip()
        module, version = answer["Path"], answer["Version"]
        if "Error" in answer:
            raise DevclusterError(f"the module {module} {version} cannot be downloaded: {answer['Error']}")
        if f"{module} {version} {answer['Sum']}" not in sums:
            raise DevclusterError(
                f"the module {module} {version} is not what {MODULE / 'go.sum'} records: do not use this download"
            )
        directories[module] = Path(answer["Dir"])
    if set(directories) != set(SOURCES):
        words = done.stderr.strip() or "go mod download answered for other modules than asked"
        raise DevclusterError(f"the operators' modules cannot be downloaded: {words.splitlines()[-1]}")
    return directories


def _write(crd: dict[str, Any], destination: Path) -> None:
    metadata = crd["metadata"]
    # Labels are dropped because some are unrendered Helm templates; the annotations carry the API approval that the API
    # server demands of *.k8s.io groups.
    crd["metadata"] = {"name": metadata["name"], "annotations": metadata.get("annotations", {})}
    crd.pop("status", None)
    (destination / f"{metadata['name']}.json").write_text(json.dumps(crd))
