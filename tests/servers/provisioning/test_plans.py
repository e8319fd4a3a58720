from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.runs.plan import Plan
from forgelab.servers.models import Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(provision) -> Plan:
    return Plan.from_json(provision(config={"php_version": "8.2", "include_nodejs": False}).plan)


def role(plan: Plan, name: str):
    return next(each for each in plan.roles if each.name == name)


def test_the_device_is_checked_before_packages_and_these_come_before_components(planned):
    names = [each.name for each in planned.roles]
    assert names.index("preflight") < names.index("packages") < names.index("nginx") < names.index("php")
    assert names[-1] == "versions"
    assert "nodejs" not in names
    assert "mysql" not in names


def test_packages_of_all_components_are_installed_in_one_go(planned):
    union = role(planned, "packages").expressions["packages_names"]
    others = ("facts", "preflight", "repositories", "packages", "versions")
    components = [each.name for each in planned.roles if each.name not in others]
    assert {"nginx", "php", "postgresql", "redis"} <= set(components)
    assert union == "{{ " + " + ".join(f"{name}_packages" for name in components) + " }}"
    assert role(planned, "packages").expressions["packages_hold"] == union.replace("_packages", "_services")
    assert role(planned, "preflight").expressions["preflight_packages"] == union


def test_the_device_is_asked_for_what_the_recipe_needs(planned):
    wanted = role(planned, "preflight").variables
    assert (wanted["preflight_memory_mb"], wanted["preflight_disk_mb"]) == (2048, 20480)


def test_versions_are_asked_of_every_component(planned):
    reports = role(planned, "versions").expressions["versions_reports"]
    assert "nginx_report" in reports
    assert "nodejs_report" not in reports


def test_titles_name_the_version_that_was_chosen(planned):
    titles = [each.title for each in planned.roles]
    assert "Setting up PHP 8.2" in titles
    assert "Setting up Nginx" in titles


def test_secrets_are_apart_from_variables(planned):
    values = Server.objects.get().secrets.values()
    assert any(each.secrets for each in planned.roles)
    for each in planned.roles:
        assert not any(secret in str(each.variables) + str(each.expressions) + each.title for secret in values)
    assert not any(secret in str(planned.generated_roles) for secret in values)


def test_every_variable_belongs_to_its_role(planned):
    for each in planned.roles:
        names = [*each.variables, *each.secrets, *each.expressions]
        assert all(name.startswith(f"{each.name}_") for name in names), each.name


def test_vendors_are_looked_in_for_what_the_distribution_lacks(planned):
    names = [each.name for each in planned.roles]
    assert names.index("preflight") < names.index("repositories") < names.index("packages")
    offered = role(planned, "preflight").variables["preflight_vendors"]
    assert [vendor["name"] for vendor in offered] == ["sury", "pgdg"]
    assert all(vendor["fingerprints"] for vendor in offered)


def test_a_mirror_of_a_vendor_is_asked_in_its_place(provision, settings, tmp_path):
    settings.VENDORS_FILE = tmp_path / "vendors.yaml"
    settings.VENDORS_FILE.write_text("php: {base_url: http://mirror.homelab.local/php}\n")
    plan = Plan.from_json(provision().plan)
    assert role(plan, "preflight").variables["preflight_vendors"][0]["base_url"] == "http://mirror.homelab.local/php"


def test_an_unusable_vendors_file_is_reported_with_line_and_key(provision, settings, tmp_path):
    settings.VENDORS_FILE = tmp_path / "vendors.yaml"
    settings.VENDORS_FILE.write_text("php:\n  base_url: nowhere\n")
    with pytest.raises(ValidationError, match=r"vendors\.yaml: line 2: php\.base_url: .*nowhere"):
        provision()
