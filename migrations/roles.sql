-- The roles, the extension and the schema that the dated steps build on. Run in one transaction by an administrator at
-- every upgrade, so every statement can be repeated. He need be no superuser: CREATEROLE and the database are enough.

-- No passwords: on the embedded server its private socket folder is the key; elsewhere the administrator decides.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('centralpay_owner', 'NOLOGIN'),   -- owns the schema; only migrations act as it
            ('centralpay_app', 'LOGIN'),       -- works: reads, posts by function, writes its working tables
            ('centralpay_auditor', 'LOGIN'),   -- reads
            ('centralpay_member', 'NOLOGIN')   -- group of the pharmacies' logins; row-level security shows each its own
        ) AS role (name, login)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE', wanted.name, wanted.login);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- roles belong to the whole server: the upgrade of another database made it at this moment
            END;
        END IF;
        -- An administrator who is no superuser may act as them: to build as the owner, to test as the others.
        IF wanted.name <> 'centralpay_member' AND NOT pg_has_role(current_user, wanted.name, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER WITH SET TRUE, INHERIT TRUE', wanted.name);
        END IF;
    END LOOP;
END $$;

-- Temporal keys (WITHOUT OVERLAPS) on plain columns need its operator classes.
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;

CREATE SCHEMA IF NOT EXISTS centralpay AUTHORIZATION centralpay_owner;
-- Views that read the books as known at a checkpoint, under the names of the tables.
CREATE SCHEMA IF NOT EXISTS centralpay_known AUTHORIZATION centralpay_owner;

-- No role but the owner may make anything, so nothing can be put in the way of a name that the owner's functions use.
DO $$
BEGIN
    IF has_schema_privilege('public', 'public', 'CREATE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END $$;
-- Nor a temporary table, which would stand before all others of its name: a step may (centralpay_owner), nobody who works or reads.
-- Who needs one gets the right by name, and the guards do not believe it. Of a database that is another's its owner decides.
DO $$
BEGIN
    IF has_database_privilege('public', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO centralpay_owner', current_database());
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
END $$;
SET LOCAL ROLE centralpay_owner;
REVOKE ALL ON SCHEMA centralpay, centralpay_known FROM PUBLIC;
GRANT USAGE ON SCHEMA centralpay TO centralpay_app, centralpay_auditor, centralpay_member;
GRANT USAGE ON SCHEMA centralpay_known TO centralpay_app, centralpay_auditor;

-- A function that the owner makes can be called only by whom a step names.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
