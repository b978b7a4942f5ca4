"""What the tests of this folder share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# As the source documents print them, with their columns that are left to the reader.
SEED_TABLES = (
    """
    create table users_user (
      id serial primary key, password varchar(128) not null default '', email varchar(254) not null,
      first_name varchar(150) not null default '', last_name varchar(150) not null default ''
    )
    """,
    """
    CREATE TABLE members (
      id UUID PRIMARY KEY,
      email TEXT NOT NULL,
      name TEXT NOT NULL,
      membershiptype TEXT NOT NULL,  -- 'mentor', 'mentee', 'student', etc.
      areaOfExpertise TEXT,
      skills TEXT,
      experience TEXT,
      occupation TEXT,
      jobtitle TEXT,
      industry TEXT,
      is_active BOOLEAN DEFAULT true
    )
    """,
    """
    CREATE TABLE mentors (
      id UUID PRIMARY KEY,
      user_id INTEGER UNIQUE REFERENCES users_user(id),
      bio TEXT,
      expertise JSONB DEFAULT '[]',
      is_approved BOOLEAN DEFAULT false,
      rating NUMERIC(3,2) DEFAULT 0.00,
      total_sessions INTEGER DEFAULT 0,
      version INTEGER DEFAULT 1,
      created_at TIMESTAMPTZ DEFAULT NOW(),
      updated_at TIMESTAMPTZ DEFAULT NOW()
    )
    """,
    """
    create table users (
      id uuid primary key, full_name text, email text, role text, status text,
      created_at timestamptz default now(), mentor_id uuid references users (id)
    )
    """,
)


@dataclass(frozen=True)
class Folder:
    """A folder of migrations."""

    path: Path

    def write(self, **files: str) -> None:
        """`m1_people="create ..."` becomes 20260101000001_people.sql."""
        for name, text in files.items():
            number, noun = name.removeprefix("m").split("_", 1)
            path = self.path / f"202601010000{int(number):02}_{noun}.sql"
            path.write_text(text, encoding="utf-8", newline="")
