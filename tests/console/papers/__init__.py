"""Papers: the report, exhibits, certifications, redactions."""
