"""The repository as an Ansible collection: what is built, what ansible-doc says, and that every role works alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from forgelab.runs.renderer import REQUIREMENTS

from .helpers import ROLES, ROOT, load_plugin

NAME = "forgelab.homelab"
REACHING = re.compile(r"role_path.*\.\.|(src|file|tasks|vars): *\"?\.\./")
BIN = Path(sys.executable).parent
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FILTERS = sorted(path.stem for path in (ROOT / "plugins/filter").glob("*.py"))


def ansible(folder: Path, program: str, *arguments: str) -> str:
    """What a program of Ansible prints, run in `folder` with the collections of that folder alone beside its own."""
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    command = [str(BIN / program), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def play(role: str) -> dict[str, Any]:
    return {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": [f"{NAME}.{role}"]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    ansible(folder, "ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder))
    [artifact] = folder.glob("*.tar.gz")
    return artifact


@pytest.fixture(scope="module")
def elsewhere(built: Path) -> Path:
    """A folder with nothing in it but the collection, installed from what was built."""
    install = ["collection", "install", str(built), "--offline", "--no-deps", "--collections-path", "collections"]
    ansible(built.parent, "ansible-galaxy", *install)
    return built.parent


def test_what_is_built_is_the_collection_and_nothing_else(built: Path) -> None:
    with tarfile.open(built) as archive:
        paths = {path for path in archive.getnames() if path}
        manifest = json.load(archive.extractfile("MANIFEST.json"))  # type: ignore[arg-type]
    assert {path.split("/")[0] for path in paths} == {
        "CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "meta", "plugins", "requirements.yml",
        "roles",
    }  # fmt: skip
    assert not [path for path in paths if "__pycache__" in path]
    assert manifest["collection_info"]["dependencies"] == {
        each["name"]: each["version"] for each in yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    }


def test_what_is_required_is_what_the_roles_use_in_checkout_and_export_alike() -> None:
    required = yaml.safe_load((ROOT / "requirements.yml").read_text())
    assert required == REQUIREMENTS
    texts = [path.read_text() for folder in ("tasks", "handlers") for path in ROLES.glob(f"*/{folder}/*.yml")]
    used = {name for text in texts for name in re.findall(r"^\s+(\w+\.\w+)\.\w+:", text, re.M)}
    assert used - {"ansible.builtin", NAME} == {each["name"] for each in required["collections"]}


def test_the_playbook_of_the_checkout_finds_the_collection() -> None:
    command = [BIN / "ansible-playbook", "--list-tasks", "playbooks/app-server.yml"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    assert f"{NAME}.nginx : " in listed.stdout


@pytest.mark.parametrize(("kind", "names"), [("module", MODULES), ("filter", FILTERS)])
def test_ansible_doc_knows_every_plugin_with_an_example_and_what_it_returns(
    elsewhere: Path, kind: str, names: list[str]
) -> None:
    full = [f"{NAME}.{name}" for name in names]
    told = json.loads(ansible(elsewhere, "ansible-doc", "--type", kind, "--json", *full))
    assert sorted(told) == full
    for name, plugin in told.items():
        assert plugin["doc"]["short_description"], name
        assert name in plugin["examples"], name
        assert plugin["return"], name


class Taken(Exception):
    """Carries the arguments that a module gives to Ansible."""


def accepted(spec: dict[str, Any], below: str) -> dict[str, Any]:
    """By option, what is said of it; the same for what is documented and for what is accepted."""
    return {
        name: (
            option.get("type", "str"),
            option.get("elements"),
            option.get("required", False),
            option.get("default"),
            sorted(option.get("choices") or []),
            accepted(option.get(below) or {}, below),
        )
        for name, option in spec.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_a_module_takes_what_its_documentation_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load_plugin(f"modules.{name}")

    def take(**options: Any) -> None:
        raise Taken(options["argument_spec"])

    monkeypatch.setattr(module, "AnsibleModule", take)
    with pytest.raises(Taken) as taken:
        module.main()
    documented = yaml.safe_load(module.DOCUMENTATION)
    assert documented["module"] == name
    assert accepted(documented["options"], "suboptions") == accepted(taken.value.args[0], "options")


def test_every_role_works_with_nothing_but_the_collection(elsewhere: Path) -> None:
    (elsewhere / "all.yml").write_text(yaml.safe_dump([play(role) for role in NAMES]))
    listed = ansible(elsewhere, "ansible-playbook", "--list-tasks", "-i", "localhost,", "all.yml")
    tasks = {role: listed.count(f"      {NAME}.{role} : ") for role in NAMES}
    assert all(tasks.values()), tasks
    ansible(elsewhere, "ansible-playbook", "--syntax-check", "-i", "localhost,", "all.yml")


@pytest.mark.parametrize("role", NAMES)
def test_no_role_reaches_into_another(role: str) -> None:
    files = [path for folder in ("tasks", "handlers", "vars") for path in (ROLES / role / folder).rglob("*.yml")]
    assert not [path for path in files if REACHING.search(path.read_text())]


def test_every_role_takes_its_own_defaults(elsewhere: Path) -> None:
    """Only the validation of arguments runs: it has the tag `always`."""
    (elsewhere / "all.yml").write_text(yaml.safe_dump([play(role) for role in NAMES]))
    said = ansible(elsewhere, "ansible-playbook", "--tags", "nothing", "-i", "localhost,", "all.yml")
    for role in NAMES:
        assert f"TASK [{NAME}.{role} : Validating arguments against arg spec" in said
    assert f"ok={len(NAMES)} " in said
