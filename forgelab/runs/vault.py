"""Ansible Vault's file format 1.1, written without importing Ansible.

Format: https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html#ansible-vault-payload-format-1-1-1-2
(PBKDF2-HMAC-SHA256 with 10,000 rounds to 80 bytes: AES key, HMAC key, counter; AES-256-CTR over PKCS#7-padded text.)
"""

from __future__ import annotations

import hashlib
import hmac
import os
import textwrap
from binascii import hexlify

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

HEADER = "$ANSIBLE_VAULT;1.1;AES256"
ROUNDS = 10_000


def encrypt(text: str, password: str) -> str:
    """`text` as a vault file that `ansible-vault` and Ansible open with `password`."""
    salt = os.urandom(32)
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, dklen=80)
    cipher_key, mac_key, counter = derived[:32], derived[32:64], derived[64:]
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(cipher_key), modes.CTR(counter)).encryptor()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    mac = hmac.new(mac_key, encrypted, hashlib.sha256).hexdigest().encode()
    payload = hexlify(b"\n".join((hexlify(salt), mac, hexlify(encrypted)))).decode()
    return "\n".join((HEADER, *textwrap.wrap(payload, 80), ""))
