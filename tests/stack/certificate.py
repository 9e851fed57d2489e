"""A certificate for loopback, made for one run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

__all__ = ["Certificate", "make_certificate"]


class Certificate(NamedTuple):
    """Files in PEM; it is its own authority."""

    cert: Path
    key: Path


def make_certificate(room: Path) -> Certificate:
    """A certificate for 127.0.0.1 and localhost, for a day."""
    made = Certificate(room / "cert.pem", room / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "1", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
               "-keyout", str(made.key), "-out", str(made.cert)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return made
