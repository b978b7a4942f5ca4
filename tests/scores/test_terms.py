"""Words become terms: what is the same, what is found within sentences, who may add aliases."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.community import mentor, student, terms
from tests.people import as_admin, as_anon, as_mentor, as_service, as_student
from tests.project import Project

quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    min_size=1,
    max_size=30,
)


def _normalised(project: Project, given_texts: list[str]) -> list[str]:
    query = """
        select private.normalise_term(t) from unnest(%s::text[]) with ordinality as t (t, n)
        order by n"""
    return [row[0] for row in project.rows(query, given_texts)]


@quick
@given(given_texts=texts)
def test_normalising_twice_changes_nothing(project: Project, given_texts: list[str]) -> None:
    once = _normalised(project, given_texts)
    assert _normalised(project, once) == once
    assert [len(term) <= 100 and term == term.strip() for term in once] == [True] * len(once)


@quick
@given(words=st.lists(st.text("abcdefgiklmnopqrtuvwxz", min_size=4, max_size=9), max_size=5))
def test_case_spaces_and_punctuation_do_not_matter(project: Project, words: list[str]) -> None:
    plain, *messy = _normalised(
        project,
        [" ".join(words), "  ".join(words).upper(), "-".join(words).title(), ", ".join(words)],
    )
    assert messy == [plain] * 3


@pytest.mark.parametrize(
    ("written", "term"),
    [
        ("JS", "javascript"),
        ("Java Script", "javascript"),
        ("Élèves ingénieurs", "eleve ingenieur"),
        ("Data Analysts", "data analysis"),
        ("Businesses", "business"),
        ("C++", "c++"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Öffentliche Verwaltung", "offentliche verwaltung"),
        ("日本", "japan"),
    ],
)
def test_spellings_become_one_term(project: Project, written: str, term: str) -> None:
    assert project.rows("select private.terms_of(array[%s])", written) == [(term,)]


def test_known_phrases_are_found_within_sentences(project: Project) -> None:
    query = "select private.terms_of(array[%s]) order by 1"
    wish = "I would like to become a data scientist, and to learn Python; it helps us to go far"
    assert project.rows(query, wish) == [("data science",), ("python",)]
    assert project.rows(query, "a long sentence in which nothing at all is known") == []
    assert project.rows(query, "Underwater basket weaving") == [("underwater basket weaving",)]
    assert project.rows(query, "UX/UI, C#/SQL\n•  ; ") == [("c#",), ("sql",), ("ux design",)]


def test_people_follow_an_alias_that_is_added(project: Project) -> None:
    ann = student(project, "ann@example.org", skills=("Machine Lerning",))
    bob = mentor(project, "bob@example.org", skills=("ML",))
    before = terms(project, bob)
    assert terms(project, ann)["technical"] == {"machine lerning"}
    with as_admin(project) as admin:
        suggested = admin.rows("select alias, term, people from suggest_aliases()")
        assert ("machine lerning", "machine learning", 1) in suggested
        admin.rows("select confirm_alias('Machine-Lerning', 'ML')")
        admin.connection.commit()
    assert terms(project, ann)["technical"] == {"machine learning"}
    assert terms(project, bob) == before
    project.run("delete from term_aliases where alias = 'machine lerning'")
    assert terms(project, ann)["technical"] == {"machine lerning"}


def test_twenty_thousand_words_take_less_than_the_api_allows(
    project: Project,
) -> None:
    ann = student(project, "ann@example.org", skills=("Machine Lerning",))
    mentor(project, "bob@example.org", skills=("Machine Lerning",))
    project.run(
        "insert into match_terms (term, label) select left(md5(n::text), 12) || ' ' || n, n::text"
        " from generate_series(1, 20000) as n",
        "insert into private.profile_terms (user_id, factor, term_id)"
        f" select '{ann}', 4, id from match_terms on conflict do nothing",
    )
    with as_service(project) as daemon:
        daemon.changed("set local statement_timeout = '8s'")
        found = daemon.rows("select alias, term from suggest_aliases(20000)")
    assert ("machine lerning", "machine learning") in found


def test_an_alias_that_says_nothing_is_refused(project: Project) -> None:
    with as_service(project) as daemon, pytest.raises(psycopg.Error, match="means nothing new"):
        daemon.rows("select confirm_alias('Pythons', 'python')")


def test_only_admins_and_the_daemon_add_aliases(project: Project) -> None:
    before = project.contents("term_aliases", "match_terms")
    for who in (as_anon, as_student, as_mentor):
        with who(project) as person:
            assert person.refused("select confirm_alias('x', 'y')")
            assert person.refused("select suggest_aliases()")
            assert person.refused("insert into term_aliases values ('x', 'y')")
            assert person.refused("update match_terms set is_known = true")
            assert person.refused("select from private.profile_terms")
    assert project.contents("term_aliases", "match_terms") == before


def test_people_follow_an_alias_that_is_changed(project: Project) -> None:
    ann = student(project, skills=("js",))
    assert terms(project, ann)["technical"] == {"javascript"}
    project.rows("select confirm_alias('js', 'JScript')")
    assert terms(project, ann)["technical"] == {"jscript"}
    project.run("update term_aliases set alias = 'j s' where alias = 'js'")
    assert terms(project, ann)["technical"] == {"js"}
