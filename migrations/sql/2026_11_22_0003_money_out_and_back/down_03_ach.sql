DROP TRIGGER is_written_down ON cycle;
DROP TABLE same_day_window, ach_entry, ach_file;
DROP FUNCTION ach_entries_are_meant(), ach_file_foots(), release_is_written_down();
