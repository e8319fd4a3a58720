from __future__ import annotations

import httpx

from matrix.machine import ANYWHERE, Listener, Machine


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("nginx.service")
    shown = machine.run("nginx", "-T")
    domain = machine.config.get("domain") or f"{machine.server['name']}.homelab.local"
    assert f"server_name {domain};" in shown
    # The form around an upload takes some room too.
    assert f"client_max_body_size {machine.config['upload_max_mb'] + 8}m;" in shown
    assert "server_tokens off;" in shown
    address = f"http://{machine.device.address}/"
    answer = httpx.get(address, headers={"Host": domain}, trust_env=False, timeout=20)
    assert answer.status_code == 200
    assert answer.headers["server"] == "nginx"  # no version
    return {Listener("tcp", 80, ANYWHERE, "nginx")}
