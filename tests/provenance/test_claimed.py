"""What pipelines' environments claim, and that nothing in them does harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpor_provider.errors import Invalid
from dpor_provider.provenance import PIPELINES, Provenance, claimed
from dpor_provider.provenance.claims import Claims
from dpor_provider.provenance.provenance import LONGEST

SHA = "c040cae0f0dc81641728557b80f09cfa23b83fe5"

CLAIMS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "github": (
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "estate/partners",
            "GITHUB_REPOSITORY_ID": "74",
            "GITHUB_REPOSITORY_OWNER_ID": "65",
            "GITHUB_SHA": SHA,
            "GITHUB_REF": "refs/pull/12/merge",
            "GITHUB_REF_PROTECTED": "false",
            "GITHUB_WORKFLOW_REF": "estate/partners/.github/workflows/up.yml@refs/heads/main",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_RUN_ID": "77",
            "GITHUB_ACTOR": "alice",
        },
        {
            "repository": "estate/partners",
            "repository_id": "74",
            "owner_id": "65",
            "commit": SHA,
            "ref": "refs/pull/12/merge",
            "ref_protected": "false",
            "workflow": "estate/partners/.github/workflows/up.yml@refs/heads/main",
            "event": "pull_request",
            "run_id": "77",
            "run_url": "https://github.com/estate/partners/actions/runs/77",
            "pull_request": "12",
            "actor": "alice",
        },
    ),
    "gitlab": (
        {
            "GITLAB_CI": "true",
            "CI_PROJECT_PATH": "estate/partners",
            "CI_PROJECT_ID": "46573356",
            "CI_PROJECT_NAMESPACE_ID": "68413579",
            "CI_COMMIT_SHA": SHA,
            "CI_COMMIT_BRANCH": "main",
            "CI_COMMIT_REF_NAME": "main",
            "CI_COMMIT_REF_PROTECTED": "true",
            "CI_CONFIG_PATH": ".gitlab-ci.yml",
            "CI_ENVIRONMENT_NAME": "production",
            "CI_PIPELINE_SOURCE": "push",
            "CI_JOB_ID": "822",
            "CI_JOB_URL": "https://gitlab.com/estate/partners/-/jobs/822",
            "GITLAB_USER_LOGIN": "alice",
        },
        {
            "repository": "estate/partners",
            "repository_id": "46573356",
            "owner_id": "68413579",
            "commit": SHA,
            "ref": "refs/heads/main",
            "ref_protected": "true",
            "workflow": ".gitlab-ci.yml",
            "environment": "production",
            "event": "push",
            "run_id": "822",
            "run_url": "https://gitlab.com/estate/partners/-/jobs/822",
            "actor": "alice",
        },
    ),
    "azure-pipelines": (
        {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": "https://dev.azure.com/estate/",
            "SYSTEM_TEAMPROJECT": "Partner records",
            "BUILD_BUILDID": "55",
            "BUILD_REPOSITORY_NAME": "partners",
            "BUILD_REPOSITORY_ID": "9f2b",
            "BUILD_SOURCEVERSION": SHA,
            "BUILD_SOURCEBRANCH": "refs/heads/main",
            "BUILD_DEFINITIONNAME": "up",
            "BUILD_REASON": "IndividualCI",
            "BUILD_REQUESTEDFOR": "Alice",
            "ENVIRONMENT_NAME": "production",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "17",
        },
        {
            "repository": "partners",
            "repository_id": "9f2b",
            "commit": SHA,
            "ref": "refs/heads/main",
            "workflow": "up",
            "environment": "production",
            "event": "IndividualCI",
            "run_id": "55",
            "run_url": "https://dev.azure.com/estate/Partner%20records/_build/results?buildId=55",
            "pull_request": "17",
            "actor": "Alice",
        },
    ),
    "bitbucket": (
        {
            "BITBUCKET_BUILD_NUMBER": "8",
            "BITBUCKET_REPO_FULL_NAME": "estate/partners",
            "BITBUCKET_REPO_UUID": "{a1}",
            "BITBUCKET_REPO_OWNER_UUID": "{b2}",
            "BITBUCKET_COMMIT": SHA,
            "BITBUCKET_TAG": "v1",
            "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/estate/partners",
            "BITBUCKET_PR_ID": "3",
            "BITBUCKET_DEPLOYMENT_ENVIRONMENT": "production",
            "BITBUCKET_STEP_TRIGGERER_UUID": "{c3}",
        },
        {
            "repository": "estate/partners",
            "repository_id": "{a1}",
            "owner_id": "{b2}",
            "commit": SHA,
            "ref": "refs/tags/v1",
            "environment": "production",
            "run_id": "8",
            "run_url": "https://bitbucket.org/estate/partners/pipelines/results/8",
            "pull_request": "3",
            "actor": "{c3}",
        },
    ),
    "circleci": (
        {
            "CIRCLECI": "true",
            "CIRCLE_PROJECT_USERNAME": "estate",
            "CIRCLE_PROJECT_REPONAME": "partners",
            "CIRCLE_PROJECT_ID": "p-1",
            "CIRCLE_ORGANIZATION_ID": "o-1",
            "CIRCLE_SHA1": SHA,
            "CIRCLE_BRANCH": "main",
            "CIRCLE_JOB": "up",
            "CIRCLE_BUILD_NUM": "9",
            "CIRCLE_BUILD_URL": "https://circleci.com/gh/estate/partners/9",
            "CIRCLE_PULL_REQUEST": "https://github.com/estate/partners/pull/12",
            "CIRCLE_USERNAME": "alice",
        },
        {
            "repository": "estate/partners",
            "repository_id": "p-1",
            "owner_id": "o-1",
            "commit": SHA,
            "ref": "refs/heads/main",
            "workflow": "up",
            "run_id": "9",
            "run_url": "https://circleci.com/gh/estate/partners/9",
            "pull_request": "12",
            "actor": "alice",
        },
    ),
    "jenkins": (
        {
            "JENKINS_URL": "https://jenkins.example.com/",
            "GIT_URL": "https://robot:s3cret@git.example.com/estate/partners.git",
            "GIT_COMMIT": SHA,
            "GIT_BRANCH": "origin/main",
            "JOB_NAME": "partners/main",
            "BUILD_ID": "4",
            "BUILD_URL": "https://jenkins.example.com/job/partners/4/",
            "CHANGE_ID": "12",
        },
        {
            "repository": "https://git.example.com/estate/partners.git",
            "commit": SHA,
            "ref": "origin/main",
            "workflow": "partners/main",
            "run_id": "4",
            "run_url": "https://jenkins.example.com/job/partners/4/",
            "pull_request": "12",
        },
    ),
    "pulumi-deployments": (
        {
            "PULUMI_CI_SYSTEM": "Pulumi Deployments",
            "PULUMI_CI_BUILD_ID": "d-1",
            "PULUMI_CI_BUILD_URL": "https://app.pulumi.com/estate/partners/prod/deployments/7",
            "PULUMI_CI_ORGANIZATION": "estate",
            "PULUMI_CI_PROJECT": "partners",
            "PULUMI_CI_STACK": "prod",
            "PULUMI_CI_OPERATION": "update",
            "PULUMI_CI_BRANCH_NAME": "main",
            "PULUMI_CI_PULL_REQUEST_SHA": SHA,
            "PULUMI_PR_NUMBER": "12",
        },
        {
            "commit": SHA,
            "ref": "refs/heads/main",
            "environment": "estate/partners/prod",
            "event": "update",
            "run_id": "d-1",
            "run_url": "https://app.pulumi.com/estate/partners/prod/deployments/7",
            "pull_request": "12",
        },
    ),
    "unnamed": ({"DPOR_APPROVED_BY": "carol"}, {"claimed_approver": "carol"}),
}


@pytest.mark.parametrize("pipeline", CLAIMS)
def test_each_pipeline_claims_what_its_documentation_names(pipeline: str) -> None:
    environ, said = CLAIMS[pipeline]
    found = claimed({**environ, "PATH": "/usr/bin"})
    assert found is not None
    assert json.loads(found.to_json()) == {"provider": pipeline, "verified": False, **said}


def test_every_pipeline_is_tried() -> None:
    assert len(CLAIMS) == len(PIPELINES)


@pytest.mark.parametrize("environ", [{}, {"CI": "true", "PATH": "/bin"}, {"GITHUB_ACTIONS": ""}])
def test_outside_of_a_pipeline_nothing_is_claimed(environ: dict[str, str]) -> None:
    assert claimed(environ) is None


@pytest.mark.parametrize("pipeline", [name for name in CLAIMS if name != "unnamed"])
def test_who_approved_is_what_a_step_of_the_pipeline_says(pipeline: str) -> None:
    environ, _ = CLAIMS[pipeline]
    for said, kept in (("carol", "carol"), ("carol\x1b[31m", "carol\\u001b[31m"), ("", None)):
        found = claimed({**environ, "DPOR_APPROVED_BY": said})
        assert found is not None
        assert (found.claimed_approver, found.verified) == (kept, False)


def test_a_merge_request_at_gitlab_is_told_by_its_ref() -> None:
    found = claimed(
        {
            "GITLAB_CI": "true",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/7/head",
            "CI_COMMIT_REF_NAME": "topic",
        }
    )
    assert found is not None
    assert (found.ref, found.pull_request) == ("refs/merge-requests/7/head", "7")


@pytest.mark.parametrize(
    ("claim", "kept"),
    [
        ("https://robot:s3cret@git.example.com/a.git", "https://git.example.com/a.git"),
        ("https://s3cret@git.example.com/a.git", "https://git.example.com/a.git"),
        ("https://a@b:s3cret@git.example.com/a.git", "https://git.example.com/a.git"),
        ("ssh://git:s3cret@git.example.com/a.git", "ssh://git.example.com/a.git"),
        ("git@git.example.com:estate/a.git", "git@git.example.com:estate/a.git"),
        ("https://robot:s3cret@[bad/a.git", None),
    ],
)
def test_no_login_in_a_url_is_kept(claim: str, kept: str | None) -> None:
    found = claimed({"JENKINS_URL": "https://x", "GIT_URL": claim, "BUILD_URL": claim})
    assert found is not None
    assert found.repository == kept
    assert "s3cret" not in found.to_json()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "jenkins/4", "\x1b]8"]
)
def test_only_a_link_to_the_web_is_a_link(url: str) -> None:
    found = claimed({"JENKINS_URL": "https://x", "BUILD_URL": url})
    assert found is not None
    assert found.run_url is None


HOSTILE = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["\x1b[2J", "##vso[task.setvariable]x", "a\nb", "\udc80", "\0", "\u202e", "x" * 5000, "=1+1"]
)


@given(
    st.sampled_from(sorted(PIPELINES)),
    st.dictionaries(
        st.sampled_from(sorted({name for environ, _ in CLAIMS.values() for name in environ})),
        HOSTILE,
    ),
)
def test_a_hostile_environment_is_made_inert(mark: str, environ: dict[str, str]) -> None:
    found = claimed({**environ, mark: "true"})
    assert found is not None
    text = found.to_json()
    assert text.isprintable()
    assert "##vso" not in text
    assert text.encode("utf-8")
    assert all(len(str(value)) <= LONGEST for value in json.loads(text).values())
    assert json.loads(text)["verified"] is False
    assert Provenance.from_json(text) == found
    assert Provenance.from_json(text).to_json() == text


def test_the_record_is_canonical() -> None:
    found = Provenance("gitlab", run_id="1", commit="é", actor="b")
    assert found.to_json() == (
        '{"actor":"b","commit":"é","provider":"gitlab","run_id":"1","verified":false}'
    )


def test_a_record_of_a_newer_version_can_be_read() -> None:
    text = '{"provider":"github","verified":true,"attested":"yes"}'
    assert Provenance.from_json(text) == Provenance("github", verified=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"provider"',
        "{}",
        '{"provider":null}',
        '{"provider":"github","verified":"false"}',
        '{"provider":"github","verified":1}',
        '{"provider":"github","commit":7}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_damaged_record_is_told_in_one_line(text: str) -> None:
    with pytest.raises(Invalid, match="dpor registry verify"):
        Provenance.from_json(text)


@pytest.mark.parametrize(
    ("issuer", "run_url"),
    [
        ("https://token.actions.githubusercontent.com", "https://github.com/a/b/actions/runs/7"),
        ("https://token.actions.githubusercontent.com/a", "https://github.com/a/b/actions/runs/7"),
        ("https://ghe.example.com/_services/token", "https://ghe.example.com/a/b/actions/runs/7"),
        ("https://token.actions.githubusercontent.com.evil.example", None),
        ("https://token.actions.a.ghe.com", None),
    ],
)
def test_the_run_of_a_verified_token_is_found_where_its_issuer_is(
    issuer: str, run_url: str | None
) -> None:
    claims = {
        "repository": "a/b",
        "repository_id": "1",
        "repository_owner_id": "2",
        "run_id": "7",
        "sha": SHA,
        "ref": "refs/pull/3/merge",
        "job_workflow_ref": "a/b/.github/workflows/up.yml@refs/heads/main",
        "event_name": "pull_request",
        "actor": "alice",
    }
    found = Claims(claims).provenance(issuer)
    assert (found.run_url, found.pull_request) == (run_url, "3")
