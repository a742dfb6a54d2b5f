"""The catalog as a file."""

import stat
from pathlib import Path

import pytest

from gateway.catalog import snapshot
from gateway.catalog.card import Catalog


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return snapshot.bundled({"openai", "google"})


@pytest.mark.parametrize("name", ["catalog.json", "catalog.json.gz"])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, catalog: Catalog, name: str) -> None:
    snapshot.save(catalog, tmp_path / "deep" / name)
    assert snapshot.load(tmp_path / "deep" / name) == catalog


def test_a_saved_catalog_is_its_owners_alone_and_leaves_nothing_beside_it(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "catalog.json"
    snapshot.save(catalog, path)
    snapshot.save(catalog, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\x1f\x8b broken gzip", b'{"version": 1}'])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.json"
    path.write_bytes(content)
    with pytest.raises(snapshot.CatalogFileError, match=r"catalog\.json is not a catalog"):
        snapshot.load(path)


def test_a_file_cut_anywhere_is_broken_not_half_a_catalog(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "catalog.json.gz"
    snapshot.save(catalog, path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), len(whole) // 23):
        path.write_bytes(whole[:cut])
        with pytest.raises(snapshot.CatalogFileError):
            snapshot.load(path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, catalog: Catalog) -> None:
    target = tmp_path / "catalog.json"
    target.mkdir()
    (target / "occupied").touch()
    with pytest.raises(OSError, match=r"catalog\.json"):
        snapshot.save(catalog, target)
    assert list(tmp_path.iterdir()) == [target]
