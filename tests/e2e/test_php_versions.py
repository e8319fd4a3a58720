"""An App Server's PHP: a second version beside the first, the switch under load, and workers that follow it.

Debian 13's PHP 8.4 plays the vendor of a second version for Debian 12.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from forgelab.lab import LabDevice
from forgelab.lab.registries import debian_archives, sources_for
from tests.e2e.config import BOOKWORM
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.matrix
NAME, APP = "versions-production", "versions"
HOME = f"/var/www/{APP}"
WITHOUT = {f"include_{part}": False for part in ("redis", "composer", "nodejs", "firewall", "backups")}
OLD, NEW = "8.2", "8.4"
EXTENSIONS = "fpm cli mbstring xml pgsql mysql redis curl zip gd intl bcmath"

# Takes PHP 8.4 and what it needs from Debian 13, and nothing else. Debian 13's php-common refuses to stand beside older
# versions, which a vendor's does not: it is packed again without that. os-release stays, for this is still a Debian 12.
PLAY_VENDOR = """
set -e
export DEBIAN_FRONTEND=noninteractive
cat > /etc/apt/sources.list.d/vendor.sources
printf 'Package: *\\nPin: release n=trixie*\\nPin-Priority: 100\\n' > /etc/apt/preferences.d/vendor
apt-get update -q
apt-get -q -y --no-install-recommends install dpkg-dev
mkdir -p /srv/vendor && cd /srv/vendor
apt-get -q download php-common/trixie
dpkg-deb -R php-common_*.deb unpacked && rm php-common_*.deb
sed -i '/^Breaks:/d; s/^Version: .*/&+vendor1/' unpacked/DEBIAN/control
dpkg-deb -b unpacked . && rm -r unpacked && dpkg-scanpackages . > Packages
echo 'deb [trusted=yes] file:/srv/vendor ./' > /etc/apt/sources.list.d/vendor-own.list
needs=$(apt-get -s -y --no-install-recommends -t trixie install $1 |
    sed -n 's/^Inst \\([^ ]*\\) .*Debian.*:13.*/\\1/p' | grep -vx php-common | tr '\\n' ' ')
needs="$needs locales libc-l10n"  # of the same source as libc6
printf '\\nPackage: %s\\nPin: release n=trixie*\\nPin-Priority: 990\\n' "$needs" >> /etc/apt/preferences.d/vendor
cp /usr/lib/os-release /root/os-release
apt-get update -q
apt-get -q -y --no-install-recommends install $(printf '%s\\n' $needs | grep -v -e ^php8.4 -e ^loc)
cp /root/os-release /usr/lib/os-release
"""
PAGES = {
    "version.php": "<?php echo PHP_VERSION;",
    "slow.php": "<?php $version = PHP_VERSION; sleep(3); echo $version;",
    "settings.php": "<?php echo PHP_VERSION, ' ', ini_get('memory_limit'), ' ', implode(',', get_loaded_extensions());",
}
# A worker that writes down which PHP runs it, and has a job at hand when it has to stop.
ARTISAN = """<?php
$told = function (string $line) use ($argv) {
    file_put_contents(__DIR__ . "/log/{$argv[1]}", $line . ' ' . PHP_VERSION . "\\n", FILE_APPEND | LOCK_EX);
};
$told('started');
$stop = false;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, function () use (&$stop) { $stop = true; });
while (!$stop && $argv[1] !== 'schedule:run') { sleep(1); }
sleep(2);
$told('finished');
"""


@dataclass
class Server:
    """The App Server, with what it was last asked for."""

    stack: Stack
    device: LabDevice
    device_id: str
    config: dict[str, Any] = field(default_factory=lambda: {**BOOKWORM, **WITHOUT, "supervisor_workers": 2})

    def provision(self, **changes: Any) -> list[str]:
        """Provision with these options changed; the tasks that changed something."""
        self.config |= changes
        run = self.stack.wait_for_end(self.stack.provision(NAME, self.device_id, self.config))
        assert run["status"] == "succeeded", run["status_detail"]
        rows = self.stack.api.get(f"runs/{run['id']}/events", params={"limit": 1000}).raise_for_status().json()
        return [event["task"] for event in rows["results"] if event["changed"]]

    def run(self, command: str, check: bool = True) -> str:
        return self.device.exec(["sh", "-c", command], check=check).stdout

    def get(self, page: str) -> str:
        url, host = f"http://{self.device.address}/{page}", {"Host": f"{NAME}.homelab.local"}
        return httpx.get(url, headers=host, timeout=30, trust_env=False).raise_for_status().text

    def log(self, program: str) -> list[str]:
        return self.run(f"cat {HOME}/current/log/{program}", check=False).splitlines()

    def services(self) -> dict[str, str]:
        names = [f"php{version}-fpm" for version in (OLD, NEW)]
        states = zip(
            self.run(f"systemctl is-active {' '.join(names)}", check=False).split(),
            self.run(f"systemctl is-enabled {' '.join(names)}", check=False).split(),
            strict=True,
        )
        return dict(zip((OLD, NEW), map(" ".join, states), strict=True))


@contextmanager
def requests(server: Server) -> Iterator[Counter[str]]:
    """Requests without a pause, quick and slow ones, while the block runs: how often each answer or failure came."""
    answers: Counter[str] = Counter()
    done = threading.Event()

    def ask(page: str) -> None:
        while not done.is_set():
            try:
                answers[server.get(page)] += 1
            except httpx.HTTPError as failure:
                answers[f"{page}: {failure}"] += 1

    threads = [threading.Thread(target=ask, args=(page,)) for page in ("version.php", "version.php", "slow.php")]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def server(stack: Stack, join: Callable[..., tuple[LabDevice, str]]) -> Iterator[Server]:
    device, device_id = join("php-versions", memory="2G")
    packages = " ".join(f"php{NEW}-{name}" for name in EXTENSIONS.split())
    source = sources_for(debian_archives(), "trixie")
    device.exec(["sh", "-c", PLAY_VENDOR, "sh", packages], input=source)
    server = Server(stack, device, device_id)
    server.provision()
    for name, text in PAGES.items():
        device.exec(["tee", f"{HOME}/current/public/{name}"], input=text)
    server.run(f"install -d -o www-data {HOME}/current/log")
    device.exec(["tee", f"{HOME}/current/artisan"], input=ARTISAN)
    yield server
    device.remove()


def test_another_version_is_put_beside_the_default_and_changes_nothing_for_it(server: Server) -> None:
    with requests(server) as answers:
        server.provision(extra_php_versions=NEW)
    assert {answer.rpartition(".")[0] for answer in answers} == {OLD}
    assert server.services() == {OLD: "active enabled", NEW: "active enabled"}
    assert server.run("php -r 'echo PHP_VERSION;'").startswith(f"{OLD}.")
    assert server.run(f"stat -c %F /run/php/php{NEW}-fpm.sock").strip() == "socket"
    assert server.provision() == []


def test_the_other_version_has_the_same_settings_and_extensions(server: Server) -> None:
    page = f"{HOME}/current/public/settings.php"
    site = f"location = /other {{ include fastcgi_params; fastcgi_param SCRIPT_FILENAME {page};"
    site += f" fastcgi_pass unix:/run/php/php{NEW}-fpm.sock; }}"
    server.device.exec(["tee", f"/etc/nginx/forgelab.d/{APP}/server/other.conf"], input=site)
    server.run("systemctl reload nginx")
    wait_for(lambda: server.get("other").startswith(NEW), 20, "nginx has read the hand-made part")
    first, other = server.get("settings.php").split(" "), server.get("other").split(" ")
    assert first[1] == other[1] == "256M"
    assert set(first[2].split(",")) == set(other[2].split(","))


def test_no_request_fails_while_the_default_is_switched_and_everything_follows(server: Server) -> None:
    wait_for(lambda: len(server.log("queue:work")) >= 2, 30, "the workers have begun")
    with requests(server) as answers:
        server.provision(php_version=NEW, extra_php_versions="")
        wait_for(lambda: server.services()[OLD] == "inactive disabled", 30, "the old version is let go")
    assert {answer.rpartition(".")[0] for answer in answers} == {OLD, NEW}, answers
    assert server.services() == {OLD: "inactive disabled", NEW: "active enabled"}
    assert server.get("version.php").startswith(f"{NEW}.")
    assert server.run("php -r 'echo PHP_VERSION;'").startswith(f"{NEW}.")
    assert f"php{NEW} artisan schedule:run" in server.run(f"cat /etc/cron.d/forgelab-{APP}")
    assert server.run(f"dpkg-query -W -f '${{Status}}' php{OLD}-fpm") == "install ok installed"
    assert server.provision() == []


def test_workers_finish_their_jobs_before_the_new_version_runs_them(server: Server) -> None:
    wait_for(lambda: f"started {NEW}" in " ".join(server.log("queue:work")), 60, "workers run with the new version")
    told = Counter(re.sub(r"\.\d+\D*$", "", line) for line in server.log("queue:work"))
    assert told[f"finished {OLD}"] == told[f"started {OLD}"] == 2


def workers(server: Server) -> int:
    """How many workers supervisord knows."""
    return len(re.findall(rf"^{APP}-worker:", server.run("supervisorctl status", check=False), re.M))


def test_programs_that_a_cut_off_run_has_only_written_are_started_by_the_next(server: Server) -> None:
    server.run(f"sed -i s/numprocs=2/numprocs=3/ /etc/supervisor/conf.d/forgelab-{APP}.conf")
    assert workers(server) == 2
    server.provision(supervisor_workers=3)
    assert workers(server) == 3
    assert server.provision() == []


def test_horizon_waits_for_an_application_that_has_it(server: Server) -> None:
    server.provision(supervisor_horizon=True)
    assert server.log("horizon") == []
    status = server.run("supervisorctl status", check=False)
    assert f"{APP}-horizon" in status
    assert f"{APP}-worker" not in status
    server.run(f"mkdir -p {HOME}/current/vendor/laravel/horizon")
    wait_for(lambda: server.log("horizon"), 30, "Horizon has begun")
    assert server.log("horizon")[0].startswith(f"started {NEW}.")


def test_a_version_that_a_hand_made_site_uses_goes_on(server: Server) -> None:
    server.provision(php_version=OLD)
    assert server.services() == {OLD: "active enabled", NEW: "active enabled"}
    assert server.get("version.php").startswith(f"{OLD}.")
    assert server.get("other").startswith(f"{NEW}.")


def test_packages_go_when_that_is_asked_for_and_what_others_need_stays(server: Server) -> None:
    server.run(f"rm /etc/nginx/forgelab.d/{APP}/server/other.conf && systemctl reload nginx")
    server.provision(php_purge=True)
    packages = server.run("dpkg-query -W -f '${Status} ${Package}\\n' | sed -n 's/^install ok installed //p'").split()
    assert [name for name in packages if name.startswith(f"php{NEW}-")] == []
    assert f"php{OLD}-fpm" in packages
    assert "nginx" in packages
    assert server.provision() == []
