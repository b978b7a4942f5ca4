"""What is granted, object by object, on projects of today and on older ones, where all is open."""

from __future__ import annotations

from tests.project import Project

_DML = "delete insert select update"

# Every table and view there is. A new one fails the test until somebody has said here who may.
RELATIONS: dict[str, dict[str, str]] = {
    "private.profile_terms": {},
    "private.signing_keys": {},
    "private.source_members": {},
    "private.stale_profiles": {},
    "public.blocked_pairs": {"authenticated": "select", "service_role": _DML},
    "public.calendar_feeds": {"authenticated": "delete select", "service_role": "delete select"},
    "public.contact_hours": {"authenticated": _DML, "service_role": _DML},
    "public.contact_preferences": {"authenticated": _DML, "service_role": _DML},
    "public.decline_reasons": {"authenticated": "select", "service_role": _DML},
    "public.job_alerts": {"authenticated": "select", "service_role": "delete select update"},
    "public.job_changes": {"authenticated": "select", "service_role": "delete select"},
    "public.job_runs": {"authenticated": "select", "service_role": _DML},
    "public.job_schedules": {"authenticated": "select", "service_role": _DML},
    "public.match_batches": {"authenticated": "select", "service_role": _DML},
    "public.match_events": {"authenticated": "select", "service_role": "delete insert select"},
    "public.match_offers": {"service_role": _DML},
    "public.match_surveys": {"authenticated": "select", "service_role": _DML},
    "public.match_terms": {"authenticated": "select", "service_role": _DML},
    "public.match_weights": {"authenticated": "select", "service_role": _DML},
    "public.matches": {"service_role": _DML},
    "public.meeting_logs": {"authenticated": "select", "service_role": "select"},
    "public.members": {"service_role": _DML},
    "public.mentor_leaderboard": {"authenticated": "select", "service_role": _DML},
    "public.mentor_specializations": {"authenticated": "delete select", "service_role": _DML},
    "public.mentors": {"authenticated": "select", "service_role": _DML},
    "public.mentorship_feedback": {"authenticated": "select", "service_role": _DML},
    "public.mentorship_profiles": {"authenticated": "select", "service_role": _DML},
    "public.mentorship_requests": {"authenticated": "select", "service_role": _DML},
    "public.mentorship_resources": {"authenticated": "delete insert select", "service_role": _DML},
    "public.mentorship_sessions": {"authenticated": "select", "service_role": _DML},
    "public.message_answers": {"authenticated": "select", "service_role": _DML},
    "public.message_outbox": {"service_role": _DML},
    "public.notifications": {"authenticated": "select", "service_role": _DML},
    "public.program_settings": {"service_role": "insert select update"},
    "public.quick_questions": {"authenticated": "select", "service_role": _DML},
    "public.sync_rejects": {"authenticated": "select", "service_role": "delete select"},
    "public.term_aliases": {"authenticated": "select", "service_role": _DML},
    "public.undeliverable_addresses": {"service_role": _DML},
    "public.users": {"authenticated": "select", "service_role": _DML},
    "public.users_user": {"service_role": _DML},
    "public.v_at_risk_matches": {"service_role": "select"},
    "public.v_members_without_mentor": {"service_role": "select"},
    "public.v_mentor_capacity": {"service_role": "select"},
    "public.v_mentors_without_account": {"service_role": "select"},
    "public.v_sync_health": {"service_role": "select"},
}
# What is granted on single columns, beside that.
COLUMNS = {
    ("public.match_offers", "authenticated", "select"): (
        "announced_at answered_at breakdown confidence created_at id mentor_id reasons"
        " request_id score status student_id units"
    ),
    ("public.matches", "authenticated", "select"): (
        "breakdown created_at end_reason ended_at goals id last_contact_at mentor_id"
        " request_id role score started_at status student_id updated_at"
    ),
    ("public.mentor_specializations", "authenticated", "insert"): (
        "certification_url mentor_id proficiency_level specialization"
    ),
    ("public.mentor_specializations", "authenticated", "update"): (
        "certification_url proficiency_level specialization"
    ),
    ("public.mentors", "authenticated", "update"): (
        "availability bio capacity domain experience_years expertise teaching_style timezone"
    ),
    ("public.notifications", "authenticated", "update"): ("read_at"),
    ("public.users", "authenticated", "update"): (
        "city contact_preference country full_name locale timezone"
    ),
}
# Every function there is, by those who may call it.
FUNCTIONS = {
    "": (
        "private.accounts_changed private.add_counts private.alias_changed"
        " private.allowed_mentors private.announce_change private.announce_match"
        " private.answered_request private.apply_members private.ask_mentors"
        " private.ask_surveys private.asking_student private.auth_user_changed"
        " private.auto_approve private.batch_records private.because private.begin_alone"
        " private.begin_match private.begin_placings private.begin_together"
        " private.blocking_rule private.capacity_of private.capacity_stats"
        " private.change_match private.check_deferred private.check_overrides"
        " private.close_request private.compared_changed private.complete_run"
        " private.count_calendar_change private.count_mentees private.current_weights"
        " private.day_name private.day_of private.days_since private.decimal_setting"
        " private.departures private.departures_allowed private.derive_profiles"
        " private.due_surveys private.end_match private.end_questions private.escalate"
        " private.expire_offers private.expire_questions private.expire_requests"
        " private.feedback_changed private.feedback_stats private.find_mentor"
        " private.follow_primary private.forbidden_pairs private.forbidden_then"
        " private.forget_changes private.forget_departed private.forget_stale"
        " private.hash_of_rest private.health_changes private.health_part"
        " private.health_parts private.held_back private.hmac_pad private.holders_of"
        " private.hours_apart private.hours_between private.is_as_derived private.is_contact"
        " private.is_known_term private.is_named private.is_rows_fault private.is_signed_by"
        " private.is_student_now private.is_undo private.judged_placings private.keep_feedback"
        " private.keep_health private.keep_progress private.keep_rejects private.keep_terms"
        " private.known_phrases private.limit_waits private.link_auth_users"
        " private.location_terms private.lock_mentors private.lock_offer private.lock_placings"
        " private.lock_student private.log_changes private.log_match_events private.mail_alert"
        " private.make_batches private.match_health private.match_mail private.match_reasons"
        " private.match_stats private.matches_changed private.may_see_score"
        " private.meeting_terms private.meetings_held private.member_hash"
        " private.members_changed private.members_page private.mentor_bio"
        " private.mentor_edited private.mentor_expertise private.mentor_left"
        " private.mentor_members_with private.mentor_wishes private.mentors_for_question"
        " private.next_step private.note_contact private.note_stale private.note_stale_members"
        " private.note_undeliverable private.offer_stats private.outcome_counts"
        " private.outcome_records private.own_match private.packed_mentors"
        " private.packed_people private.packed_requests private.packed_students"
        " private.packed_terms private.page_url private.pair_blocked private.pair_rules"
        " private.part_of private.pieces_of private.placing_counts private.placing_records"
        " private.pointless_offers private.primary_match private.profile_lists"
        " private.profile_owner private.question_alias_changed private.question_stats"
        " private.queue_check_ins private.queue_invitation private.queue_offers"
        " private.queue_reminders private.queue_session_mail private.queue_surveys"
        " private.ranked_mentors private.read_action_items private.referring_expression"
        " private.refresh_profiles private.refresh_ratings private.refresh_stale"
        " private.refuse_question private.reject_quietly private.reopen_exhausted"
        " private.reopen_questions private.reopen_request private.replace_mentor"
        " private.replayed_mentors private.replayed_requests private.request_stats"
        " private.request_terms private.require_active private.require_admin"
        " private.require_approval private.require_feedback_fits private.require_listed"
        " private.require_may_ask private.require_meeting_fits private.require_mentor"
        " private.require_no_mentor private.require_open private.require_pair"
        " private.require_question_fits private.require_score private.require_seats"
        " private.require_text_fits private.require_time_fits private.require_undoable"
        " private.require_words_fit private.risk_about private.rule_words"
        " private.run_needs_somebody private.run_was_seen_to private.schedule_edited"
        " private.score_factors private.score_pair private.sees_everything"
        " private.session_changed private.session_end private.session_event"
        " private.session_mail private.session_title private.set_signing_key"
        " private.settle_alias private.settle_lost private.settle_question private.settle_run"
        " private.settle_weights private.side_of private.signature private.signs_of"
        " private.slug private.stop_departed private.supersede_offers private.survey_answered"
        " private.survey_days private.survey_period private.sync_members private.sync_quietly"
        " private.sync_set_quietly private.takes_seat private.tell_of_end"
        " private.tell_of_question private.term_weights private.terms_in private.terms_of"
        " private.terms_of_mentor private.terms_of_people private.text_setting"
        " private.texts_of private.told_rule private.too_late_to_begin"
        " private.touch_updated_at private.trigger_deadline private.try_members"
        " private.undo_chunk private.undo_table private.unplaced_students private.unsigned"
        " private.unverify private.waiting_requests private.was_cancelled"
        " private.withdraw_match_mail private.withdraw_pointless private.withdraw_session_mail"
        " private.without_health private.without_rank private.zone_hours"
    ),
    "anon authenticated service_role": (
        "private.answer_message private.calendar_feed private.directory_page"
        " private.mentor_directory private.normalise_email private.receive_resend_event"
        " private.trim_space private.unsubscribe public.answer_message public.calendar_feed"
        " public.get_mentors_with_member_data public.list_mentors public.resend_webhook"
        " public.unsubscribe"
    ),
    "authenticated": (
        "private.answers_questions private.blocked_students private.cancel_question"
        " private.claim_question private.complete_question private.connected_people"
        " private.decline_offer private.get_matches private.is_mentor private.log_meeting"
        " private.match_batch private.matched_people private.matches_of_caller"
        " private.offered_people private.offered_requests private.post_question"
        " private.rate_question private.release_question private.request_mentor"
        " private.reset_calendar_feed private.select_student private.set_action_items"
        " private.submit_feedback public.cancel_question public.claim_question"
        " public.complete_question public.decline_offer public.get_match_batch"
        " public.get_matches public.log_meeting public.post_question public.rate_question"
        " public.release_question public.request_mentor public.reset_calendar_feed"
        " public.select_student public.set_action_items public.share_resource"
        " public.submit_feedback public.withdraw_resource"
    ),
    "authenticated service_role": (
        "private.assign_student private.calculate_match_score private.cancel_request"
        " private.complete_match private.confirm_alias private.create_manual_match"
        " private.create_notification private.current_user_id private.dissolve_match"
        " private.explain_match private.get_all_matches private.get_at_risk_matches"
        " private.get_dashboard_stats private.get_leaderboard private.get_open_questions"
        " private.get_specialization_report private.get_specializations private.is_admin"
        " private.pause_match private.recommend_mentors private.resume_match"
        " private.suggest_aliases private.sync_one private.verify_specialization"
        " private.write_profile public.assign_student public.calculate_match_score"
        " public.cancel_request public.complete_match public.confirm_alias"
        " public.create_manual_match public.create_notification public.create_profile"
        " public.dissolve_match public.explain_match public.get_all_matches"
        " public.get_at_risk_matches public.get_dashboard_stats public.get_feedback"
        " public.get_leaderboard public.get_open_questions public.get_profile"
        " public.get_profile_by_id public.get_resources public.get_specialization_report"
        " public.get_specializations public.pause_match public.recommend_mentors"
        " public.resume_match public.suggest_aliases public.sync_mentor_from_member"
        " public.update_profile public.verify_specialization"
    ),
    "service_role": (
        "private.announce_offers private.answer_tokens private.assert_run"
        " private.assignment_settings private.change_log_kept private.change_run"
        " private.channel_for private.check_match_health private.country_rates"
        " private.departure private.due_messages private.expire_stale private.is_mentor_type"
        " private.kind_enabled private.known_zone private.leaderboard"
        " private.leaderboard_points private.matching_settings private.meaning_of"
        " private.mentor_states private.mentors_to_assign private.mentors_to_match"
        " private.next_runs private.normalise_term private.notify_in_app"
        " private.number_setting private.open_jobs private.outcomes private.quiet_until"
        " private.refresh_stale_profiles private.replay_inputs private.requests_to_match"
        " private.rescue_messages private.rescue_runs private.retry_delay private.route"
        " private.save_assignments private.save_match_batches private.schema_version"
        " private.scores_of_pairs private.send_feedback_surveys private.set_resend_secret"
        " private.signed private.students_to_assign private.sync_chunk private.take_runs"
        " private.uncertain_messages private.undo_changes private.unsubscribe_token"
        " public.accept_schedules public.announce_offers public.approve_run"
        " public.assignment_settings public.cancel_run public.changes_of_run"
        " public.check_match_health public.claim_messages public.claim_runs"
        " public.compose_digests public.departure public.enqueue_run public.enqueue_slots"
        " public.expire_stale public.find_people public.find_runs public.finish_messages"
        " public.finish_runs public.heartbeat_run public.match_outcomes"
        " public.matching_settings public.mentors_to_assign public.mentors_to_match"
        " public.prune_runs public.queue_message public.refresh_leaderboard"
        " public.refresh_stale_profiles public.register_jobs public.replay_inputs"
        " public.requests_to_match public.retry_run public.save_assignments"
        " public.save_match_batches public.scheduler_state public.scores_of_pairs"
        " public.send_feedback_surveys public.set_resend_secret public.students_to_assign"
        " public.supersede_messages public.sync_mentor_profiles public.term_labels"
        " public.undo_changes"
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
