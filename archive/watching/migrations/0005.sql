-- How many fields the reader found in the page that a look was shown; of a watch, what its last page had, and when any were
-- found at all. NULL: nobody read, or there was no page to be read. Nothing of the page itself.
ALTER TABLE counterproof.looks ADD COLUMN found integer;
ALTER TABLE counterproof.watches ADD COLUMN found integer;
ALTER TABLE counterproof.watches ADD COLUMN found_at timestamptz;
