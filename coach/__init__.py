"""The room where people meet the coach: uploads, assessment, panel, report, feedback."""
