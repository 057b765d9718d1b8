"""The pages: texts in two languages, rows shaped for screens, templates and static files. No arithmetic of its own."""
