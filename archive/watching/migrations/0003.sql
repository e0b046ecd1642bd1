-- What a look asked of the store, and in what its page had changed: words of the evidence format, and nothing of the page.
ALTER TABLE counterproof.looks ADD COLUMN requests bigint;
ALTER TABLE counterproof.looks ADD COLUMN kinds text[];
