from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from forgelab.accounts import services
from forgelab.accounts.actors import SCHEDULER, SYSTEM, Actor, Kind, from_person, from_shell, from_token
from forgelab.accounts.models import User
from forgelab.accounts.policy import ACTIONS, Needs, check, may

LOOKS = {"forgelab.view", "placement.rank"}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_owner_may_do_everything(owner: User, action: str) -> None:
    assert may(from_person(owner), action)
    assert may(from_token(owner, "0123456789abcde"), action)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_ordinary_user_only_looks(guest: User, action: str) -> None:
    assert may(from_person(guest), action) is (action in LOOKS)
    assert may(from_token(guest, "0123456789abcde"), action) is (action in LOOKS)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("actor", [SCHEDULER, SYSTEM, from_shell()], ids=str)
def test_who_acts_on_the_machine_itself_acts_as_the_owner(actor: Actor, action: str) -> None:
    assert may(actor, action)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("actor", [from_person(None), Actor(Kind.WEBHOOK, "push")], ids=str)
def test_nobody_may_do_anything_without_a_user(actor: Actor, action: str) -> None:
    assert not may(actor, action)


def test_somebody_who_was_shut_out_may_not_even_look(owner: User) -> None:
    owner.is_active = False

    assert not may(from_person(owner), "forgelab.view")


def test_a_refusal_says_what_is_missing_and_who_can_help(guest: User) -> None:
    with pytest.raises(PermissionDenied) as refused:
        check(from_person(guest), "device.remove")

    assert str(refused.value) == (
        "bob may look at everything, but not remove a device. Ask an owner of this ForgeLab: ada."
    )


def test_where_there_is_no_owner_the_refusal_says_how_to_make_one(guest: User, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)

    with pytest.raises(PermissionDenied, match="forgelab user create NAME --admin"):
        check(from_person(guest), "device.remove")


def test_a_refusal_is_logged_with_who_and_from_where(guest: User, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PermissionDenied):
        check(from_person(guest, "192.168.1.7"), "device.remove")

    assert "bob (person) from 192.168.1.7 is refused: device.remove" in caplog.text


def test_an_unknown_action_is_a_mistake_and_not_a_refusal(owner: User) -> None:
    with pytest.raises(KeyError):
        may(from_person(owner), "device.paint")


def test_the_first_user_is_the_owner_and_the_next_one_only_looks(db: None) -> None:
    first = services.user_create(username="ada", password="correct horse battery", actor=SYSTEM)
    second = services.user_create(username="bob", password="correct horse battery", actor=SYSTEM)

    assert (first.is_owner, second.is_owner) == (True, False)


def test_every_action_is_a_noun_and_a_verb_with_a_title() -> None:
    assert [name for name in ACTIONS if len(name.split(".")) != 2] == []
    assert all(action.title[0].islower() and action.needs in Needs for action in ACTIONS.values())
