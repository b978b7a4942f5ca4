"""The directory, in the shape of the source document (S0.13, S0.15, S0.16)."""

from __future__ import annotations

import json

import pytest

from mentor_sync.errors import MentorSyncError
from tests.people import as_anon, as_service
from tests.project import Api, Project

MEMBER_FIELDS = {
    "name", "country", "city", "linkedin", "experience", "areaOfExpertise", "school",
    "occupation", "jobtitle", "industry", "skills",
}  # fmt: skip


def names(page: dict[str, list[dict[str, dict[str, str]]]]) -> set[str]:
    return {result["user"]["full_name"] for result in page["results"]}


def test_a_page_has_the_documents_shape(project: Project) -> None:
    project.account("ann@example.org", "Ann")
    project.member("ann@example.org", linkedin="https://linkedin.example/ann", school="MIT")
    page = project.one("select list_mentors()")
    (result,) = page.pop("results")
    assert page == {"count": 1, "page": 1, "page_size": 12}
    assert result["user"]["email"] == "ann@example.org"
    assert set(result["user"]) == {"id", "email", "first_name", "last_name", "full_name"}
    assert set(result["member"]) == MEMBER_FIELDS
    assert result["member"]["linkedin"] == "https://linkedin.example/ann"


def test_pages_follow_each_other_and_lose_nobody(project: Project) -> None:
    for i in range(30):
        project.mentor(f"p{i}@example.org")
    pages = [project.one("select list_mentors(null, %s, 12)", n) for n in (1, 2, 3, 4)]
    assert [len(page["results"]) for page in pages] == [12, 12, 6, 0]
    assert {page["count"] for page in pages} == {30}
    assert len(set().union(*(names(page) for page in pages))) == 30


def test_expertise_finds_part_of_a_word_in_any_case(project: Project) -> None:
    project.mentor("ann@example.org", areaOfExpertise="Software Engineering")
    project.mentor("bob@example.org", areaOfExpertise="Law", skills="100%_sure")
    with as_anon(project) as anybody:
        assert names(anybody.one("select list_mentors('ENGINEER')")) == {"Ann"}
        assert names(anybody.one("select list_mentors('%_')")) == {"Bob"}
        assert names(anybody.one("select list_mentors('  ')")) == {"Ann", "Bob"}
        assert anybody.one("select list_mentors('nobody')")["count"] == 0


def test_the_member_is_null_where_the_addresses_differ(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run("update users_user set email = 'other@example.org'")
    (result,) = project.one("select list_mentors()")["results"]
    assert result["member"] is None
    assert result["user"]["full_name"] == "Ann"


@pytest.mark.parametrize(("page", "size"), [(0, 12), (1, 0), (1, 101), (-1, 12)])
def test_a_page_that_cannot_be_is_refused(api: Api, page: int, size: int) -> None:
    with api.database() as database, pytest.raises(MentorSyncError) as caught:
        database.rpc("list_mentors", {"page": page, "page_size": size}, expect=dict)
    assert caught.value.code == "MS012"
    assert "page=1" in caught.value.hint


def test_a_get_request_with_the_documents_words(project: Project, api: Api) -> None:
    project.mentor("ann@example.org", industry="Engineering")
    path = "rpc/list_mentors?expertise=Engineering&page=1&page_size=10"
    found = api.request("GET", path, key=api.keys.publishable_key).json()
    assert (found["count"], found["page"], found["page_size"]) == (1, 1, 10)


def test_rows_take_the_filters_of_the_api(project: Project, api: Api) -> None:
    project.mentor("ann@example.org", industry="Law")
    project.mentor("bob@example.org", industry="Health")
    path = 'rpc/get_mentors_with_member_data?expertise=cs.["Law"]&select=user,member,expertise'
    rows = api.request("GET", path, key=api.keys.publishable_key).json()
    assert len(rows) == 1, rows
    row = rows[0]
    assert (row["user"]["full_name"], row["member"]["industry"]) == ("Ann", "Law")
    assert row["user"]["email"] is None


def test_an_expertise_that_is_no_list_hides_nobody(project: Project) -> None:
    project.mentor("ann@example.org")
    project.run(
        "alter table mentors drop constraint mentors_expertise_is_list",
        """update mentors set expertise = '{"odd": true}'""",
    )
    assert project.one("select list_mentors()")["count"] == 1
    assert project.one("select list_mentors('odd')")["count"] == 0


def test_only_approved_and_active_mentors_are_listed(project: Project) -> None:
    for name in ("ann", "bob", "cem"):
        project.mentor(f"{name}@example.org")
    project.run(
        "update mentors set is_approved = false where slug like 'bob%'",
        "update mentors set is_active = false where slug like 'cem%'",
    )
    with as_anon(project) as anybody:
        assert names(anybody.one("select list_mentors()")) == {"Ann"}
    with as_service(project) as daemon:
        assert names(daemon.one("select list_mentors()")) == {"Ann", "Bob", "Cem"}


def test_a_text_without_end_does_not_fill_a_page(project: Project) -> None:
    person = project.mentor("ann@example.org", experience="x" * 10_000_000, skills="s" * 1_000)
    page = project.one("select list_mentors()")
    assert len(page["results"][0]["bio"]) == 2000
    assert len(json.dumps(page)) < 10_000
    whole = project.one("select length(bio) from mentors where person_id = %s", person)
    assert whole == 10_000_012


@pytest.mark.parametrize(
    ("expertise", "code"), [({"x": 1}, "23514"), ("Law", "23514"), (["Law"], None), (None, None)]
)
def test_expertise_is_a_list(
    project: Project, api: Api, expertise: object, code: str | None
) -> None:
    person = project.mentor("ann@example.org")
    token = api.keys.mint("authenticated", sub=str(project.sign_up(person)))
    answer = api.request(
        "PATCH", "mentors?id=not.is.null", token=token, json={"expertise": expertise}
    )
    assert (answer.json()["code"] if answer.content else None) == code
