DROP TABLE share_to_remit;
ALTER TABLE plb_line DROP COLUMN byte_start, DROP COLUMN byte_end;
ALTER TABLE advice DROP COLUMN delimiters;
