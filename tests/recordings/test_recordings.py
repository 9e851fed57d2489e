from __future__ import annotations

import pytest

from .recording import FOLDER, recordings


@pytest.mark.sdk_matrix
def test_recordings_are_there() -> None:
    """The folder that OTEL_STREAM_RECORDINGS names holds answers of all four APIs."""
    if FOLDER is None:
        pytest.skip("OTEL_STREAM_RECORDINGS is not set: the recorded streams are not replayed")

    assert {one.api for one in recordings()} == {"chat", "completions", "responses", "messages"}
