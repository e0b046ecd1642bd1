-- What a person has to hear of, until it is over; and to whom it was said.
CREATE TABLE counterproof.alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  subject text NOT NULL,
  facts jsonb NOT NULL,
  raised_at timestamptz NOT NULL,
  cleared_at timestamptz
);
CREATE UNIQUE INDEX alerts_once ON counterproof.alerts (kind, subject) WHERE cleared_at IS NULL;
CREATE TABLE counterproof.alerts_sent (
  alert bigint NOT NULL REFERENCES counterproof.alerts ON DELETE CASCADE,
  target text NOT NULL,
  sent_at timestamptz NOT NULL,
  PRIMARY KEY (alert, target)
);
