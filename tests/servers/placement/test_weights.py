"""Weights of one's own for the ranking, and mistakes in their file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from forgelab.servers.models import Server
from tests.servers.helpers import ranked

pytestmark = pytest.mark.django_db


class TestWeights:
    def test_of_ones_own_decide(self, device, settings, tmp_path: Path):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        before = ranked()[0].points
        settings.PLACEMENT_FILE.write_text("points: {load: 40, storage: 0}\n")
        assert ranked()[0].points < before

    def test_with_mistakes_are_reported_with_file_line_and_key(self, provision, settings, tmp_path: Path):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        settings.PLACEMENT_FILE.write_text("points:\n  memry: 30\nenough: {cores: lots}\n")
        with pytest.raises(ValidationError) as refused:
            provision()
        said = refused.value.message_dict["placement"][0]
        assert f"{settings.PLACEMENT_FILE}: line 2: points.memry: is not a known key" in said
        assert "line 3: enough.cores: must be a number from 0.1 to 1000, not text" in said
        assert not Server.objects.exists()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("points: {load: 20}", "points: are 105 together; they must be 100"),
            ("points: 3", "points: must be a mapping with keys"),
            ("disks: {ssd: 2}", "disks.ssd: must be a number from 0 to 1, not 2"),
            ("fit: {near: true}", "fit.near: must be a number from 0 to 100, not true or false"),
            ("points: {load: .nan}", "points.load: must be a number"),
            ("[", ""),
        ],
    )
    def test_that_cannot_be_are_refused(self, settings, tmp_path: Path, text, said):
        settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
        settings.PLACEMENT_FILE.write_text(text)
        with pytest.raises(ValidationError) as refused:
            ranked()
        assert said in refused.value.message_dict["placement"][0]
