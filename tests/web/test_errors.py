"""A service's refusal in forms: beside its field, else above the form, and nothing lost."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from forgelab.devices.ssh import DeviceUnreachable
from forgelab.web.errors import add_errors, error_messages


class Where(forms.Form):
    name = forms.CharField()


class What(forms.Form):
    php_version = forms.CharField()
    name_of_database = forms.CharField(required=False)


def both() -> tuple[Where, What]:
    forms_ = Where({"name": "blog"}), What({"php_version": "8.4", "name_of_database": "my"})
    assert all(form.is_valid() for form in forms_)
    return forms_


def test_each_sentence_stands_beside_its_field_in_whichever_form_has_it() -> None:
    where, what = both()

    add_errors(ValidationError({"name": "Taken.", "config.php_version": ["Too old.", "Not here."]}), where, what)

    assert where.errors == {"name": ["Taken."]}
    assert what.errors == {"php_version": ["Too old.", "Not here."]}


def test_what_has_no_field_stands_above_the_first_form() -> None:
    where, what = both()

    add_errors(ValidationError({"device": "It is asleep.", "name": "Taken."}), where, what)

    assert where.non_field_errors() == ["It is asleep."]
    assert where.errors["name"] == ["Taken."]
    assert not what.errors


def test_another_name_leads_to_the_forms_field_or_to_none() -> None:
    where, what = both()

    aliases = {"constraints[0]": "name", "php_version": None}
    add_errors(ValidationError({"constraints[0]": "No.", "php_version": "Never."}), where, what, aliases=aliases)

    assert where.errors == {"name": ["No."], "__all__": ["Never."]}
    assert not what.errors


def test_a_refusal_without_fields_and_any_other_exception_stand_above_the_form() -> None:
    for error in (ValidationError(["One.", "Two."]), DeviceUnreachable("One. Two.")):
        where, _ = both()
        add_errors(error, where)
        assert " ".join(where.non_field_errors()) == "One. Two."


def test_what_was_typed_stays() -> None:
    where, what = both()

    add_errors(ValidationError({"name": "Taken.", "config.php_version": "Too old."}), where, what)

    assert where["name"].value() == "blog"
    assert (what["php_version"].value(), what["name_of_database"].value()) == ("8.4", "my")


def test_all_sentences_of_a_refusal_as_a_list() -> None:
    assert error_messages(ValidationError({"a": ["One."], "b": ["Two.", "Three."]})) == ["One.", "Two.", "Three."]
    assert error_messages(DeviceUnreachable("It is off.")) == ["It is off."]
