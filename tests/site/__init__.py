"""A make-believe network, served on loopback under names that are nobody's: `from tests.site.server import Site`."""
