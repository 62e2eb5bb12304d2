"""Which `pulumi-resource-kubernetes` an update of the embedded cluster uses: the genuine one wherever it can be had.

In this order: one on PATH, one installed in Pulumi's home, one that can be downloaded now, else the stand-in. A
download is tried once; when it fails that is remembered for a day in the toolchain's cache (delete
`kubernetes-plugin-*.refused` there to have it tried again at once), so that a machine without a network does not wait
for it at each `up`.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

from devcluster import Report
from devcluster.toolchain import Toolchain

_NAME = "pulumi-resource-kubernetes"
_STAND_IN = Path(__file__).parent / "plugin" / "bin"
_REMEMBERED_SECONDS = 24 * 60 * 60
_CONNECT_SECONDS = 60
_DOWNLOAD_SECONDS = 600


@dataclass(frozen=True)
class PluginChoice:
    """The plugin to use."""

    genuine: bool
    path_entry: Path | None
    """A folder to put first on the engine's PATH; None when the engine finds the plugin by itself."""
    description: str
    """For the person who runs the update: which plugin, and why."""


def choose(toolchain: Toolchain, report: Report) -> PluginChoice:
    """The plugin for the installed version of the Kubernetes SDK; the stand-in where the genuine one cannot be had."""
    version = installed_version("pulumi-kubernetes")
    on_path = shutil.which(_NAME)
    if on_path and Path(on_path).resolve().parent != _STAND_IN:
        return PluginChoice(True, None, f"{_NAME} at {on_path}")
    folder = _installed(version)
    if not folder.is_file():
        refused = toolchain.directory / f"kubernetes-plugin-{version}.refused"
        if _recent(refused):
            return _stand_in("the genuine plugin could not be downloaded, and is tried again a day later")
        report(f"looking for {_NAME} {version}")
        if not _download(toolchain.path("pulumi"), version) or not folder.is_file():
            with contextlib.suppress(OSError):
                refused.touch()
            return _stand_in("the genuine plugin can be neither found nor downloaded")
    return PluginChoice(True, None, f"{_NAME} {version} from {folder.parent}")


def _stand_in(reason: str) -> PluginChoice:
    return PluginChoice(False, _STAND_IN, f"stand-in for {_NAME}: {reason}")


def _installed(version: str) -> Path:
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    return home / "plugins" / f"resource-kubernetes-v{version}" / _NAME


def _recent(marker: Path) -> bool:
    try:
        return time.time() - marker.stat().st_mtime < _REMEMBERED_SECONDS
    except OSError:
        return False


def _download(pulumi: Path, version: str) -> bool:
    """Whether the plugin could be installed into Pulumi's home.

    It gets a minute to reach the server, which shows in the CLI's temporary folder, and ten to finish.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mainstay-download-") as folder:
        download = subprocess.Popen(
            [pulumi, "plugin", "install", "resource", "kubernetes", version],
            env={**os.environ, "TMPDIR": folder, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    return download.wait(timeout=1) == 0
                except subprocess.TimeoutExpired:
                    begun = any(Path(folder).iterdir())
                    if time.monotonic() - start > (_DOWNLOAD_SECONDS if begun else _CONNECT_SECONDS):
                        return False
        finally:
            if download.poll() is None:
                download.kill()
                download.wait()
