# Everything is in do.py, which needs no make. These are shorter names.
.PHONY: demo test drills check bench schema clean

demo test drills check:
	@python3 do.py $@

bench:
	@.venv/bin/python -m bench.sync
	@.venv/bin/python -m bench.runner
	@.venv/bin/python -m bench.matching
	@.venv/bin/python -m bench.assignment

# Rewrites the dump of the end state after a change of sql/migrations.
schema:
	@.venv/bin/python -m tests.schema.dump

clean:
	@.venv/bin/mentor-sync local down || true
	rm -rf .venv .tools .mentor_sync
