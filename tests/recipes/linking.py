"""Two small recipes: a shelf that publishes how to reach it, and a reader that names a shelf."""

from __future__ import annotations

from .helpers import RoleTexts

ROLES: RoleTexts = {
    "shelf": (
        "Shelf",
        {
            "shelf_allowed": {"type": "list", "elements": "str"},
            "shelf_port": {"type": "int"},
            "shelf_password": {"type": "str", "no_log": True},
        },
        {"shelf_allowed": [], "shelf_port": 5432, "shelf_password": ""},
    ),
    "reader": (
        "Reader",
        {
            "reader_connections": {"type": "list", "elements": "dict"},
            "reader_port": {"type": "int"},
            "reader_address": {"type": "str"},
            "reader_passwords": {"type": "dict", "no_log": True},
            "reader_url": {"type": "str"},
        },
        {"reader_connections": [], "reader_port": 1, "reader_address": "", "reader_passwords": {}, "reader_url": ""},
    ),
}

NEEDS = """
requirements:
  memory: {minimum: 256MB}
  storage: {minimum: 1GB}
"""

SHELF = f"""
id: shelf
name: "Shelf"
server_type: "database_server"
{NEEDS}
components:
  - name: shelf
    allowed: ["${{ALLOWED_NETWORKS}}", "${{ALLOWED_SERVERS_ADDRESSES}}"]
    port: "${{PORT}}"
    password: "${{DATABASE_PASSWORD}}"
config_options:
  - {{name: remote, label: "Remote access", type: boolean, default: true}}
  - {{name: port, label: "Port", type: integer, default: 5432, min: 1, max: 65535}}
  - {{name: allowed_networks, label: "Networks", type: networks, visible_if: remote}}
  - {{name: allowed_servers, label: "Servers", type: servers, server_types: [reader], visible_if: remote}}
  - {{name: engine, label: "Engine", type: select, options: [wood, steel], default: wood}}
secrets:
  - name: database_password
publishes:
  port: "${{PORT}}"
  database: "${{DATABASE_NAME}}"
  password: "${{DATABASE_PASSWORD}}"
  material:
    - {{value: "soft ${{ENGINE}}", when: {{engine: wood}}}}
    - {{value: hard}}
"""

READER = f"""
id: reader
name: "Reader"
server_type: "worker_server"
{NEEDS}
components:
  - name: reader
    port: "${{SHELF_PORT}}"
    address: "${{SHELF_ADDRESS}}"
    url: "shelf://${{SHELF_ADDRESS}}:${{SHELF_PORT}}/${{SHELF_DATABASE}}?${{SHELF_COLOUR}}"
    connections:
      - {{value: {{name: "${{SHELF}}", port: "${{SHELF_PORT}}", material: "${{SHELF_MATERIAL}}"}}, when: shelf}}
    passwords: {{shelf: "${{SHELF_PASSWORD}}"}}
config_options:
  - {{name: reading, label: "Reading", type: boolean, default: true}}
  - {{name: shelf, label: "Shelf", type: server, server_types: [shelf], default: "", visible_if: reading}}
post_install:
  - type: message
    title: "Ready"
    message: "Reads from ${{SHELF}} at ${{SHELF_ADDRESS}}."
  - type: credentials
    title: "Shelf"
    fields:
      - {{label: Password, value: "${{SHELF_PASSWORD}}"}}
"""
