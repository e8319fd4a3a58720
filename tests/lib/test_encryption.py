from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from forgelab.lib.encryption import Cipher, DecryptionError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_was_encrypted_is_decrypted():
    token = Cipher([NEW]).encrypt("pässwörd {{ 7*7 }} \n")
    assert "pässwörd" not in token
    assert Cipher([NEW]).decrypt(token) == "pässwörd {{ 7*7 }} \n"


def test_a_former_key_still_opens_what_it_closed():
    token = Cipher([OLD]).encrypt("secret")
    assert Cipher([NEW, OLD]).decrypt(token) == "secret"


def test_rotation_makes_the_former_key_dispensable():
    token = Cipher([OLD]).encrypt("secret")
    assert Cipher([NEW]).decrypt(Cipher([NEW, OLD]).rotate(token)) == "secret"


@pytest.mark.parametrize("act", ["decrypt", "rotate"])
def test_without_the_key_it_says_what_to_put_back(act):
    token = Cipher([OLD]).encrypt("secret")
    with pytest.raises(DecryptionError, match="Put the former key back behind the current one"):
        getattr(Cipher([NEW]), act)(token)


def test_an_altered_token_is_refused():
    token = Cipher([NEW]).encrypt("secret")
    with pytest.raises(DecryptionError):
        Cipher([NEW]).decrypt(token[:-8] + "AAAAAAA=")


def test_no_keys_are_refused_by_the_name_of_their_setting():
    with pytest.raises(ValueError, match="FORGELAB_ENCRYPTION_KEYS is empty"):
        Cipher([])
