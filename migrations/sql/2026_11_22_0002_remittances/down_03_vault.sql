-- Back: which files were let go is forgotten with it.
DROP FUNCTION reseal_numbers(text, text[], bytea[], bytea[]);
DROP FUNCTION is_resealed(bytea, bytea);
DROP TABLE vault_expiry;
DROP FUNCTION expiry_is_allowed();
DROP FUNCTION file_kept_for(bigint[]);
