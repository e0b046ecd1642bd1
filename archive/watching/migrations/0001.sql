-- What is watched, each look that it was due for, and how each host is spared.
CREATE TABLE counterproof.watches (
  id uuid PRIMARY KEY,
  case_name text NOT NULL,
  url text NOT NULL,
  url_key text NOT NULL,
  host text NOT NULL,
  kind text NOT NULL,
  every_s integer,
  cron text,
  zone text NOT NULL,
  jitter_s integer NOT NULL,
  priority smallint NOT NULL,
  options jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'paused', 'removed')),
  why text NOT NULL DEFAULT '',
  source text NOT NULL,
  created_at timestamptz NOT NULL,
  slot timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  looked_at timestamptz,
  changed_at timestamptz,
  last_outcome text,
  last_unit uuid,
  looks bigint NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  CHECK ((every_s IS NULL) <> (cron IS NULL))
);
CREATE UNIQUE INDEX watches_once ON counterproof.watches (case_name, url_key) WHERE state <> 'removed';
CREATE INDEX watches_due ON counterproof.watches (due_at) WHERE state = 'active';

CREATE TABLE counterproof.looks (
  id uuid PRIMARY KEY,
  watch uuid NOT NULL REFERENCES counterproof.watches,
  slot timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  host text NOT NULL,
  reason text NOT NULL,
  priority smallint NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  job bigint,
  attempts integer NOT NULL DEFAULT 0,
  crashes integer NOT NULL DEFAULT 0,
  worker text,
  released_at timestamptz NOT NULL,
  begun_at timestamptz,
  ended_at timestamptz,
  run uuid,
  unit uuid,
  outcome text,
  changed boolean,
  captures integer,
  bytes bigint,
  detail text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX looks_one_at_a_time ON counterproof.looks (watch) WHERE state IN ('queued', 'running');
CREATE INDEX looks_open ON counterproof.looks (host) WHERE state IN ('queued', 'running');
CREATE INDEX looks_of_watch ON counterproof.looks (watch, slot);
CREATE INDEX looks_ended ON counterproof.looks (ended_at);

CREATE TABLE counterproof.hosts (
  host text NOT NULL,
  egress text NOT NULL,
  slots smallint NOT NULL DEFAULT 1 CHECK (slots BETWEEN 1 AND 64),
  delay_ms integer NOT NULL DEFAULT 5000 CHECK (delay_ms BETWEEN 0 AND 86400000),
  per_day integer NOT NULL DEFAULT 2000 CHECK (per_day BETWEEN 0 AND 1000000),
  next_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00+00',
  day date NOT NULL DEFAULT '1970-01-01',
  used integer NOT NULL DEFAULT 0,
  strikes integer NOT NULL DEFAULT 0,
  back_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00+00',
  PRIMARY KEY (host, egress)
);
CREATE TABLE counterproof.turns (
  host text NOT NULL,
  egress text NOT NULL,
  holder text NOT NULL,
  worker text,
  until timestamptz NOT NULL,
  PRIMARY KEY (host, egress, holder)
);
CREATE TABLE counterproof.overrides (
  case_name text NOT NULL,
  host text NOT NULL,
  reason text NOT NULL,
  authority text NOT NULL,
  name text NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (case_name, host)
);
CREATE TABLE counterproof.workers (
  id text PRIMARY KEY,
  place text NOT NULL,
  egress text NOT NULL,
  begun_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  facts jsonb NOT NULL
);
