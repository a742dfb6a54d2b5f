"""A changed settings file is noticed, however it is replaced."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.settings.watch import content, watch

DEADLINE_SECONDS = 10
EVERY_SECONDS = 0.005


class Watched:
    """A file under watch, and what `changed` found in it each time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seen: asyncio.Queue[bytes | None] = asyncio.Queue()

    def changed(self) -> None:
        self.seen.put_nowait(content(self.path))

    async def next(self) -> bytes | None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.seen.get()


@contextlib.asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Watched]:
    """Watch until the block is left; the watcher must end by itself then."""
    watched, stop = Watched(path), asyncio.Event()
    async with asyncio.timeout(2 * DEADLINE_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(watch(path, content(path), watched.changed, stop, EVERY_SECONDS))
        await asyncio.sleep(0)  # one turn of the loop: its first look
        yield watched
        stop.set()


def write_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def rename_over(path: Path, text: str) -> None:
    (path.parent / ".new").write_text(text)
    (path.parent / ".new").replace(path)


def delete_and_create(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def replace_the_folder(path: Path, text: str) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    path.write_text(text)


@pytest.mark.parametrize("replace", [write_in_place, rename_over, delete_and_create, replace_the_folder])
async def test_each_new_content_is_told_once(tmp_path: Path, replace: Callable[[Path, str], None]) -> None:
    path = tmp_path / "etc" / "s.yaml"
    path.parent.mkdir()
    path.write_text("a: 1")
    async with watching(path) as watched:
        for text in ("a: 2", "a: 3", "a: 1"):
            replace(path, text)
            assert await watched.next() == text.encode()
    assert watched.seen.empty()


async def test_kubernetes_swaps_a_link_to_the_folder(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "s.yaml").write_text(f"a: {version}")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "s.yaml").symlink_to("..data/s.yaml")
    async with watching(tmp_path / "s.yaml") as watched:
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").replace(tmp_path / "..data")
        shutil.rmtree(tmp_path / "..1")
        assert await watched.next() == b"a: 2"


@pytest.mark.parametrize("bare", [None, b""], ids=["gone", "empty"])
async def test_a_file_that_is_bare_for_a_moment_is_being_written(tmp_path: Path, bare: bytes | None) -> None:
    path, looks = tmp_path / "s.yaml", tmp_path / "looks.yaml"
    path.write_text("a: 1")
    looks.write_text("0")
    async with watching(path) as watched, watching(looks) as clock:
        spoil(path, bare)
        rename_over(looks, "1")
        await clock.next()  # takes two looks at the other file
        rename_over(path, "a: 2")
        assert await watched.next() == b"a: 2"
    assert watched.seen.empty()


@pytest.mark.parametrize("bare", [None, b""], ids=["gone", "empty"])
async def test_a_file_that_stays_bare_is_told_once(tmp_path: Path, bare: bytes | None) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("a: 1")
    async with watching(path) as watched:
        spoil(path, bare)
        assert await watched.next() == bare
        rename_over(path, "a: 1")
        assert await watched.next() == b"a: 1"
    assert watched.seen.empty()


def spoil(path: Path, bare: bytes | None) -> None:
    if bare is None:
        path.unlink()
    else:
        path.write_bytes(bare)


async def test_writing_the_same_again_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("a: 1")
    async with watching(path) as watched:
        rename_over(path, "a: 1")
        path.touch()
        rename_over(path, "a: 2")
        assert await watched.next() == b"a: 2"
    assert watched.seen.empty()


async def test_a_file_that_comes_later_is_a_change(tmp_path: Path) -> None:
    async with watching(tmp_path / "s.yaml") as watched:
        (tmp_path / "s.yaml").write_text("a: 1")
        assert await watched.next() == b"a: 1"


async def test_a_pipe_is_never_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert content(tmp_path / "pipe") is None
    assert content(tmp_path) is None


async def test_a_change_before_the_first_look_is_noticed(tmp_path: Path) -> None:
    path, stop = tmp_path / "settings.yaml", asyncio.Event()
    path.write_text("old")
    watched, read = Watched(path), content(path)
    path.write_text("new")
    async with asyncio.timeout(2 * DEADLINE_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(watch(path, read, watched.changed, stop, EVERY_SECONDS))
        assert await watched.next() == b"new"
        stop.set()
