from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

ADDED = """Added user rules (see 'ufw status' for running firewall):
ufw allow 22/tcp
ufw allow from 10.0.0.0/8 to any port 5432 proto tcp comment 'db x'
ufw allow 6000:6010/udp
ufw limit 2222
ufw deny in on eth0 to any port 99 proto tcp
ufw route allow in on eth0
ufw allow from fe80::1
ufw allow OpenSSH
"""


@pytest.fixture
def firewall(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("modules.firewall")


def item(port: str, *sources: str, proto: str = "tcp") -> dict:
    return {"port": port, "proto": proto, "from": list(sources) or None}


def plan(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch, added: str, *, active: bool = False, **options) -> list:
    monkeypatch.setattr(firewall, "ssh_ports", lambda: options.get("ssh", {"22"}))
    params = {
        "allowed": options.get("allowed", [item("80")]),
        "closed": options.get("closed", []),
        "enabled": options.get("enabled", True),
    }
    rules, own = firewall.parse_added(added), firewall.parse_own(added)
    calls, _ = firewall.plan(params, rules, active, options.get("policy", "DROP"), own)
    return [" ".join(call) for call in calls]


def test_rules_are_read_from_ufws_own_words(firewall: ModuleType) -> None:
    assert firewall.parse_added(ADDED) == [
        ("allow", "22", "tcp", ""),
        ("allow", "5432", "tcp", "10.0.0.0/8"),
        ("allow", "6000:6010", "udp", ""),
        ("limit", "2222", "", ""),
        ("allow", "", "", "fe80::1"),
        ("allow", "", "", ""),
    ]


def test_ssh_is_opened_before_the_firewall_is_enabled(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(firewall, monkeypatch, "", ssh={"2222"}, allowed=[item("80")]) == [
        "allow 2222/tcp comment ForgeLab",
        "allow 80/tcp comment ForgeLab",
        "--force enable",
    ]


def test_a_second_run_calls_nothing(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = "ufw allow 22/tcp comment 'ForgeLab'\nufw allow from 10.0.0.0/8 to any port 5432 proto tcp\n"
    wanted = [item("22"), item("5432", "10.0.0.0/8")]
    assert plan(firewall, monkeypatch, added, active=True, allowed=wanted) == []


def test_chosen_addresses_get_a_rule_each(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = plan(firewall, monkeypatch, "", allowed=[item("5432", "10.0.0.5/32", "fd00::/8")], enabled=False)
    assert calls[1:] == [
        "allow from 10.0.0.5 to any port 5432 proto tcp comment ForgeLab",
        "allow from fd00::/8 to any port 5432 proto tcp comment ForgeLab",
    ]


def test_a_hand_made_rule_for_the_port_is_left_to_decide(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(firewall, monkeypatch, "ufw limit 22/tcp\nufw deny 80\n", active=True) == []


def test_ssh_from_chosen_addresses_is_not_opened_wider(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = "ufw allow from 10.0.0.0/8 to any port 22 proto tcp\n"
    assert plan(firewall, monkeypatch, added, active=True, allowed=[item("22")]) == []


def test_a_port_that_nobody_may_use_is_not_opened(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(firewall, monkeypatch, "ufw allow 22/tcp\n", active=True, allowed=[{**item("5432"), "from": []}]) == []


def test_who_is_not_named_any_more_is_shut_out(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = """ufw allow 22/tcp comment 'ForgeLab'
ufw allow 80/tcp comment 'ForgeLab'
ufw allow from 10.0.0.5 to any port 5432 proto tcp comment 'ForgeLab'
ufw allow from 10.0.0.7 to any port 5432 proto tcp comment 'by hand'
ufw allow 5432/tcp comment 'ForgeLab'
"""
    assert plan(firewall, monkeypatch, added, active=True, allowed=[item("5432", "10.0.0.6/32")]) == [
        "allow from 10.0.0.6 to any port 5432 proto tcp comment ForgeLab",
        "delete allow from 10.0.0.5 to any port 5432 proto tcp",
        "delete allow 5432/tcp",
    ]


def test_ssh_stays_open_when_others_may_use_its_port_too(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = "ufw allow 22/tcp comment 'ForgeLab'\n"
    calls = plan(firewall, monkeypatch, added, active=True, allowed=[item("22", "10.0.0.6")])
    assert not [call for call in calls if call.startswith("delete")]


def test_all_addresses_are_everybody_as_ufw_writes_it(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    added = "ufw allow 22/tcp comment 'ForgeLab'\nufw allow 5432/tcp comment 'ForgeLab'\n"
    assert plan(firewall, monkeypatch, added, active=True, allowed=[item("5432", "0.0.0.0/0")]) == []


def test_it_refuses_to_enable_what_would_cut_off_ssh(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="ufw delete deny 22"):
        plan(firewall, monkeypatch, "ufw deny 22/tcp\n")


def test_incoming_connections_are_denied_by_policy(firewall: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "default deny incoming" in plan(firewall, monkeypatch, "", policy="ACCEPT")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (item("80; reboot"), "port '80; reboot'"),
        (item("70000"), "port '70000'"),
        (item("{{ 7*7 }}"), "port"),
        (item("80", "example.com"), "from 'example.com'"),
        (item("80", "10.0.0.0/99"), "from '10.0.0.0/99'"),
    ],
)
def test_it_refuses_what_is_no_port_or_address(firewall: ModuleType, wrong: dict, named: str) -> None:
    with pytest.raises(ValueError, match="firewall_allowed: ") as refused:
        firewall.wanted_rules([wrong])
    assert named in str(refused.value)


def test_it_shows_which_listening_ports_are_closed_from_now_on(
    firewall: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firewall, "listeners", lambda **_: {22: {"1"}, 6005: {"2"}, 8123: {"3"}})
    monkeypatch.setattr(firewall, "owners", lambda _: [7])
    monkeypatch.setattr(firewall, "process_name", lambda _: "python3")
    rules = [firewall.Rule("allow", "22", "tcp", ""), firewall.Rule("allow", "6000:6010", "tcp", "")]
    assert firewall.closed_ports(rules) == ["8123 (python3)"]


class TestClosing:
    OWN = (
        "ufw allow 22/tcp comment 'ForgeLab'\nufw allow 80/tcp comment 'ForgeLab'\n"
        "ufw allow 6379/tcp comment 'ForgeLab'\nufw allow 9000/tcp\n"
    )

    def test_what_was_open_before_is_closed_unless_it_is_still_wanted(
        self, firewall: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = ["22/tcp", "80/tcp", "6379/tcp", "9000/tcp"]
        assert plan(firewall, monkeypatch, self.OWN, active=True, allowed=[item("80")], closed=closed) == [
            "delete allow 6379/tcp"
        ]

    def absent(self, firewall: ModuleType, monkeypatch: pytest.MonkeyPatch, *closed: str, active: bool = True) -> list:
        monkeypatch.setattr(firewall, "ssh_ports", lambda: {"22"})
        calls = firewall.absent_plan({"closed": list(closed)}, active, firewall.parse_own(self.OWN))
        return [" ".join(call) for call in calls]

    def test_taken_away_it_leaves_ssh_and_turns_ufw_off(
        self, firewall: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = self.absent(firewall, monkeypatch, "22/tcp", "80/tcp", "6379/tcp")
        assert calls == ["delete allow 80/tcp", "delete allow 6379/tcp", "disable"]

    def test_ufw_stays_on_for_another_servers_rules(
        self, firewall: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.absent(firewall, monkeypatch, "80/tcp") == ["delete allow 80/tcp"]
        assert self.absent(firewall, monkeypatch, "80/tcp", "6379/tcp", active=False)[-1] == "delete allow 6379/tcp"
