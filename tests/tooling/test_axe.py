"""What is fetched for the accessibility tests is what was asked for, or nothing."""

from pathlib import Path

import pytest

from config.tooling import axe


@pytest.mark.parametrize("content", [None, b"another archive"])
def test_nothing_is_kept_that_is_not_the_file_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    archive, script = tmp_path / "axe.tgz", tmp_path / "tools" / "axe.js"
    if content is not None:
        archive.write_bytes(content)
    assert not axe.ensure(script, archive.as_uri())
    assert not script.parent.exists()
    assert "are skipped" in capsys.readouterr().out


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    script = tmp_path / "axe.js"
    script.write_text("axe")
    assert axe.ensure(script, "http://127.0.0.1:9/nowhere")
    assert script.read_text() == "axe"
