-- One row: how far members and mentors are in step, and when the sync last ran.
select * from v_sync_health;
