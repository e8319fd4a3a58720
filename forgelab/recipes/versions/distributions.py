"""The distributions that ForgeLab supports, as the role preflight declares them in its `meta/forgelab.yml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forgelab.lib.problems import not_one_of
from forgelab.lib.reader import Reader

NUMBER = r"[0-9]{1,3}(\.[0-9]{1,3})?"
RELEASE, RELEASE_MEANS = r"[a-z]{3,20}", "a release's code name, such as bookworm"


@dataclass(frozen=True, slots=True)
class Distribution:
    """`releases` maps code names to version numbers: {"bookworm": "12"}. Newer ones than these are accepted too."""

    title: str
    releases: Mapping[str, str]

    @property
    def oldest(self) -> str:
        return min(self.releases.values(), key=lambda text: [int(number) for number in text.split(".")])


Distributions = Mapping[str, Distribution]  # by the id in /etc/os-release


def read_distributions(section: Reader) -> Distributions:
    """`debian: {title: Debian, releases: {bookworm: "12"}}`; `same_as: debian` stands for another one's releases."""
    found: dict[str, Distribution] = {}
    for name in section.data:
        reader = Reader(section.data[name], section.at(name), section.problems, ("title", "releases", "same_as"))
        title = reader.text("title", None)
        if "same_as" in reader:
            other = reader.text("same_as")
            if other in found:
                found[name] = Distribution(title, found[other].releases)
            elif other:
                reader.wrong("same_as", f"{not_one_of(other, found)} (the distributions above)")
        elif releases := _releases(reader):
            found[name] = Distribution(title, releases)
    return found


def _releases(reader: Reader) -> dict[str, str]:
    releases = Reader(reader.data.get("releases"), reader.at("releases"), reader.problems)
    for name in releases.data:
        if not re.fullmatch(RELEASE, name):
            releases.wrong(name[:60], f"must be {RELEASE_MEANS}")
    means = "a number in quotes, such as 12"
    return {name: releases.text(name, None, pattern=NUMBER, means=means) for name in releases.data}


def release_titles(distributions: Distributions) -> dict[str, str]:
    """`{"bookworm": "Debian 12"}`; of distributions with the same releases the first one counts."""
    titles: dict[str, str] = {}
    for each in distributions.values():
        for release, number in each.releases.items():
            titles.setdefault(release, f"{each.title} {number}")
    return titles


def oldest_versions(distributions: Distributions) -> dict[str, str]:
    """`{"debian": "12"}`"""
    return {name: each.oldest for name, each in distributions.items()}
