"""Production on one machine without containers: Procfile.production, what its lines read, who keeps them running."""
