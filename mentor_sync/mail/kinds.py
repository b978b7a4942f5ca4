"""The kinds of mail: what each tells whom, what it needs, and a sample of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple


class Variable(NamedTuple):
    """A value that the templates of a kind may use; None where an optional one is not given."""

    name: str
    about: str
    is_optional: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of mail."""

    name: str
    about: str
    variables: tuple[Variable, ...]
    sample: Mapping[str, Any]


_COMMON = (
    Variable("programme", "name of the programme"),
    Variable("recipient_name", "who gets it"),
    Variable("timezone", "the recipient's, as IANA names it"),
    Variable("unsubscribe_url", "ends mails of this kind with one click", is_optional=True),
)
_BY_NAME: dict[str, Kind] = {}
KINDS: Mapping[str, Kind] = MappingProxyType(_BY_NAME)


def _kind(name: str, about: str, variables: Mapping[str, str], **sample: Any) -> None:
    """Add a kind; a question mark after the name of a variable marks it optional."""
    own = tuple(Variable(n.rstrip("?"), word, n.endswith("?")) for n, word in variables.items())
    common = {
        "programme": "Harbour Mentoring",
        "recipient_name": "Amara Okafor",
        "timezone": "Europe/Berlin",
        "unsubscribe_url": f"https://mentoring.example/unsubscribe/{name}?token=5f0c",
    }
    _BY_NAME[name] = Kind(name, about, own + _COMMON, MappingProxyType(common | sample))


def _rating_urls(match: str) -> list[str]:
    page = "https://mentoring.example/feedback"
    return [f"{page}?match={match}&rating={rating}" for rating in range(1, 6)]


_kind(
    "mentor_recommendation",
    "to a mentor: a student who would suit them, to accept before others do",
    {
        "student_name": "who looks for a mentor",
        "score": "how well they suit, 0 to 100",
        "reasons": "why, a list of short texts",
        "message?": "what the student wrote",
        "expires_at": "until when the offer stands",
        "offer_url?": "where to accept or decline",
    },
    student_name="Lena Vogt",
    score=87,
    reasons=[
        "You both name product analytics as a goal",
        "You know Python and SQL, which Lena is learning",
        "You live in the same time zone",
    ],
    message="I finish my degree in spring.\nI would like to learn how analysts work in a team.",
    expires_at="2026-11-30T17:00:00+00:00",
    offer_url="https://mentoring.example/offers/31",
)
_kind(
    "match_confirmed",
    "to both sides: they are mentor and student now",
    {
        "other_name": "the other side",
        "other_role": "mentor or student: what the other side is",
        "other_email?": "how to reach the other side",
        "match_url?": "the page of the two",
    },
    other_name="Lena Vogt",
    other_role="student",
    other_email="lena.vogt@students.example",
    match_url="https://mentoring.example/matches/31",
)
_kind(
    "feedback_survey",
    "to either side: how is it going, answered with one click",
    {
        "other_name": "the other side",
        "rating_urls": "five addresses, for the ratings 1 to 5 in this order",
        "comment_url?": "where to say more",
    },
    other_name="Lena Vogt",
    rating_urls=_rating_urls("31"),
    comment_url="https://mentoring.example/feedback?match=31",
)
_kind(
    "health_check_in",
    "to either side of a match that has gone quiet",
    {
        "other_name": "the other side",
        "last_contact_at?": "when they last met or wrote",
        "well_url": "click: all is well",
        "help_url": "click: we need help",
    },
    other_name="Lena Vogt",
    last_contact_at="2026-10-22T08:00:00+00:00",
    well_url="https://mentoring.example/check-in/31?answer=well",
    help_url="https://mentoring.example/check-in/31?answer=help",
)
_kind(
    "quick_question",
    "to mentors who could answer an open question",
    {
        "student_name": "who asks",
        "title": "the question in a line",
        "question": "the question",
        "topics": "what it is about, a list of words",
        "claim_url?": "where to take it",
    },
    student_name="Tomás Ibarra",
    title="Portfolio or certificate first?",
    question="I have two months before I apply.\nShould I finish a portfolio, or a certificate?",
    topics=["Applications", "Data analysis"],
    claim_url="https://mentoring.example/questions/208",
)
_kind(
    "session_reminder",
    "to both sides: a session is near",
    {
        "title": "what the session is about",
        "other_name": "the other side",
        "starts_at": "when it begins",
        "minutes": "how long it takes",
        "meeting_url?": "the video call",
        "session_url?": "where to move or cancel it",
    },
    title="Mock interview",
    other_name="Lena Vogt",
    starts_at="2026-11-26T14:30:00+00:00",
    minutes=60,
    meeting_url="https://meet.example/harbour-31",
    session_url="https://mentoring.example/sessions/77",
)
_kind(
    "session_invite",
    "to both sides: a session is arranged, moved or cancelled, with the entry for the calendar",
    {
        "is_moved": "whether it was arranged before, otherwise than now",
        "is_cancelled": "whether it will not be held",
        "title": "what the session is about",
        "other_name": "the other side",
        "starts_at": "when it begins",
        "minutes": "how long it takes",
        "meeting_url?": "the video call",
        "session_url?": "where to move or cancel it",
    },
    is_moved=True,
    is_cancelled=False,
    title="Mock interview",
    other_name="Lena Vogt",
    starts_at="2026-11-26T14:30:00+00:00",
    minutes=60,
    meeting_url="https://meet.example/harbour-31",
    session_url="https://mentoring.example/sessions/77",
)
_kind(
    "new_student",
    "to a mentor: somebody was assigned to them",
    {
        "student_name": "the student",
        "goals?": "what the student wants to reach",
        "student_url?": "the page of the student",
    },
    student_name="Noor Haddad",
    goals="Move from support into software testing within a year.",
    student_url="https://mentoring.example/students/noor-haddad",
)
_kind(
    "submission_received",
    "to a mentor: a student handed something in",
    {
        "student_name": "the student",
        "title": "what was handed in",
        "submitted_at": "when",
        "due_at?": "by when feedback is promised",
        "submission_url?": "where to read it",
    },
    student_name="Noor Haddad",
    title="Test plan for the ticket shop",
    submitted_at="2026-11-20T16:12:00+00:00",
    due_at="2026-11-22T16:12:00+00:00",
    submission_url="https://mentoring.example/submissions/415",
)
_kind(
    "overdue_feedback",
    "to a mentor: students wait for feedback longer than promised",
    {
        "hours": "within how many hours feedback is promised",
        "submissions": "a list, each with student_name, title, submitted_at and url",
    },
    hours=48,
    submissions=[
        {
            "student_name": "Noor Haddad",
            "title": "Test plan for the ticket shop",
            "submitted_at": "2026-11-17T16:12:00+00:00",
            "url": "https://mentoring.example/submissions/415",
        },
        {
            "student_name": "Lena Vogt",
            "title": "Dashboard of delayed ferries",
            "submitted_at": "2026-11-18T09:40:00+00:00",
            "url": "https://mentoring.example/submissions/422",
        },
    ],
)
_kind(
    "feedback_received",
    "to a student: the mentor answered",
    {
        "mentor_name": "who answered",
        "title": "what was handed in",
        "feedback": "the answer, or its beginning",
        "feedback_url?": "where to read all of it",
    },
    recipient_name="Noor Haddad",
    mentor_name="Amara Okafor",
    title="Test plan for the ticket shop",
    feedback="Clear and well ordered.\nAdd a case for two people who buy the last ticket at once.",
    feedback_url="https://mentoring.example/submissions/415#feedback",
)
_kind(
    "milestone",
    "to a student, and to the mentor: a milestone is reached",
    {
        "student_name": "who reached it",
        "is_yours": "whether the recipient is that student",
        "title": "the milestone",
        "reached_at": "when",
        "milestone_url?": "where to see it",
    },
    student_name="Noor Haddad",
    is_yours=False,
    title="Finished module 3, Automated tests",
    reached_at="2026-11-19T11:05:00+00:00",
    milestone_url="https://mentoring.example/students/noor-haddad/progress",
)
_kind(
    "mentor_changed",
    "to a student: another mentor, for a while or for good, or none yet",
    {
        "old_mentor_name": "who it was",
        "new_mentor_name?": "who it is now; without it, one is being looked for",
        "until_at?": "for a substitute: until when",
        "reason?": "why, as far as the student may know",
        "match_url?": "where to see it",
    },
    recipient_name="Lena Vogt",
    old_mentor_name="Amara Okafor",
    new_mentor_name="Jonas Lindqvist",
    until_at="2027-02-26T17:00:00+00:00",
    reason="Amara is on parental leave.",
    match_url="https://mentoring.example/matches/31",
)
_kind(
    "survey_digest",
    "to a person with several matches: their feedback surveys in one mail",
    {"surveys": "a list, each with other_name and rating_urls (see feedback_survey)"},
    surveys=[
        {"other_name": "Lena Vogt", "rating_urls": _rating_urls("31")},
        {"other_name": "Noor Haddad", "rating_urls": _rating_urls("44")},
        {"other_name": "Tomás Ibarra", "rating_urls": _rating_urls("52")},
    ],
)
_kind(
    "digest",
    "to anybody: what would have been several mails",
    {"messages": "a list, each with title, and where there is one body and url"},
    messages=[
        {
            "title": "Noor Haddad handed in “Test plan for the ticket shop”",
            "body": "You promised feedback by Sunday.",
            "url": "https://mentoring.example/submissions/415",
        },
        {
            "title": "Open question: Portfolio or certificate first?",
            "url": "https://mentoring.example/questions/208",
        },
        {
            "title": "Lena Vogt reached a milestone",
            "body": "Finished module 2, Reading data.",
            "url": "https://mentoring.example/students/lena-vogt/progress",
        },
    ],
)
_kind(
    "operator_alert",
    "to those who run the programme: something needs them",
    {
        "title": "what is wrong, in a line",
        "message": "what is known about it",
        "occurred_at": "when",
        "hint?": "what to do, often a command",
        "alert_url?": "where to see more",
    },
    recipient_name="Programme office",
    unsubscribe_url=None,
    title="The nightly sync waits for approval",
    message="sync_mentor_profiles would deactivate 412 of 1,180 mentors.\nNothing was changed.",
    occurred_at="2026-11-21T02:00:09+00:00",
    hint="mentor-sync run show 3f9a12c4\nmentor-sync run approve 3f9a12c4",
    alert_url="https://supabase.com/dashboard/project/abcdefgh/editor",
)
