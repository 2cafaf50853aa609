"""Where a deployment says that it comes from: what its pipeline's environment tells.

Anybody can set these variables, so that all of it is claimed, and nothing verified. Sources of the
names: GitHub's "Variables reference", GitLab's "Predefined CI/CD variables reference", Azure
Pipelines' "Use predefined variables", Jenkins' "Using environment variables".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from dpor_provider.printable import line

LONGEST = 300
"""Characters of a value that are kept; no URL of a run is longer."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a deployment comes from."""

    pipeline: str
    """Whose pipeline it is: github, gitlab, azure-pipelines or jenkins."""
    repository: str | None = None
    commit: str | None = None
    ref: str | None = None
    pull_request: str | None = None
    workflow: str | None = None
    environment: str | None = None
    run_url: str | None = None
    started_by: str | None = None
    verified: bool = False
    """Whether more than the pipeline's own word stands behind it."""

    def to_json(self) -> str:
        """As the audit log keeps it: what is known, in a stable order."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(known, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def claimed(environment: Mapping[str, str]) -> Provenance | None:
    """What the environment of a pipeline says; None outside of one."""
    for mark, read in PIPELINES.items():
        if environment.get(mark):
            return read(lambda name: line(environment.get(name, ""))[:LONGEST] or None)
    return None


Get = Callable[[str], str | None]


def _github(get: Get) -> Provenance:
    repository, ref = get("GITHUB_REPOSITORY"), get("GITHUB_REF")
    run = (get("GITHUB_SERVER_URL"), repository, get("GITHUB_RUN_ID"))
    pull_request = re.fullmatch(r"refs/pull/([0-9]+)/\w+", ref or "")
    return Provenance(
        "github",
        repository=repository,
        commit=get("GITHUB_SHA"),
        ref=ref,
        pull_request=pull_request[1] if pull_request else None,
        workflow=get("GITHUB_WORKFLOW"),
        run_url=f"{run[0]}/{run[1]}/actions/runs/{run[2]}" if all(run) else None,
        started_by=get("GITHUB_ACTOR"),
    )


def _gitlab(get: Get) -> Provenance:
    return Provenance(
        "gitlab",
        repository=get("CI_PROJECT_PATH"),
        commit=get("CI_COMMIT_SHA"),
        ref=get("CI_COMMIT_REF_NAME"),
        pull_request=get("CI_MERGE_REQUEST_IID"),
        workflow=get("CI_JOB_NAME"),
        environment=get("CI_ENVIRONMENT_NAME"),
        run_url=get("CI_JOB_URL"),
        started_by=get("GITLAB_USER_LOGIN"),
    )


def _azure_pipelines(get: Get) -> Provenance:
    collection, project = get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"), get("SYSTEM_TEAMPROJECT")
    build = get("BUILD_BUILDID")
    known = collection and project and build
    return Provenance(
        "azure-pipelines",
        repository=get("BUILD_REPOSITORY_NAME"),
        commit=get("BUILD_SOURCEVERSION"),
        ref=get("BUILD_SOURCEBRANCH"),
        pull_request=get("SYSTEM_PULLREQUEST_PULLREQUESTID"),
        workflow=get("BUILD_DEFINITIONNAME"),
        environment=get("ENVIRONMENT_NAME"),
        run_url=f"{collection}{project}/_build/results?buildId={build}" if known else None,
        started_by=get("BUILD_REQUESTEDFOR"),
    )


def _jenkins(get: Get) -> Provenance:
    return Provenance(
        "jenkins",
        repository=get("GIT_URL"),
        commit=get("GIT_COMMIT"),
        ref=get("GIT_BRANCH"),
        pull_request=get("CHANGE_ID"),
        workflow=get("JOB_NAME"),
        run_url=get("BUILD_URL"),
    )


PIPELINES: Mapping[str, Callable[[Get], Provenance]] = {
    "GITHUB_ACTIONS": _github,
    "GITLAB_CI": _gitlab,
    "TF_BUILD": _azure_pipelines,
    "JENKINS_URL": _jenkins,
}
"""By the variable that tells whose pipeline it is."""
