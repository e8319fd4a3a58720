from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.lib import names, validators

HOSTILE = ["", " ", "a b", "a\n", "ä", "a;b", "$(id)", "{{ 7*7 }}", "../a", "-a", "a-", "A", "a_b", "\u0661", "a\x00"]


@pytest.mark.parametrize("text", ["a", "web-1", "laravel-production", "a" * 63])
def test_a_slug_is_accepted(text):
    assert names.is_slug(text)
    validators.validate_slug(text)


@pytest.mark.parametrize("text", [*HOSTILE, "1a", "a" * 64, "a.b", "all", "ungrouped"])
def test_what_is_no_slug_is_refused_with_the_rule(text):
    assert not names.is_slug(text)
    with pytest.raises(ValidationError, match=r"is not a valid name: (use 1 to 63|Ansible keeps)"):
        validators.validate_slug(text)


@pytest.mark.parametrize("text", ["root", "_apt", "www-data", "pi", "a" * 32])
def test_a_user_is_accepted(text):
    validators.validate_user(text)


@pytest.mark.parametrize("text", [*(h for h in HOSTILE if h not in ("a_b", "a-")), "a" * 33, "root -o ProxyCommand=x"])
def test_what_is_no_user_is_refused_with_the_rule(text):
    with pytest.raises(ValidationError, match="use a Linux user name"):
        validators.validate_user(text)


@pytest.mark.parametrize(
    "text",
    ["192.168.1.105", "::1", "2001:db8::1", "fe80::1%eth0", "homelab-server-01.local", "NAS", "a.b.c", "1and1.de"],
)
def test_an_address_is_accepted(text):
    validators.validate_address(text)


@pytest.mark.parametrize(
    "text",
    [*(h for h in HOSTILE if h != "A"), "1.2.3", "256.1.1.1", "a..b", "[::1]", "a" * 64, "a:22", "-oProxyCommand=x",
     "fe80::1%eth0 x", "fe80::1%\nevil ssh-rsa AAAA", "fe80::1%'", "fe80::1%{{ 7*7 }}", "a." * 127 + "aa"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_rule(text):
    with pytest.raises(ValidationError, match="give an IPv4 address, an IPv6 address without brackets, or a host name"):
        validators.validate_address(text)


def test_two_servers_never_share_an_ansible_group():
    slugs = ["a-b", "ab", "a-b-c", "a-bc"]
    assert len({names.group_name(slug) for slug in slugs}) == len(slugs)
    assert names.group_name("laravel-production") == "laravel_production"
