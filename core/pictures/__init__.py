"""Pictures that studios and players upload: read as hostile, drawn anew. Pure: no Django, no files, no database."""
