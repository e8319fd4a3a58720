"""What a role says of two servers on one device, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from forgelab.lib.problems import DocumentError
from forgelab.recipes.colocation import conflict, merged, never_conflicts
from forgelab.recipes.resolve import ResolvedComponent
from forgelab.recipes.roles.spec import RoleSpec, load_role, load_roles

BUILT_IN = Path(__file__).resolve().parents[2] / "roles"
OPTIONS = {
    "tool_name": {"type": "str"},
    "tool_host": {"type": "str"},
    "tool_level": {"type": "int"},
    "tool_parts": {"type": "list", "elements": "str"},
    "tool_loud": {"type": "bool"},
    "tool_password": {"type": "str", "no_log": True},
}
DEFAULTS = {"tool_name": "app", "tool_host": "", "tool_level": 1, "tool_parts": [], "tool_loud": False,
            "tool_password": ""}  # fmt: skip


@pytest.fixture
def tool(tmp_path: Path):
    """The role `tool` with these colocation rules, or this text as its forgelab.yml."""

    def made(rules: dict | str | None = None, ports: str = "[]") -> RoleSpec:
        folder = tmp_path / "tool"
        for name, data in (
            (
                "meta/argument_specs.yml",
                {"argument_specs": {"main": {"short_description": "Tool", "options": OPTIONS}}},
            ),
            ("defaults/main.yml", DEFAULTS),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(yaml.safe_dump(data))
        (folder / "vars").mkdir(exist_ok=True)
        (folder / "vars/main.yml").write_text(f"---\ntool_ports: {ports}\n")
        if rules is not None:
            text = rules if isinstance(rules, str) else yaml.safe_dump({"colocation": rules})
            (folder / "meta/forgelab.yml").write_text(text)
        return load_role(folder)

    return made


def part(secret: dict | None = None, **variables: object) -> ResolvedComponent:
    values = {f"tool_{name}": value for name, value in variables.items()}
    return ResolvedComponent("tool", "tool", "Tool", "", values, secret or {})


def test_what_says_nothing_is_shared_by_equal_values_only(tool) -> None:
    spec = tool()
    assert conflict(spec, part(level=2), part(level=2), "new") == ""
    assert conflict(spec, part(), part(level=1), "new") == ""
    assert conflict(spec, part(level=3), part(), "new") == (
        "has Tool there with tool_level 1, and new would have 3: both need the same"
    )


def test_a_secret_counts_and_is_not_shown(tool) -> None:
    said = conflict(tool(), part({"tool_password": "mine"}), part({"tool_password": "theirs"}), "new")
    assert "tool_password" in said
    assert "mine" not in said and "theirs" not in said
    said = conflict(tool(), part({"tool_level": 5}), part(level=7), "new")  # secret by where it comes from
    assert "tool_level" in said and "5" not in said and "7" not in said


def test_what_a_device_has_once_is_never_shared(tool) -> None:
    assert conflict(tool({"exclusive": True}), part(), part(), "new") == "has Tool there, which a device can have once"


def test_what_is_exempt_conflicts_with_nothing(tool) -> None:
    spec = tool({"exclusive": True, "exempt_if": {"level": 0}})
    assert (
        conflict(spec, part(level=0), part(level=4), "new") == conflict(spec, part(level=4), part(level=0), "new") == ""
    )
    assert conflict(spec, part(level=4), part(level=4), "new")


class TestApart:
    RULES = {"partition_by": ["name", "host"], "must_match": ["loud"]}

    def test_what_lies_apart_may_differ(self, tool) -> None:
        spec = tool(self.RULES)
        assert conflict(spec, part(name="a", host="a.lan", level=1), part(name="b", host="b.lan", level=9), "new") == ""

    def test_but_not_what_lies_in_common(self, tool) -> None:
        spec = tool(self.RULES)
        said = conflict(spec, part(name="a", host="a.lan", loud=True), part(name="b", host="b.lan"), "new")
        assert said == "has Tool there with tool_loud False, and new would have True: both need the same"

    @pytest.mark.parametrize(
        ("mine", "theirs", "named"),
        [
            ({"name": "a", "host": "x.lan"}, {"name": "b", "host": "y.lan x.lan"}, "tool_host y.lan x.lan"),
            ({"name": "a", "host": ""}, {"name": "b"}, 'tool_host ""'),
            ({"name": "a", "host": "x.lan"}, {"name": "a", "host": "y.lan"}, "tool_name a"),
        ],
    )
    def test_one_name_leads_to_one_server(self, tool, mine: dict, theirs: dict, named: str) -> None:
        said = conflict(tool(self.RULES), part(**mine), part(**theirs), "new")
        assert said == f"has Tool for {named} there: new must have another one"

    def test_the_same_in_every_respect_is_one_thing(self, tool) -> None:
        spec, one = tool(self.RULES), {"name": "a", "host": "a.lan"}
        assert conflict(spec, part(**one, level=2), part(**one, level=2), "new") == ""
        assert "tool_level" in conflict(spec, part(**one, level=2), part(**one, level=3), "new")


class TestMerged:
    RULES = {"merged": ["parts", "loud"]}

    def test_lists_are_joined_and_switches_are_on_where_one_wants_them(self, tool) -> None:
        spec = tool(self.RULES)
        assert conflict(spec, part(parts=["a"], loud=True), part(parts=["b"]), "new") == ""
        found = merged(spec, part(parts=["a", "b"], level=2), [part(parts=["b", "c"], loud=True), part()])
        assert found == {"tool_parts": ["a", "b", "c"], "tool_loud": True, "tool_level": 2}

    def test_alone_nothing_is_added(self, tool) -> None:
        assert merged(tool(self.RULES), part(level=2), []) == {"tool_level": 2}

    def test_a_secret_is_nobody_elses(self, tool) -> None:
        spec = tool(self.RULES)
        theirs = part({"tool_parts": ["theirs"]})
        assert "tool_parts" not in merged(spec, part(), [theirs])
        assert (
            conflict(spec, part(), theirs, "new") == "has Tool there with a tool_parts of its own: both need the same"
        )


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"exclusiv": True}, 'meta/forgelab.yml: colocation.exclusiv: is not a known key; did you mean "exclusive"?'),
        ({"exclusive": "yes"}, "line 2: meta/forgelab.yml: colocation.exclusive: must be true or false"),
        ({"merged": "parts"}, "colocation.merged: must be a list"),
        ({"merged": [5]}, "colocation.merged[0]: must be text"),
        ({"merged": ["name"]}, "colocation.merged: name is neither a list nor a switch (bool)"),
        ({"may_differ": ["part"]}, 'may_differ: part is no variable of the role; did you mean "parts"?'),
        ({"exempt_if": ["level"]}, "colocation.exempt_if: must be a mapping"),
        ({"exempt_if": {"levle": 0}}, 'exempt_if.levle: levle is no variable of the role; did you mean "level"?'),
        ("colocation: [", "is not valid YAML"),
    ],
)
def test_what_cannot_be_meant_is_reported_with_its_key(tool, rules: object, told: str) -> None:
    with pytest.raises(DocumentError) as refused:
        tool(rules)
    assert told in str(refused.value)


@pytest.mark.parametrize(("ports", "listens"), [("[]", False), ("[ ]  # none", False), ("[{port: 80}]", True),
                                                ('"{{ [] }}"', True)])  # fmt: skip
def test_only_a_role_that_says_so_has_no_ports(tool, ports: str, listens: bool) -> None:
    assert tool(ports=ports).listens is listens


def test_the_roles_that_never_conflict_are_those_that_touch_nothing_of_anothers() -> None:
    specs = load_roles(BUILT_IN).specs
    assert {name for name, spec in specs.items() if spec.options and never_conflicts(spec)} == {
        "firewall",
        "connection_check",
    }
    exclusive = {name for name, spec in specs.items() if spec.colocation.exclusive}
    assert exclusive == {"postgresql", "mysql", "mariadb", "redis", "memcached"}


class TestFormerSharingYml:
    """Roles of users may still have it."""

    def test_is_read_under_its_old_keys(self, tool, tmp_path: Path) -> None:
        tool()
        (tmp_path / "tool/meta/sharing.yml").write_text(
            "once: true\ninstead_of: [other]\nharmless: {level: 0}\napart_by: [name]\nin_common: [host]\nfree: [loud]\n"
        )
        rules = load_role(tmp_path / "tool").colocation
        assert rules.exclusive and rules.conflicts == ("other",)
        assert rules.exempt_if == {"tool_level": 0}
        assert (rules.partition_by, rules.must_match) == (("tool_name",), ("tool_host",))
        assert rules.may_differ == ("tool_loud",)

    @pytest.mark.parametrize(
        ("text", "told"),
        [("onze: true", "meta/sharing.yml: colocation.onze"), ("free: [part]", "may_differ: part is no variable")],
    )
    def test_is_refused_with_the_word_that_is_right_now(self, tool, tmp_path: Path, text: str, told: str) -> None:
        tool()
        (tmp_path / "tool/meta/sharing.yml").write_text(text)
        with pytest.raises(DocumentError) as refused:
            load_role(tmp_path / "tool")
        assert told in str(refused.value)

    def test_is_refused_beside_what_takes_its_place(self, tool, tmp_path: Path) -> None:
        tool({"exclusive": True})
        (tmp_path / "tool/meta/sharing.yml").write_text("once: true")
        with pytest.raises(DocumentError, match=r"forgelab.yml has colocation, .*; remove this file"):
            load_role(tmp_path / "tool")
