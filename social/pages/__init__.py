"""The player site: the front page, profiles and what is shared of them, friends, comparisons."""
