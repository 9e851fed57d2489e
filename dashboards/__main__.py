"""Write all dashboards and rules: `python -m dashboards`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dashboards import (
    collectors,
    delivery,
    links,
    models,
    overview,
    overview_influxdb,
    rules,
    stream,
)

__all__ = ["BOARDS", "files", "main"]

BOARDS = (
    overview.BOARD, stream.BOARD, models.BOARD, delivery.BOARD, collectors.BOARD,
    overview_influxdb.BOARD,
)  # fmt: skip
FOLDER = Path(__file__).parents[1] / "collector-config"


def files(runbooks: str = links.RUNBOOKS) -> dict[str, str]:
    """The text of each file by its path in collector-config."""
    boards = {f"grafana/dashboards/{board.file}": board.json() for board in BOARDS}
    recorded = {f"prometheus/rules/{name}": text for name, text in rules.files(runbooks).items()}
    return boards | recorded


def main(arguments: Sequence[str] | None = None) -> None:
    """Write them."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--into", type=Path, default=FOLDER, help="in place of collector-config")
    parser.add_argument(
        "--runbooks", default=links.RUNBOOKS, help="address of the page of runbooks, for alerts"
    )
    said = parser.parse_args(arguments)
    for path, text in files(said.runbooks).items():
        target = said.into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    main()
