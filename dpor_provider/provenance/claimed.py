"""What a pipeline's environment says of the deployment; anybody can set these variables.

Sources of the names: GitHub's "Variables reference", GitLab's "Predefined CI/CD variables
reference", Azure Pipelines' "Use predefined variables", Bitbucket's "Variables and secrets",
CircleCI's "Project values and variables", Jenkins' "Using environment variables" and its Git
plugin, Pulumi Deployments' "Environment Variables" and Pulumi's "Adding Pulumi support for CI/CD
systems".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

from dpor_provider.provenance.provenance import Provenance

Get = Callable[[str], str | None]

APPROVER = "DPOR_APPROVED_BY"
"""Who approved the deployment: no pipeline says so by itself, but a step of it can ask."""

PULL_REQUEST = re.compile(r"refs/(?:pull|merge-requests)/([0-9]+)/[a-z-]+", re.ASCII)
"""The ref of a pull request at GitHub, or of a merge request at GitLab."""


def claimed(environ: Mapping[str, str]) -> Provenance | None:
    """What the environment of a pipeline says; None outside of one."""
    for mark, read in PIPELINES.items():
        if environ.get(mark):
            found = read(lambda name: environ.get(name) or None)
            return replace(found, claimed_approver=environ.get(APPROVER))
    return None


def pull_request_of(ref: str | None) -> str | None:
    """The number of the pull request whose ref this is."""
    found = PULL_REQUEST.fullmatch(ref or "")
    return found[1] if found else None


def _github(get: Get) -> Provenance:
    server, repository, run = (
        get("GITHUB_SERVER_URL"),
        get("GITHUB_REPOSITORY"),
        get("GITHUB_RUN_ID"),
    )
    return Provenance(
        "github",
        repository=repository,
        repository_id=get("GITHUB_REPOSITORY_ID"),
        owner_id=get("GITHUB_REPOSITORY_OWNER_ID"),
        commit=get("GITHUB_SHA"),
        ref=get("GITHUB_REF"),
        ref_protected=get("GITHUB_REF_PROTECTED"),
        workflow=get("GITHUB_WORKFLOW_REF"),
        event=get("GITHUB_EVENT_NAME"),
        run_id=run,
        run_url=_url(server and repository and run and f"{server}/{repository}/actions/runs/{run}"),
        pull_request=pull_request_of(get("GITHUB_REF")),
        actor=get("GITHUB_ACTOR"),
    )


def _gitlab(get: Get) -> Provenance:
    return Provenance(
        "gitlab",
        repository=get("CI_PROJECT_PATH"),
        repository_id=get("CI_PROJECT_ID"),
        owner_id=get("CI_PROJECT_NAMESPACE_ID"),
        commit=get("CI_COMMIT_SHA"),
        ref=get("CI_MERGE_REQUEST_REF_PATH")
        or _ref(get("CI_COMMIT_BRANCH"), get("CI_COMMIT_TAG"))
        or get("CI_COMMIT_REF_NAME"),
        ref_protected=get("CI_COMMIT_REF_PROTECTED"),
        workflow=get("CI_CONFIG_PATH"),
        environment=get("CI_ENVIRONMENT_NAME"),
        event=get("CI_PIPELINE_SOURCE"),
        run_id=get("CI_JOB_ID"),
        run_url=_url(get("CI_JOB_URL")),
        pull_request=get("CI_MERGE_REQUEST_IID"),
        actor=get("GITLAB_USER_LOGIN"),
    )


def _azure_pipelines(get: Get) -> Provenance:
    collection, build = get("SYSTEM_COLLECTIONURI"), get("BUILD_BUILDID")
    project = quote(get("SYSTEM_TEAMPROJECT") or "", safe="", errors="replace")
    return Provenance(
        "azure-pipelines",
        repository=get("BUILD_REPOSITORY_NAME"),
        repository_id=get("BUILD_REPOSITORY_ID"),
        commit=get("BUILD_SOURCEVERSION"),
        ref=get("BUILD_SOURCEBRANCH"),
        workflow=get("BUILD_DEFINITIONNAME"),
        environment=get("ENVIRONMENT_NAME"),
        event=get("BUILD_REASON"),
        run_id=build,
        run_url=_url(
            collection
            and project
            and build
            and f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"
        ),
        pull_request=get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")
        or get("SYSTEM_PULLREQUEST_PULLREQUESTID"),
        actor=get("BUILD_REQUESTEDFOR"),
    )


def _bitbucket(get: Get) -> Provenance:
    origin, build = get("BITBUCKET_GIT_HTTP_ORIGIN"), get("BITBUCKET_BUILD_NUMBER")
    return Provenance(
        "bitbucket",
        repository=get("BITBUCKET_REPO_FULL_NAME"),
        repository_id=get("BITBUCKET_REPO_UUID"),
        owner_id=get("BITBUCKET_REPO_OWNER_UUID"),
        commit=get("BITBUCKET_COMMIT"),
        ref=_ref(get("BITBUCKET_BRANCH"), get("BITBUCKET_TAG")),
        environment=get("BITBUCKET_DEPLOYMENT_ENVIRONMENT"),
        run_id=build,
        run_url=_url(origin and build and f"{origin}/pipelines/results/{build}"),
        pull_request=get("BITBUCKET_PR_ID"),
        actor=get("BITBUCKET_STEP_TRIGGERER_UUID"),
    )


def _circleci(get: Get) -> Provenance:
    owner, name = get("CIRCLE_PROJECT_USERNAME"), get("CIRCLE_PROJECT_REPONAME")
    pull_request = re.search(r"/([0-9]+)/?\Z", get("CIRCLE_PULL_REQUEST") or "", re.ASCII)
    return Provenance(
        "circleci",
        repository=f"{owner}/{name}" if owner and name else name,
        repository_id=get("CIRCLE_PROJECT_ID"),
        owner_id=get("CIRCLE_ORGANIZATION_ID"),
        commit=get("CIRCLE_SHA1"),
        ref=_ref(get("CIRCLE_BRANCH"), get("CIRCLE_TAG")),
        workflow=get("CIRCLE_JOB"),
        run_id=get("CIRCLE_BUILD_NUM"),
        run_url=_url(get("CIRCLE_BUILD_URL")),
        pull_request=pull_request[1] if pull_request else None,
        actor=get("CIRCLE_USERNAME"),
    )


def _jenkins(get: Get) -> Provenance:
    return Provenance(
        "jenkins",
        repository=_without_login(get("GIT_URL")),
        commit=get("GIT_COMMIT"),
        ref=_ref(get("CHANGE_BRANCH"), get("TAG_NAME")) or get("GIT_BRANCH"),
        workflow=get("JOB_NAME"),
        run_id=get("BUILD_ID"),
        run_url=_url(get("BUILD_URL")),
        pull_request=get("CHANGE_ID"),
    )


def _pulumi(get: Get) -> Provenance:
    """Pulumi Deployments, or another pipeline that names itself to Pulumi in the same variables."""
    stack = [get("PULUMI_CI_ORGANIZATION"), get("PULUMI_CI_PROJECT"), get("PULUMI_CI_STACK")]
    return Provenance(
        (get("PULUMI_CI_SYSTEM") or "").strip().lower().replace(" ", "-") or "unnamed",
        commit=get("PULUMI_CI_PULL_REQUEST_SHA"),
        ref=_ref(get("PULUMI_CI_BRANCH_NAME"), None),
        environment="/".join(part for part in stack if part) or None,
        event=get("PULUMI_CI_OPERATION"),
        run_id=get("PULUMI_CI_BUILD_ID"),
        run_url=_url(get("PULUMI_CI_BUILD_URL")),
        pull_request=get("PULUMI_PR_NUMBER"),
    )


PIPELINES: Mapping[str, Callable[[Get], Provenance]] = {
    "GITHUB_ACTIONS": _github,
    "GITLAB_CI": _gitlab,
    "TF_BUILD": _azure_pipelines,
    "BITBUCKET_BUILD_NUMBER": _bitbucket,
    "CIRCLECI": _circleci,
    "JENKINS_URL": _jenkins,
    "PULUMI_CI_SYSTEM": _pulumi,
    APPROVER: lambda _: Provenance("unnamed"),
}
"""By the variable that tells whose pipeline it is."""


def _ref(branch: str | None, tag: str | None) -> str | None:
    if branch:
        return branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    return f"refs/tags/{tag}" if tag else None


def _url(text: str | None) -> str | None:
    """A link that a person may follow, with no login in it."""
    return _without_login(text) if text and text.startswith(("https://", "http://")) else None


def _without_login(text: str | None) -> str | None:
    """A URL as it is, but for a password or token before its host; None where it is no URL."""
    if not text or "@" not in text or "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
