from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from forgelab.lab import images
from forgelab.lab.errors import LabError
from forgelab.lab.images import Images

SOURCES = [("http://mirror.example/debian", "")]


@pytest.fixture
def bootstrap(monkeypatch):
    """mmdebstrap replaced by something that fails or succeeds at once; `argv` is how it was called."""
    fake = SimpleNamespace(code=0, says=b"", argv=[])

    def call(argv, stdout, **rest):
        fake.argv = argv
        stdout.write(fake.says)
        target = images.Path(argv[-2])
        target.mkdir()
        (target / "etc").mkdir()
        return SimpleNamespace(returncode=fake.code)

    monkeypatch.setattr(subprocess, "run", call)
    monkeypatch.setattr(images, "debian_archives", lambda: SOURCES)
    monkeypatch.setattr(images, "prepare", lambda root: (root / "etc/prepared").touch())
    return fake


def test_it_refuses_a_suite_it_does_not_know_and_names_those_it_does(tmp_path):
    with pytest.raises(LabError, match=r"^image: 'jammy' is not one of bookworm, trixie, forky\.$"):
        Images(tmp_path).path("jammy")


def test_it_builds_an_image_once(tmp_path, bootstrap):
    said = []
    image = Images(tmp_path / "images").build("trixie", said.append)
    assert (image / "etc/prepared").exists()
    assert len(said) == 1
    bootstrap.code = 1
    assert Images(tmp_path / "images").build("trixie", said.append) == image
    assert Images(tmp_path / "images").built() == ["trixie"]
    assert len(said) == 1


def test_it_asks_for_the_suite_from_this_machines_archives(tmp_path, bootstrap):
    Images(tmp_path).build("trixie", print)
    assert bootstrap.argv[-3] == "trixie"
    assert "Suites: trixie\n" in (tmp_path / "trixie.sources").read_text()


def test_a_failed_build_says_why_and_leaves_no_image(tmp_path, bootstrap):
    bootstrap.code, bootstrap.says = 1, b"Err:1 no such suite\nE: apt-get update failed\n"
    with pytest.raises(LabError, match=r"(?s)trixie image could not be built.*Err:1 no such suite"):
        Images(tmp_path).build("trixie", print)
    assert Images(tmp_path).built() == []
    assert not list(tmp_path.glob(".trixie-*"))


def test_the_rest_of_a_build_that_died_is_cleared_away(tmp_path, bootstrap):
    (tmp_path / ".trixie-0000/etc").mkdir(parents=True)
    Images(tmp_path).build("trixie", print)
    assert not (tmp_path / ".trixie-0000").exists()


def test_another_recipe_or_certificate_makes_another_image(tmp_path, monkeypatch):
    before = Images(tmp_path).path("bookworm")
    (tmp_path / "own.crt").write_text("certificate")
    monkeypatch.setattr(images, "CERTIFICATES", tmp_path)
    with_certificate = Images(tmp_path).path("bookworm")
    monkeypatch.setattr(images, "PACKAGES", ("sudo",))
    assert len({before, with_certificate, Images(tmp_path).path("bookworm")}) == 3
