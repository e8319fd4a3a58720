"""A real MySQL on Debian 13, from a vendor: who gets in, what is backed up, who uses it, and how it goes again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from forgelab.lab import Lab, LabDevice
from tests.e2e.databases import Database, is_shut, reach, succeeded
from tests.support.stack import Stack
from tests.support.unstable import VERSION, mysql_vendor

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
Join = Callable[..., tuple[LabDevice, str]]
NAME, WORKER = "mysql-shop", "mysql-worker"


@pytest.fixture(scope="module", autouse=True)
def vendor(stack: Stack, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with mysql_vendor(tmp_path_factory.mktemp("mysql"), lab.site.gateway, stack.data_dir):
        yield


@pytest.fixture(scope="module")
def machines(join: Join) -> tuple[LabDevice, str, LabDevice, str]:
    """The database's device and another one, each with its id."""
    return (*join("mysql-db", image="trixie", memory="2G"), *join("mysql-worker", image="trixie", memory="1G"))


@pytest.fixture(scope="module")
def database(stack: Stack, machines: tuple[LabDevice, str, LabDevice, str]) -> Database:
    device, device_id, other, _ = machines
    config = {"database_engine": "mysql", "mysql_version": VERSION, "allowed_networks": [f"{other.address}/32"]}
    return Database(stack, device, device_id, NAME, {**config, "database_name": "shop_db", "database_user": "shop"})


@pytest.fixture(scope="module")
def running(database: Database) -> Database:
    assert succeeded(database.provision()) > 0
    return database


def sql(database: Database, statements: str, schema: str = "shop_db") -> str:
    return database.device.exec(["mysql", "-BN", schema], input=f"{statements}\n").stdout.strip()


def test_a_version_that_the_vendor_lacks_is_refused_and_nothing_is_touched(database: Database) -> None:
    before = database.device.exec(["sh", "-c", "dpkg-query -W; find /etc | sort"]).stdout
    run = database.provision(mysql_version="8.4")
    database.config["mysql_version"] = VERSION
    assert run["status"] == "failed"
    assert (
        "mysql-server 8.4 has no installation candidate on Debian 13 (trixie); mysql.example.org"
        in run["status_detail"]
    )
    assert f"it offers MySQL {VERSION}" in run["status_detail"]
    assert database.device.exec(["sh", "-c", "dpkg-query -W; find /etc | sort"]).stdout == before


def test_it_is_reprovisioned_and_planned_without_a_change(running: Database, stack: Stack) -> None:
    assert succeeded(running.provision()) == 0
    assert stack.cli("server", "plan", NAME).stdout.strip().endswith("No changes.")


def test_another_version_than_the_installed_one_is_refused(running: Database) -> None:
    run = running.provision(mysql_version="8.4")
    running.config["mysql_version"] = VERSION
    assert run["status"] == "failed"
    assert re.search(
        r"mysql-server is installed in version 9\.7\.\S+, not 8\.4\. Choose MySQL 9\.7", run["status_detail"]
    )


def mysql_from(device: LabDevice, login: list[str], question: str) -> str:
    """What the client on `device` receives, an answer or an error."""
    done = device.exec(["mysql", *login, "-NBe", question], check=False)
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "[Warning]" not in line)


@pytest.fixture(scope="module")
def client(running: Database, machines: tuple[LabDevice, str, LabDevice, str]) -> LabDevice:
    """The other device, with MySQL's own client from the same repository."""
    other = machines[2]
    for file in (
        "/etc/apt/keyrings/forgelab-mysql-vendor.asc",
        "/etc/apt/sources.list.d/forgelab-mysql-vendor.sources",
    ):
        text = running.device.exec(["cat", file]).stdout
        other.exec(["sh", "-c", f"mkdir -p /etc/apt/keyrings && cat > {file}"], input=text)
    other.exec(["apt-get", "update", "-qq"])
    other.exec(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qqy", "mysql-client"])
    return other


def test_it_lets_in_who_is_named_by_password_only(running: Database, client: LabDevice) -> None:
    known = running.credentials()
    login = ["-h", running.device.address, "-u", known["User"]]
    question = "SELECT CURRENT_USER(), USER(), @@version"
    told = mysql_from(client, [*login, f"-p{known['Password']}", "shop_db"], question).splitlines()[-1].split()
    assert told[:2] == [f"shop@{client.address}"] * 2
    assert told[2].startswith("9.7.")
    assert "ERROR 1045" in mysql_from(client, [*login, "-pwrong"], "SELECT 1")
    assert "ERROR 1045" in mysql_from(client, login, "SELECT 1")
    assert "ERROR 1045" in mysql_from(client, ["-h", running.device.address, "-u", "root"], "SELECT 1")
    assert "ERROR 1044" in mysql_from(client, [*login, f"-p{known['Password']}", "mysql"], "SELECT 1")
    assert "ERROR 1044" in mysql_from(client, [*login, f"-p{known['Password']}"], "CREATE DATABASE another")


def test_nobody_else_gets_through(running: Database, client: LabDevice) -> None:
    assert is_shut(running.device.address, 3306)  # this machine was not named
    assert reach(client, running.device.address, 33060) == "shut"
    lines = [line.split()[3] for line in running.device.exec(["ss", "-Hltn"]).stdout.splitlines()]
    assert {line.rsplit(":", 1)[1] for line in lines if not line.startswith(("127.", "[::1]"))} == {"22", "3306"}


def test_a_changed_password_on_the_server_is_put_right(running: Database) -> None:
    user = sql(running, "SELECT CONCAT(QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE User = 'shop' LIMIT 1")
    sql(running, f"ALTER USER {user} IDENTIFIED BY 'somebody-elses'")
    assert succeeded(running.provision()) == 1
    assert succeeded(running.provision()) == 0


CONTENTS = """
CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, v varchar(99) NOT NULL, w decimal(9, 2) DEFAULT (1.5),
  t int GENERATED ALWAYS AS (char_length(v)) STORED, j json, INDEX ((lower(v))), CHECK (t > 0));
CREATE TABLE items (id int PRIMARY KEY AUTO_INCREMENT, n int, FOREIGN KEY (n) REFERENCES orders (id));
CREATE TABLE log (n int);
CREATE VIEW totals AS SELECT count(*) AS n FROM orders;
CREATE TRIGGER logged AFTER INSERT ON items FOR EACH ROW INSERT INTO log VALUES (NEW.n);
CREATE PROCEDURE answer() SELECT 42;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log WHERE n < 0;
INSERT INTO orders (v, j) VALUES ('first', '{"a": [1, "ü"]}'), ('{{ 7*7 }} ''; -- ü', NULL);
INSERT INTO items (n) VALUES (1);"""


def backups(running: Database) -> list[dict[str, Any]]:
    return json.loads(running.device.exec(["forgelab-backup", "list", "--json"]).stdout)["backups"]


def test_a_backup_is_written_verified_and_gives_back_what_was_dropped(running: Database, stack: Stack) -> None:
    sql(running, CONTENTS)
    stack.cli("server", "backup", NAME)
    made = {(backup["database"], backup["engine"], backup["verified"]) for backup in backups(running)}
    assert made == {("shop_db", "mysql", True), ("(accounts)", "mysql", True)}
    sql(running, "SET foreign_key_checks = 0; DROP TABLE orders; DROP VIEW totals; DROP PROCEDURE answer")
    stack.cli("server", "restore", NAME, "--database", "shop_db", "--confirm", NAME)
    assert sql(running, "SELECT v, t, w, j FROM orders ORDER BY id") == (
        'first\t5\t1.50\t{"a": [1, "ü"]}\n{{ 7*7 }} \'; -- ü\t17\t1.50\tNULL'
    )
    sql(running, "INSERT INTO items (n) VALUES (2)")  # the trigger and the foreign key are back
    assert sql(running, "SELECT n FROM log ORDER BY n; SELECT n FROM totals; CALL answer()") == "1\n2\n2\n42"
    assert sql(running, "SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop_db'") == (
        "nightly\tENABLED"
    )


def test_it_is_restored_beside_the_present_one_with_its_rights(running: Database, stack: Stack) -> None:
    stack.cli("server", "restore", NAME, "--database", "shop_db", "--confirm", NAME, "--into", "beside_it")
    assert sql(running, "SELECT count(*) FROM orders; SELECT n FROM totals", "beside_it") == "2\n2"
    known = running.credentials()
    login = ["-h127.0.0.1", f"-u{known['User']}", f"-p{known['Password']}", "beside_it"]
    assert mysql_from(running.device, login, "INSERT INTO log VALUES (7); SELECT max(n) FROM log").endswith("7")
    refused = stack.cli(
        "server", "restore", NAME, "--database", "shop_db", "--confirm", NAME, "--into", "beside_it", check=False
    )
    assert refused.returncode == 1 and "There is already a database beside_it" in refused.stderr
    sql(running, "DROP DATABASE beside_it")
    for kept in running.device.exec(["forgelab-backup", "drop"]).stdout.splitlines():
        running.device.exec(["forgelab-backup", "drop", kept.split()[0]])


def test_the_saved_accounts_can_be_played_back(running: Database) -> None:
    folder = "/var/backups/forgelab/mysql/accounts"
    found = running.device.exec(["sh", "-c", f"ls {folder}/* | grep -v json | tail -1"]).stdout.strip()
    unpack = f"(zstd -dc {found} 2>/dev/null || gzip -dc {found})"
    text = running.device.exec(["sh", "-c", unpack]).stdout
    assert "CREATE USER `shop`@`localhost` IDENTIFIED WITH 'caching_sha2_password' AS " in text
    sql(running, "DROP USER shop@localhost")
    lines = "\n".join(line for line in text.splitlines() if "`shop`@`localhost`" in line)
    sql(running, lines)
    assert succeeded(running.provision()) == 0  # rights and password are those that they were


def test_a_damaged_backup_is_refused(running: Database, stack: Stack) -> None:
    newest = max((b for b in backups(running) if b["database"] == "shop_db"), key=lambda b: b["made_at"])
    folder = "/var/backups/forgelab/mysql/databases/shop_db"
    spoil = f"printf X | dd of=$(ls {folder}/{newest['id']}.* | grep -v json) bs=1 seek=300 conv=notrunc"
    running.device.exec(["sh", "-c", spoil])
    refused = stack.cli("server", "restore", NAME, "--database", "shop_db", "--confirm", NAME, check=False)
    assert refused.returncode == 1 and "is damaged and cannot be restored" in refused.stderr
    stack.cli("server", "backup", NAME)


PHP = r"""
[$engine, $host, $port, $database, $user, $password] = file("php://stdin", FILE_IGNORE_NEW_LINES);
$link = new PDO("mysql:host=$host;port=$port;dbname=$database", $user, $password);
$link->exec("INSERT INTO log VALUES (99)");
echo json_encode([$engine, $link->query("SELECT max(n) FROM log")->fetchColumn()]);
"""


def worker(stack: Stack, device_id: str) -> dict[str, Any]:
    body = {"server_type": "laravel-worker-server", "name": WORKER, "device_id": device_id, "config": {
        "php_version": "8.4", "database_server": NAME, "include_composer": False, "include_cache": False,
    }}  # fmt: skip
    answer = stack.api.post("infrastructure/provision", json=body)
    assert answer.status_code == 202, answer.text
    return stack.wait_for_end(answer.json()["run"]["id"])


def test_a_worker_logs_in_over_the_network(
    running: Database, client: LabDevice, machines: tuple[LabDevice, str, LabDevice, str], stack: Stack
) -> None:
    succeeded(running.provision(allowed_networks=[]))
    refused = worker(stack, machines[3])
    assert refused["status"] == "failed"
    assert f"{running.device.address} port 3306" in refused["status_detail"]
    stack.cli(*re.findall(r"forgelab (server provision \S+ --name [a-z0-9-]+)", refused["status_detail"])[0].split())
    working = worker(stack, machines[3])
    assert working["status"] == "succeeded", working["status_detail"]
    block = json.loads(stack.cli("server", "credentials", WORKER, "--json").stdout)[0]
    values = {field["label"]: field["value"] for field in block["fields"]}
    asked = client.exec(
        ["php8.4", "-r", PHP],
        input="\n".join(values[key] for key in ("Engine", "Host", "Port", "Database", "User", "Password")),
    )
    assert json.loads(asked.stdout) == ["mysql", 99]
    assert sum(worker(stack, machines[3])["outcome"]["recap"]["changed"].values()) == 0


def test_a_worker_reports_a_wrong_password(
    running: Database, machines: tuple[LabDevice, str, LabDevice, str], stack: Stack
) -> None:
    host = machines[2].address
    sql(running, f"ALTER USER shop@`{host}` IDENTIFIED BY 'somebody-elses'")
    run = worker(stack, machines[3])
    assert run["status"] == "failed"
    assert "the password is another one, or that user may not come from here" in run["status_detail"]
    assert succeeded(running.provision()) == 1
    assert worker(stack, machines[3])["status"] == "succeeded"


def test_it_is_decommissioned_and_its_data_stay(running: Database, stack: Stack) -> None:
    in_use = stack.cli("server", "decommission", NAME, "--confirm", NAME, check=False)
    assert in_use.returncode == 1 and f"{WORKER} uses {NAME}" in in_use.stderr
    stack.cli("server", "decommission", WORKER, "--confirm", WORKER)
    stack.cli("server", "decommission", NAME, "--confirm", NAME)
    state = running.device.exec(
        ["sh", "-c", "systemctl is-active mysql; systemctl is-enabled mysql; ls /var/lib/mysql"]
    )
    assert state.stdout.split()[:2] == ["inactive", "disabled"]
    assert "shop_db" in state.stdout
    assert "3306" not in running.device.exec(["ufw", "status"]).stdout
    assert "forgelab" not in running.device.exec(["ls", "/etc/mysql/mysql.conf.d"]).stdout


def test_without_a_vendor_the_refusal_says_what_to_do(
    machines: tuple[LabDevice, str, LabDevice, str], stack: Stack
) -> None:
    own = stack.data_dir / "vendors.yaml"
    text = own.read_text()
    try:
        own.write_text(yaml.safe_dump({}))
        other = Database(stack, machines[2], machines[3], "mysql-none", {"database_engine": "mysql"})
        machines[2].exec(["sh", "-c", "rm -f /etc/apt/sources.list.d/forgelab-*; apt-get update -qq"])
        run = other.provision()
    finally:
        own.write_text(text)
    assert run["status"] == "failed"
    assert "mysql-server 8.0 has no installation candidate on Debian 13" in run["status_detail"]
