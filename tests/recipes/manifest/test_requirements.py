"""What a manifest may say of the devices that its server can be on."""

from __future__ import annotations

import pytest

from forgelab.lib.problems import DocumentError
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.roles.spec import Roles

MANIFEST = """\
id: own
name: Own
server_type: web_server
position: 7
requirements:
  memory: {minimum: 1GB, recommended: 2GB, plus: [largest]}
  storage: {minimum: 1GB}
  distributions: {debian: "13", ubuntu: "24.04"}
  architectures: [x86_64, aarch64]
components:
  - {name: php, workers: "${LARGEST}"}
config_options:
  - {name: largest, label: Largest, type: integer, default: 8, min: 1, max: 4096}
  - {name: word, label: Word, type: string, default: ""}
post_install:
  - {type: message, title: Done, message: "${WORD}"}
"""


def test_distributions_architectures_and_options_that_ask_for_more(roles: Roles) -> None:
    recipe = load_text(MANIFEST, roles)
    needs = recipe.requirements
    assert needs.distributions == {"debian": "13", "ubuntu": "24.04"}
    assert needs.architectures == ("x86_64", "aarch64")
    assert recipe.position == 7
    assert (recipe.needs({}).memory_mb.minimum, recipe.needs({}).memory_mb.recommended) == (1032, 2048)
    assert recipe.needs({"largest": 4096}).memory_mb.recommended == 5120


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{debian: "13", ', '{debain: "13", ', 'requirements.distributions.debain: is not a known key; did you mean'),
        ('debian: "13"', "debian: 13", "requirements.distributions.debian: must be text"),
        ('debian: "13"', 'debian: "new"', 'requirements.distributions.debian: "new" must be a version in quotes'),
        ('{debian: "13", ubuntu: "24.04"}', "{}", "requirements.distributions: must name at least one of"),
        ("[x86_64, aarch64]", "[]", "requirements.architectures: must name at least one"),
        ("[x86_64, aarch64]", "[X86-64]", "requirements.architectures[0]: \"X86-64\" must be as `uname -m` says it"),
        ("plus: [largest]", "plus: [largst]", 'requirements.memory.plus[0]: "largst" is not one of largest'),
        ("plus: [largest]", "plus: [word]", 'requirements.memory.plus[0]: "word" is not one of largest'),
        ("position: 7", "position: 0", "position: must be a whole number from 1 to 1000, not 0"),
    ],
)  # fmt: skip
def test_mistakes_are_reported_with_line_and_key(roles: Roles, old: str, new: str, said: str) -> None:
    assert old in MANIFEST
    with pytest.raises(DocumentError) as refused:
        load_text(MANIFEST.replace(old, new), roles)
    assert said in str(refused.value) and str(refused.value).startswith("line ")
