"""Pictures that studios upload: read as hostile, drawn anew. Pure: no Django, no files, no database."""
