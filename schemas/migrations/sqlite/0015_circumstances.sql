-- By which organisation and calendar a case file was last looked at: the journal row of their last import. After an import
-- everything open is looked at anew, behind what is due; the import itself touches none of it.
alter table case_files add column looked_by integer not null default 0;
-- Nothing is open and nothing can happen by itself.
alter table case_files add column at_rest integer not null default 0 check (at_rest in (0, 1));
create index case_files_looked_by on case_files (looked_by, application_id) where not at_rest;
