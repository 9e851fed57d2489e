"""One virtual environment a contender, in the user's cache, made once for each set of pins."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "benchmarks" / "requirements"
CHECKOUT = "ours"
AGENTS = "agents"
EXTRAS = {CHECKOUT: "openai,anthropic", AGENTS: "openai,anthropic,agno"}
"""The environments that also hold this checkout, editable, and with which extras."""


class InstallError(Exception):
    """A contender's environment could not be made; the message is the installer's last words."""


def cache() -> Path:
    """Where the environments live: `$XDG_CACHE_HOME/otel-stream-bench`."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "otel-stream-bench"


def python(name: str) -> Path:
    """The interpreter of an environment, which is made when it is not there yet.

    Raises:
        InstallError: The installer failed.
    """
    folder = cache() / f"{name}-{fingerprint(name)}"
    interpreter = folder / "bin" / "python"
    if not (folder / "complete").exists():
        make(name, folder, interpreter)
        (folder / "complete").touch()
    return interpreter


def fingerprint(name: str) -> str:
    """A key of all that decides what is installed."""
    digest = hashlib.sha256(platform.python_version().encode())
    digest.update((REQUIREMENTS / f"{name}.txt").read_bytes())
    if name in EXTRAS:
        digest.update(str(ROOT).encode())
        digest.update((ROOT / "pyproject.toml").read_bytes())
    return digest.hexdigest()[:12]


def make(name: str, folder: Path, interpreter: Path) -> None:
    """Create the environment and install its pins, with uv where there is one, else with pip."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for old in folder.parent.glob(f"{name}-{'?' * 12}"):
        shutil.rmtree(old)
    packages = ["-r", str(REQUIREMENTS / f"{name}.txt")]
    if name in EXTRAS:
        packages += ["-e", f"{ROOT}[{EXTRAS[name]}]"]
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv:
        run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        run(uv, "pip", "install", "--quiet", "--python", str(interpreter), *packages)
    else:
        run(sys.executable, "-m", "venv", str(folder))
        run(str(interpreter), "-m", "pip", "install", "--quiet", *packages)


def run(*command: str) -> None:
    """Run an installer's command.

    Raises:
        InstallError: It failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallError(done.stderr.strip()[-2000:])
