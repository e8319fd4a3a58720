"""What a room declares of its kinds of run, and how it is asked for."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps

from forgelab.accounts.actors import SYSTEM
from forgelab.runs import claims, kinds, services
from forgelab.runs.kinds import Page, RunKind, UnknownKind
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult
from tests.support.kinds import PAGE, TEST

pytestmark = pytest.mark.django_db

UNREGISTERED = RunKind("nobody.knows", "Nothing", "devices.Device", doing="nothing", result=PAGE)


class TestAnUnknownKind:
    def test_is_refused_with_the_kinds_there_are(self, device, plan):
        with pytest.raises(UnknownKind) as refused:
            services.run_create(plan=plan, kind=UNREGISTERED, device=device, subject=device, actor=SYSTEM)
        assert str(refused.value).startswith('"nobody.knows" is not a registered kind of run. Registered are: ')
        assert "server.provision" in str(refused.value)
        assert not Run.objects.exists()

    def test_of_a_stored_run_does_not_keep_it_from_ending(self, run):
        Run.objects.update(kind="gone.room")
        assert claims.end(claims.claim(run.pk), RunResult("succeeded"))
        assert Run.objects.get().status == "succeeded"

    def test_of_a_lost_run_does_not_keep_it_from_being_repeated(self, run):
        Run.objects.update(kind="gone.room")
        claims.end(claims.claim(run.pk), RunResult("lost"))
        assert Run.objects.get(retry_of=run).kind == "gone.room"


class TestListeners:
    def test_a_second_one_is_added_in_one_line_and_both_are_called_in_order(self, run, listen):
        called = []
        listen(lambda ended: called.append(("first", ended.status)))
        listen(lambda ended: called.append(("second", ended.status)))
        claims.end(claims.claim(run.pk), RunResult("succeeded"))
        assert called == [("first", "succeeded"), ("second", "succeeded")]

    def test_one_that_fails_undoes_its_own_changes_only(self, run, listen, caplog):
        def broken(ended):
            Run.objects.filter(pk=ended.pk).update(title="half done")
            raise KeyError("name")

        called = []
        listen(broken)
        listen(lambda ended: called.append(ended.status))
        claims.end(claims.claim(run.pk), RunResult("succeeded"))
        assert called == ["succeeded"]
        assert Run.objects.get().title == "Provision laravel"
        assert "a listener failed" in caplog.text

    def test_of_another_kind_are_not_called(self, run, listen):
        called = []
        listen(lambda ended: called.append(ended.status))
        Run.objects.update(kind="server.backup")
        claims.end(claims.claim(run.pk), RunResult("succeeded"))
        assert called == []


def test_two_kinds_cannot_have_one_name():
    with pytest.raises(ValueError, match='Two kinds of run are named "test"'):
        kinds.register(RunKind("test", "Other", "devices.Device", doing="tested", result=PAGE))


class TestTheSubject:
    def test_is_the_thing_itself(self, make_run, device):
        run = Run.objects.get(pk=make_run(subject=device).pk)
        assert run.subject == device
        assert list(Run.objects.of(device)) == [run]

    def test_of_another_model_is_refused(self, make_run, identity):
        with pytest.raises(TypeError, match="A run of kind test is for a Device, not for a Identity"):
            make_run(subject=identity)

    def test_that_is_gone_leaves_the_run_in_place(self, make_run, device, make_device):
        other = make_device("homelab-server-02")
        run = make_run(subject=other)
        other.delete()
        assert Run.objects.get(pk=run.pk).subject is None

    def test_that_is_not_there_has_no_runs(self, run):
        assert not Run.objects.of(None).exists()

    def test_of_older_runs_becomes_a_server(self, run, device):
        Run.objects.update(subject_id=device.pk, subject_type=None)
        migration = importlib.import_module("forgelab.runs.migrations.0005_subject_type")
        migration.set_subject_type(apps, None)
        assert Run.objects.get().subject_type.model == "server"


class TestThePageOfAResult:
    def test_is_given_by_the_kind(self, make_run, device):
        page = Page("device_detail", "Show it", lambda run: [run.subject.name], lambda run: {"tab": "a b"})
        run = make_run(subject=device)
        assert page.link(run) == {"url": f"/devices/{device.name}/?tab=a+b", "label": "Show it"}

    def test_is_not_there_when_its_subject_is_gone(self, make_run):
        page = Page("device_detail", "Show it", lambda run: [run.subject.name])
        assert page.link(make_run(subject=None)) is None

    def test_may_be_about_no_subject(self, make_run):
        assert TEST.result.link(make_run(subject=None)) == {"url": "/devices/", "label": "Show all devices"}
