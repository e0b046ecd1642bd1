"""Pages in three other hands, by which we see that the crawler has not learnt the first network by heart."""
