DROP TABLE ach_entry, ach_file;
