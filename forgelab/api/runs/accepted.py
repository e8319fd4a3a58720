"""The answer to a request that makes a run."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from forgelab.runs import selectors
from forgelab.runs.models import Run


def accepted(run: Run, request: Request) -> Response:
    """202 with the run, and where to go from here."""
    urls = {name: reverse(f"api:{name}", [run.pk], request=request) for name in ("run", "steps", "events", "cancel")}
    if run.subject_type:
        urls[run.subject_type.model] = reverse(f"api:{run.subject_type.model}", [run.subject_id], request=request)
    data = {"run": selectors.run_snapshot(run_id=run.pk), "urls": urls}
    return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": urls["run"]})
