"""Runs work over many items, on processes of this machine or on Ray; resumes and retries."""
