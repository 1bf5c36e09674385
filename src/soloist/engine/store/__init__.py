"""The only place with SQL: tables, named queries by noun, the journal, the writer and the migrations."""
