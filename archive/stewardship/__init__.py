"""What happens to evidence after it was captured: looked after, held, corrected, kept longer, copied, disposed of."""
