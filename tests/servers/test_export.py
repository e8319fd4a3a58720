from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.servers.export import MARK, export_project
from forgelab.servers.models import Server
from tests.support import secrets

pytestmark = pytest.mark.django_db


def test_the_whole_homelab_is_written(provision, tmp_path, settings):
    provision()
    written = export_project(directory=tmp_path / "out", vault_password="pw-of-the-test", actor=SYSTEM)
    assert written == tmp_path / "out"
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert {
        "site.yml",
        "ansible.cfg",
        "inventories/homelab/hosts.yml",
        "playbooks/laravel.yml",
        "ssh/forgelab",
    } <= names
    collection = {name.removeprefix("collections/ansible_collections/forgelab/homelab/") for name in names}
    assert {f"roles/{path.name}" for path in settings.ROLES_DIR.iterdir() if path.is_dir()} <= {
        "/".join(name.split("/")[:2]) for name in collection
    }
    assert {"galaxy.yml", "LICENSE", "meta/runtime.yml", "plugins/modules/config_files.py"} <= collection
    assert not any("__pycache__" in name for name in names)
    assert (written / ".vault-password").read_text() == "pw-of-the-test\n"


def test_ansible_understands_it(provision, tmp_path):
    provision()
    export_project(directory=tmp_path / "out", actor=SYSTEM)
    listed = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "--list-tasks", "-i", "inventories/homelab", "site.yml"],
        cwd=tmp_path / "out", capture_output=True, text=True,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stderr
    assert "nginx :" in listed.stdout


def test_no_secret_is_in_clear_but_the_keys(provision, identity, tmp_path):
    provision()
    out = export_project(directory=tmp_path / "out", actor=SYSTEM)
    found = secrets.in_tree(out, [*Server.objects.get().secrets.values(), identity.private_key])
    assert {hit.split(":")[0] for hit in found} == {"ssh/forgelab"}
    assert {"ssh/", ".vault-password"} <= set((out / ".gitignore").read_text().splitlines())
    private = [".vault-password", "ssh", "ssh/forgelab", "vars", "vars/laravel.vault.yml"]
    assert [(out / name).stat().st_mode & 0o077 for name in private] == [0] * len(private)


def test_an_earlier_export_is_replaced_and_its_history_kept(provision, tmp_path):
    provision()
    out = export_project(directory=tmp_path / "out", actor=SYSTEM)
    (out / ".git").mkdir()
    (out / ".git/HEAD").write_text("ref")
    (out / "playbooks/old.yml").write_text("")
    export_project(directory=out, actor=SYSTEM)
    assert not (out / "playbooks/old.yml").exists()
    assert (out / ".git/HEAD").read_text() == "ref"
    assert (out / MARK).exists()


def test_a_folder_with_anything_else_is_refused_and_untouched(provision, tmp_path):
    provision()
    (tmp_path / "precious").write_text("mine")
    with pytest.raises(ValidationError, match="is not empty and no earlier export"):
        export_project(directory=tmp_path, actor=SYSTEM)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_file_is_refused(provision, tmp_path):
    provision()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValidationError, match="is a file"):
        export_project(directory=tmp_path / "file", actor=SYSTEM)


def test_without_a_server_there_is_nothing_to_export(db, tmp_path):
    with pytest.raises(ValidationError, match="There is no server to export"):
        export_project(directory=tmp_path / "out", actor=SYSTEM)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", [{"server_type": "gone"}, {"config": {"php_version": "5.6"}}])
def test_a_server_whose_recipe_is_gone_is_named_and_the_earlier_export_kept(provision, tmp_path, change):
    provision()
    out = export_project(directory=tmp_path / "out", actor=SYSTEM)
    Server.objects.update(**change)
    with pytest.raises(ValidationError, match="laravel cannot be exported"):
        export_project(directory=out, actor=SYSTEM)
    assert (out / "site.yml").exists()


TWO = """
id: greeter
name: Greeter
server_type: app_server
requirements: {memory: {minimum: 256MB}, storage: {minimum: 1GB}}
components:
  - {name: supervisor}
config_options:
  - {name: greeting, label: Greeting, type: string, default: ""}
post_install:
  - {type: command, title: Greet, command: "printf %s ${GREETING}"}
"""


def test_two_servers_of_one_recipe_keep_their_own_commands(provision, end, make_device, tmp_path, settings):
    settings.RECIPES_DIR = tmp_path / "recipes"
    (settings.RECIPES_DIR / "greeter").mkdir(parents=True)
    (settings.RECIPES_DIR / "greeter" / "manifest.yaml").write_text(TWO)
    for name, word in (("first", "hello"), ("second-one", "goodbye")):
        where = make_device(f"device-{name}")
        provision(name, server_type="greeter", device=where, config={"greeting": word})
    out = export_project(directory=tmp_path / "out", actor=SYSTEM)
    for name, role, word in (("first", "first", "hello"), ("second-one", "second_one", "goodbye")):
        assert f"{role}_post_install" in (out / f"playbooks/{name}.yml").read_text()
        assert word in (out / f"roles/{role}_post_install/tasks/main.yml").read_text()
