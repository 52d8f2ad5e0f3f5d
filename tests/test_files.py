"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from byhand.errors import ByhandError
from byhand.files import write_bytes, write_text


def test_text_is_written_as_utf8(tmp_path):
    path = tmp_path / "σ.txt"
    write_text(path, "ŷ = σ(z)\n")
    assert path.read_bytes() == "ŷ = σ(z)\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stops", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_whatever_stops_it_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, stops):
    path = tmp_path / "report.html"
    path.write_bytes(b"old")

    def fsync(_):
        raise stops

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((ByhandError, KeyboardInterrupt)) as caught:
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    if caught.type is ByhandError:
        assert str(caught.value) == f"cannot write {path}: no space left on device"


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "big"
    whole = [bytes([digit]) * 2_000_000 for digit in b"ab"]
    write_bytes(path, whole[0])
    done = threading.Event()

    def write():
        for turn in range(20):
            write_bytes(path, whole[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert path.read_bytes() in whole
    writer.join()


def test_permissions_are_those_of_a_new_file_or_of_the_one_replaced(tmp_path):
    plain, new, kept = tmp_path / "plain", tmp_path / "new", tmp_path / "kept"
    plain.touch()
    write_bytes(new, b"")
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    kept.touch()
    kept.chmod(0o640)
    write_bytes(kept, b"new")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640


def test_a_link_stays_and_its_file_is_written(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    link.symlink_to(file)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_device_is_written_to_and_not_replaced():
    write_bytes(os.devnull, b"new")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "it is a folder"), ("missing/file", "there is no folder"), ("file/inside", "there is no folder")],
)
def test_why_a_file_cannot_be_written(tmp_path, name, reason):
    (tmp_path / "file").touch()
    with pytest.raises(ByhandError, match=f"cannot write {tmp_path / name}: {reason}"):
        write_bytes(tmp_path / name, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(ByhandError, match="the file is read-only"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
