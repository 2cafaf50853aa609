-- Values as a person reads them, and the ways in which an operation ends without a change.

CREATE OR REPLACE FUNCTION dpor.refuse(message text) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPREF'; END $$;

CREATE OR REPLACE FUNCTION dpor.conflict(message text) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPCON'; END $$;

CREATE OR REPLACE FUNCTION dpor.invalid(message text) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPINV'; END $$;

CREATE OR REPLACE FUNCTION dpor.shell_quoted(word text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN word ~ '^[A-Za-z0-9_@%+=:,./-]+$' THEN word
              ELSE '''' || replace(word, '''', '''"''"''') || '''' END
$$;

CREATE OR REPLACE FUNCTION dpor.well_formed(partner_id text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(partner_id ~ '^[1-9][0-9]{4,7}$'
    AND partner_id NOT IN ('12345', '123456', '1234567', '12345678')
    AND partner_id <> repeat(left(partner_id, 1), length(partner_id)), false)
$$;

-- Said by code points, since what [:cntrl:] matches depends on the database's locale.
CREATE OR REPLACE FUNCTION dpor.control() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT E'[\\u0001-\\u001F\\u007F-\\u009F]' $$;

CREATE OR REPLACE FUNCTION dpor.holds_control(words text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT words ~ dpor.control() $$;

-- Every text of the arguments, however deep, is one line of a sane length; so is the text of every
-- argument that is not meant to be a list.
CREATE OR REPLACE FUNCTION dpor.require_printable(arguments jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  wrong text;
BEGIN
  SELECT words INTO wrong
  FROM (
    SELECT value #>> '{}' AS words
    FROM jsonb_path_query(arguments, 'strict $.**') AS value
    WHERE jsonb_typeof(value) = 'string'
    UNION ALL
    SELECT value #>> '{}'
    FROM jsonb_each(arguments)
    WHERE key NOT IN ('seen', 'ids', 'former_ids', 'former_names', 'principals', 'tenants',
                      'without')
  ) AS said
  WHERE dpor.holds_control(words) OR length(words) > 4096
  LIMIT 1;
  IF FOUND THEN
    PERFORM dpor.invalid(
      to_json(regexp_replace(left(wrong, 80), dpor.control(), '�', 'g'))::text
      || ' holds a character that cannot be printed, or more than 4096 of them');
  END IF;
END
$$;

-- Where a deployment comes from, as its client says: an object of texts and truth values.
CREATE OR REPLACE FUNCTION dpor.require_provenance(provenance text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF jsonb_typeof(provenance::jsonb) <> 'object'
     OR provenance::jsonb @? 'strict $.* ? (@.type() != "string" && @.type() != "boolean")'
     OR dpor.holds_control(provenance) OR length(provenance) > 65536 THEN
    PERFORM dpor.invalid('where a deployment comes from is an object of texts and truth values');
  END IF;
  PERFORM dpor.require_printable(provenance::jsonb);
END
$$;

CREATE OR REPLACE FUNCTION dpor.require_subscription(subscription_id text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(subscription_id
              !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', true) THEN
    PERFORM dpor.invalid(coalesce(to_json(subscription_id)::text, 'null')
      || ' is no subscription id (a UUID in lower case)');
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.require_scope(scope text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF scope = '/' THEN
    RETURN;
  END IF;
  IF coalesce(scope NOT LIKE '/subscriptions/%', true) THEN
    PERFORM dpor.invalid(coalesce(to_json(scope)::text, 'null')
      || ' is no scope; write / or /subscriptions/UUID');
  END IF;
  PERFORM dpor.require_subscription(substr(scope, length('/subscriptions/') + 1));
END
$$;
