"""Files that are written whole, or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.files import write_new, write_whole


def test_a_file_is_written_with_the_rights_that_the_user_gives_files(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    mask = os.umask(0o027)
    try:
        write_whole(path, "one\n")
    finally:
        os.umask(mask)
    assert path.read_text() == "one\n"
    assert path.stat().st_mode & 0o777 == 0o640
    write_whole(path, "two\n")
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_stays_one_and_what_it_names_is_written(tmp_path: Path) -> None:
    path, link = tmp_path / "result.json", tmp_path / "link.json"
    path.write_text("old")
    link.symlink_to(path)
    write_whole(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"


def test_a_pipe_stays_one_and_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "through\n")
    reader.join()
    assert read == ["through\n"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["no-such-folder/result.json", "folder", "file/result.json"])
def test_what_cannot_be_written_is_said_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(Unavailable, match="cannot be written"):
        write_whole(tmp_path / name, "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert [*(tmp_path / "folder").iterdir()] == []


def test_a_new_file_takes_no_other_s_place(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    mask = os.umask(0o027)
    try:
        write_new(path, "one\n")
    finally:
        os.umask(mask)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("one\n", 0o640)
    with pytest.raises(Invalid, match="exists already and was left as it is"):
        write_new(path, "two\n")
    assert path.read_text() == "one\n"
    with pytest.raises(Unavailable, match="cannot be written"):
        write_new(tmp_path / "no" / "such.yaml", "one\n")
    assert [*tmp_path.iterdir()] == [path]


def test_of_two_who_write_a_new_file_one_does(tmp_path: Path) -> None:
    path, refused = tmp_path / "new.yaml", []

    def write(text: str) -> None:
        try:
            write_new(path, text)
        except Invalid:
            refused.append(text)

    texts = [f"{number}\n" for number in range(8)]
    threads = [threading.Thread(target=write, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([path.read_text(), *refused]) == texts
    assert [*tmp_path.iterdir()] == [path]
