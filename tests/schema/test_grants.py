"""What is granted, object by object, on projects of today and on older ones, where all is open."""

from __future__ import annotations

from tests.project import Project

_DML = "delete insert select update"

# Every table and view there is. A new one fails the test until somebody has said here who may.
RELATIONS: dict[str, dict[str, str]] = {
    "private.signing_keys": {},
    "private.source_members": {},
    "public.calendar_feeds": {
        "authenticated": "delete select",
        "service_role": "delete select",
    },
    "public.contact_hours": {"authenticated": _DML, "service_role": _DML},
    "public.contact_preferences": {"authenticated": _DML, "service_role": _DML},
    "public.mentorship_sessions": {"authenticated": "select", "service_role": _DML},
    "public.message_answers": {"authenticated": "select", "service_role": _DML},
    "public.message_outbox": {"service_role": _DML},
    "public.notifications": {"authenticated": "select", "service_role": _DML},
    "public.job_alerts": {"authenticated": "select", "service_role": "delete select update"},
    "public.job_changes": {"authenticated": "select", "service_role": "delete select"},
    "public.job_runs": {"authenticated": "select", "service_role": _DML},
    "public.job_schedules": {"authenticated": "select", "service_role": _DML},
    "public.members": {"service_role": _DML},
    "public.mentors": {"authenticated": "select", "service_role": _DML},
    "public.program_settings": {"service_role": "insert select update"},
    "public.sync_rejects": {"authenticated": "select", "service_role": "delete select"},
    "public.undeliverable_addresses": {"service_role": _DML},
    "public.users": {"authenticated": "select", "service_role": _DML},
    "public.users_user": {"service_role": _DML},
    "public.v_members_without_mentor": {"service_role": "select"},
    "public.v_mentors_without_account": {"service_role": "select"},
    "public.v_sync_health": {"service_role": "select"},
}
# What is granted on single columns, beside that.
COLUMNS = {
    ("public.mentors", "authenticated", "update"): "availability bio capacity domain"
    " experience_years expertise teaching_style timezone",
    ("public.notifications", "authenticated", "update"): "read_at",
    ("public.users", "authenticated", "update"): "city contact_preference country full_name"
    " locale timezone",
}
# Every function there is, by those who may call it.
FUNCTIONS = {
    "": (
        "private.accounts_changed private.add_counts private.apply_members"
        " private.auth_user_changed private.auto_approve private.check_deferred"
        " private.complete_run private.count_calendar_change private.departures"
        " private.departures_allowed private.forget_changes private.forget_departed"
        " private.hash_of_rest private.held_back private.hmac_pad private.holders_of"
        " private.is_rows_fault private.is_signed_by private.keep_rejects private.limit_waits"
        " private.link_auth_users private.log_changes private.mail_alert private.members_changed"
        " private.members_page private.mentor_bio private.mentor_expertise"
        " private.mentor_members_with private.next_step private.note_undeliverable"
        " private.outcome_counts private.outcome_records private.page_url private.queue_invitation"
        " private.queue_reminders private.queue_session_mail private.referring_expression"
        " private.reject_quietly private.require_approval private.require_undoable"
        " private.run_needs_somebody private.run_was_seen_to private.schedule_edited"
        " private.sees_everything private.session_changed private.session_end"
        " private.session_event private.session_mail private.session_title private.set_signing_key"
        " private.settle_lost private.settle_run private.signature private.slug"
        " private.stop_departed private.sync_members private.sync_quietly private.sync_set_quietly"
        " private.text_setting private.too_late_to_begin private.touch_updated_at"
        " private.trigger_deadline private.try_members private.undo_chunk private.undo_table"
        " private.unsigned private.was_cancelled private.withdraw_session_mail"
    ),
    "anon authenticated service_role": (
        "private.answer_message private.calendar_feed private.directory_page"
        " private.mentor_directory private.normalise_email private.receive_resend_event"
        " private.trim_space private.unsubscribe public.answer_message public.calendar_feed"
        " public.get_mentors_with_member_data public.list_mentors public.resend_webhook"
        " public.unsubscribe"
    ),
    "authenticated": ("private.reset_calendar_feed public.reset_calendar_feed"),
    "authenticated service_role": (
        "private.create_notification private.current_user_id private.is_admin private.sync_one"
        " public.create_notification public.sync_mentor_from_member"
    ),
    "service_role": (
        "private.answer_tokens private.assert_run private.change_log_kept private.change_run"
        " private.channel_for private.due_messages private.is_mentor_type private.kind_enabled"
        " private.known_zone private.next_runs private.notify_in_app private.number_setting"
        " private.open_jobs private.quiet_until private.rescue_messages private.rescue_runs"
        " private.retry_delay private.route private.schema_version private.set_resend_secret"
        " private.signed private.sync_chunk private.take_runs private.uncertain_messages"
        " private.undo_changes private.unsubscribe_token public.accept_schedules"
        " public.approve_run public.cancel_run public.changes_of_run public.claim_messages"
        " public.claim_runs public.compose_digests public.enqueue_run public.enqueue_slots"
        " public.find_runs public.finish_messages public.finish_runs public.heartbeat_run"
        " public.prune_runs public.queue_message public.register_jobs public.retry_run"
        " public.scheduler_state public.set_resend_secret public.supersede_messages"
        " public.sync_mentor_profiles public.undo_changes"
    ),
}

_OURS = "in ('public'::regnamespace, 'private'::regnamespace)"
_ROLES = "cross join (values ('anon'), ('authenticated'), ('service_role')) as r (role)"
_PRIVILEGES = """cross join lateral unnest(
  array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']
  || case when current_setting('server_version_num')::int >= 170000 then 'maintain'::text end
) as p (name)"""
_RELATIONS = f"""
select format('%s.%s', c.relnamespace::regnamespace, c.relname), r.role, (
  select string_agg(p.name, ' ' order by p.name) from (select) as one {_PRIVILEGES}
  where p.name is not null and has_table_privilege(r.role, c.oid, p.name)
)
from pg_class as c {_ROLES}
where c.relnamespace {_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f')"""
_COLUMNS = f"""
select format('%s.%s', c.relnamespace::regnamespace, c.relname), r.role, p.name,
  string_agg(a.attname, ' ' order by a.attname)
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped {_ROLES}
cross join unnest(array['select', 'insert', 'update', 'references']) as p (name)
where c.relnamespace {_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and has_column_privilege(r.role, c.oid, a.attnum, p.name)
  and not has_table_privilege(r.role, c.oid, p.name)
group by 1, 2, 3"""
_FUNCTIONS = f"""
select f.callers, string_agg(f.name, ' ' order by f.name) from (
  select format('%s.%s', p.pronamespace::regnamespace, p.proname) as name, coalesce(
    string_agg(r.role, ' ' order by r.role) filter (
      where has_function_privilege(r.role, p.oid, 'execute')
    ), ''
  ) as callers
  from pg_proc as p {_ROLES} where p.pronamespace {_OURS} group by p.oid
) as f group by 1"""
_OTHERS = f"""
select format('sequence %s, %s', c.relname, r.role) from pg_class as c {_ROLES}
where c.relnamespace {_OURS} and c.relkind = 'S'
  and has_sequence_privilege(r.role, c.oid, 'select, usage, update')
union all
select format('create in %s, %s', n.oid::regnamespace, r.role) from pg_namespace as n {_ROLES}
where n.oid {_OURS} and has_schema_privilege(r.role, n.oid, 'create')
union all
select p.oid::regprocedure || ', everybody' from pg_proc as p
cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
where p.pronamespace {_OURS} and a.grantee = 0
  and p.proname not in ('normalise_email', 'trim_space')  -- of indexes, whoever writes"""


def test_tables_and_views_are_granted_as_listed(any_project: Project) -> None:
    found: dict[str, dict[str, str]] = {}
    for name, role, privileges in any_project.rows(_RELATIONS):
        found.setdefault(name, {}).update({role: privileges} if privileges else {})
    assert found == RELATIONS


def test_columns_are_granted_as_listed(any_project: Project) -> None:
    found = {tuple(row[:3]): row[3] for row in any_project.rows(_COLUMNS)}
    assert found == COLUMNS


def test_functions_are_granted_as_listed(any_project: Project) -> None:
    assert dict(any_project.rows(_FUNCTIONS)) == FUNCTIONS


def test_nothing_else_is_granted(any_project: Project) -> None:
    assert any_project.rows(_OTHERS) == []


def test_what_is_not_listed_is_found(project: Project) -> None:
    project.run(
        "create table forgotten (id int generated by default as identity)",
        "grant usage on sequence forgotten_id_seq to anon",
        "create function private.forgotten() returns int language sql as 'select 1'",
        "grant references (email) on users to anon",
    )
    assert ("public.forgotten", "anon", None) in project.rows(_RELATIONS)
    assert ("public.users", "anon", "references", "email") in project.rows(_COLUMNS)
    assert dict(project.rows(_FUNCTIONS)) != FUNCTIONS
    assert project.rows(_OTHERS) == [
        ("sequence forgotten_id_seq, anon",),
        ("private.forgotten(), everybody",),
    ]
