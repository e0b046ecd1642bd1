-- What was asked for at which time: without it, who comes later could only hold old looks against the present interval.
-- every_s and cron both NULL: nothing was (paused, removed). Of before this table, what stands now is taken.
CREATE TABLE counterproof.asked (
  watch uuid NOT NULL REFERENCES counterproof.watches,
  since timestamptz NOT NULL,
  every_s integer,
  cron text,
  zone text NOT NULL
);
CREATE INDEX asked_of_watch ON counterproof.asked (watch, since);
INSERT INTO counterproof.asked SELECT id, created_at, every_s, cron, zone FROM counterproof.watches
  WHERE state = 'active';
CREATE INDEX watches_of_page ON counterproof.watches (url_key);
